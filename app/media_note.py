"""What every recording, film and screenshot says of itself."""

from __future__ import annotations

NOTE = (
    "Synthetic media: the face was moved, and the voice may have been made, by software (Kuchipaku). "
    "IPTC DigitalSourceType: http://cv.iptc.org/newscodes/digitalsourcetype/compositeSynthetic"
)
"""For people and programs: the code is IPTC's for a mix with a synthetic part at least; content credentials use it.

It is plain text in the file's comment, without a signature: it tells who wants to know, and proves nothing.
"""
