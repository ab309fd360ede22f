"""Japanese as eSpeak-NG reads it: in kana, long vowels written out."""

from __future__ import annotations

import functools
import os
import re
import unicodedata
from pathlib import Path

from animator.lipsync.training.speech import EngineMissing

DICTIONARY = Path("/var/lib/mecab/dic/open-jtalk/naist-jdic")
"""Where Debian's open-jtalk-mecab-naist-jdic puts Open JTalk's dictionary."""
_VOWEL = {"A": "ア", "I": "イ", "U": "ウ", "E": "エ", "O": "オ"}
_JAPANESE = re.compile(r"[^\u3041-\u309f\u30a1-\u30fe、。？！?! ]")


@functools.cache
def open_jtalk() -> object:
    """The module `pyopenjtalk`, told where its dictionary is.

    Raises:
        EngineMissing: If it or its dictionary is not installed.
    """
    if not DICTIONARY.is_dir():
        raise EngineMissing(
            f"Open JTalk's dictionary is missing: expected {DICTIONARY}. Install the Debian package "
            "open-jtalk-mecab-naist-jdic."
        )
    os.environ["OPEN_JTALK_DICT_DIR"] = str(DICTIONARY)
    try:
        import pyopenjtalk
    except ImportError as error:
        raise EngineMissing("Open JTalk is not installed; expected the Python package pyopenjtalk.") from error
    module: object = pyopenjtalk
    return module


def to_kana(text: str) -> str:
    """A Japanese text in katakana as it is said (は as ワ where it is a particle), long vowels written out.

    Raises:
        EngineMissing: If Open JTalk is not installed.
    """
    kana = str(open_jtalk().g2p(text, kana=True))  # type: ignore[attr-defined]
    return _JAPANESE.sub("", written_out(kana))


def written_out(kana: str) -> str:
    """Kana with every length mark as the vowel that it lengthens: ケンキュー becomes ケンキュウ."""
    out: list[str] = []
    for c in kana:
        if c == "ー":
            vowel = _VOWEL.get(unicodedata.name(out[-1], " ")[-1]) if out else None
            out.append(vowel or "")
        else:
            out.append(c)
    return "".join(out)
