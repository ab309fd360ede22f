"""Training of the small phone model: speech whose phone times a synthesiser states, and what learns from it.

Nothing here runs in the product. Engines that come as Debian packages are named in the error when they are missing.
"""
