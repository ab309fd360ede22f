"""The photo puppet: one photo of a face, moved by warping it. No learnt weights draw here, and no graphics card is needed."""
