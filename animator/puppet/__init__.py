"""The photo puppet: one photo of a face, moved by warping it; no learnt weights, no graphics card."""
