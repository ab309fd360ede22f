from __future__ import annotations

import pytest

from app.policy.hallucination import compression_ratio, is_repeated, keep


def test_what_was_said_is_kept() -> None:
    assert keep("Ask what you can do.", duration_s=2.0, no_speech_probability=0.02) == "Ask what you can do."


@pytest.mark.parametrize("text", ["", " . ", "...", "[BLANK_AUDIO]", "(music)", "♪ ♪"])
def test_marks_and_notes_are_not_words(text: str) -> None:
    assert keep(text, duration_s=2.0) == ""


def test_a_stock_phrase_is_believed_only_where_there_surely_was_speech() -> None:
    assert keep("Thank you.", duration_s=1.0, no_speech_probability=0.3) == ""
    assert keep("Thank you.", duration_s=0.4, no_speech_probability=0.01) == ""
    assert keep("Thank you.", duration_s=1.0, no_speech_probability=0.01) == "Thank you."


def test_no_speech_is_believed_when_the_words_were_unsure_too() -> None:
    assert keep("Hello", duration_s=1.0, no_speech_probability=0.7, mean_log_probability=-1.2) == ""
    assert keep("Hello", duration_s=1.0, no_speech_probability=0.7, mean_log_probability=-0.3) == "Hello"


def test_loops_are_dropped_but_not_emphasis() -> None:
    assert keep("I am going to I am going to I am going to I am going to", duration_s=4.0) == ""
    assert keep("No, no, no, I really did not mean that at all.", duration_s=4.0) != ""
    assert is_repeated("ha ha ha ha ha ha")


def test_more_words_than_anybody_can_speak_are_dropped() -> None:
    assert keep("one two three four five six seven eight nine ten", duration_s=1.0) == ""


@pytest.mark.parametrize(
    ("text", "language", "kept"),
    [
        ("What's up?", "en", True),
        ("Café, naïve, Zoë.", "en", True),
        ("नमस्ते दोस्त", "en", False),
        ("Привет, как дела?", "en", False),
        ("नमस्ते दोस्त", "hi", True),
        ("Arre yaar, kya baat hai", "hi", True),
        ("मुझे Python सीखना है", "hi", True),
        ("こんにちは", "hi", False),
        ("今日はいい天気ですね。", "ja", True),
        ("カラオケに行こう", "ja", True),
        ("OK, Google", "ja", True),
        ("안녕하세요 여러분", "ja", False),
        ("नमस्ते दोस्त", "ja", False),
        ("안녕하세요 여러분", "ko", True),
        ("2026", "hi", True),
    ],
)
def test_each_language_comes_in_its_own_scripts(text: str, language: str, kept: bool) -> None:
    assert keep(text, duration_s=2.0, language=language) == (text if kept else "")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("ご視聴ありがとうございました", "ja"),
        ("最後までご視聴いただきありがとうございました。", "ja"),
        ("チャンネル登録をお願いいたします。", "ja"),
        ("वीडियो देखने के लिए धन्यवाद।", "hi"),
        ("चैनल को सब्सक्राइब करें", "hi"),
        ("시청해주셔서 감사합니다.", "ko"),
        ("请不吝点赞 订阅 转发 打赏支持明镜与点点栏目", "zh"),
        ("Subtitles by the Amara.org community", "en"),
        ("Untertitelung des ZDF, 2020", "de"),
    ],
)
def test_what_nobody_says_to_somebody_is_never_believed(text: str, language: str) -> None:
    assert keep(text, duration_s=3.0, no_speech_probability=0.0, language=language) == ""


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("ありがとうございました。", "ja"),
        ("धन्यवाद।", "hi"),
        ("सब्सक्राइब करें", "hi"),
        ("감사합니다.", "ko"),
        ("Danke.", "de"),
    ],
)
def test_stock_phrases_of_other_languages_are_believed_as_those_of_english(text: str, language: str) -> None:
    assert keep(text, duration_s=1.5, no_speech_probability=0.2, language=language) == ""
    assert keep(text, duration_s=1.5, no_speech_probability=0.01, language=language) == text


@pytest.mark.parametrize("text", ["ありがとう" * 4, "はい" * 7, "あ" * 12, "今日はいい天気。" + "でも" * 12])
def test_loops_without_spaces_are_dropped(text: str) -> None:
    assert is_repeated(text)
    assert keep(text, duration_s=8.0, language="ja") == ""


@pytest.mark.parametrize(
    "text", ["はははははは", "そうそうそうそう", "はいはいはい、分かりました", "ドキドキワクワクする"]
)
def test_laughter_and_emphasis_are_words(text: str) -> None:
    assert keep(text, duration_s=2.0, language="ja") == text


def test_more_than_anybody_can_speak_is_dropped_without_spaces_too() -> None:
    text = "今日は朝からずっと雨が降っていたので家で本を読んでいました"
    assert keep(text, duration_s=4.0, language="ja") == text
    assert keep(text, duration_s=1.0, language="ja") == ""


def test_plain_hindi_is_no_loop_for_the_compression() -> None:
    plain = "मैं आज बाज़ार गया था और वहाँ से कुछ सब्ज़ियाँ और फल लेकर आया, फिर घर आकर खाना बनाया।"
    assert compression_ratio(plain) < 1.6
    assert compression_ratio(plain * 5) > 2.4
    assert compression_ratio("") == 1.0
