"""MuseTalk: a person's mouth repainted from the voice, one pass of a UNet per frame."""
