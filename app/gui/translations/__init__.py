"""The window in other languages: what translators write (.ts) and what Qt reads (.qm)."""
