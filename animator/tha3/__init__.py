"""The anime face: Talking-Head-Anime-3, exact and live."""
