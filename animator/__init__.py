"""The face: speech in, frames out. Never knows `app`; runs in its own process."""
