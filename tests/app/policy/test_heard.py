from __future__ import annotations

import pytest

from app.policy.heard import heard_text

TEXT = "I was thinking about the sea today."


@pytest.mark.parametrize(("share", "words"), [(0.0, 0), (0.02, 0), (0.5, 3), (1.0, 7), (3.0, 7)])
def test_only_words_that_were_spoken_to_their_end_were_heard(share: float, words: int) -> None:
    assert heard_text(TEXT, share) == " ".join(TEXT.split()[:words])


def test_more_time_never_means_fewer_words() -> None:
    lengths = [len(heard_text(TEXT, share / 50)) for share in range(51)]

    assert lengths == sorted(lengths)
    assert lengths[-1] == len(TEXT)


def test_nothing_is_heard_of_nothing() -> None:
    assert heard_text("", 0.5) == ""
