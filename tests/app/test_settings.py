"""Settings are checked when they are read."""

import pytest

from app.errors import AppError
from app.settings import Settings, load_settings


def write(tmp_path, text):
    path = tmp_path / "settings.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_without_a_file_everything_has_its_default(tmp_path):
    assert Settings() == load_settings(tmp_path / "none.toml")


def test_a_setting_of_the_file_replaces_its_default_only(tmp_path):
    settings = load_settings(write(tmp_path, '[face]\nfps = 60\n[hearing]\nmode = "open"\n'))

    assert (60.0, "open") == (settings.face.fps, settings.hearing.mode)
    assert Settings().brain == settings.brain


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[hearing]\ntreshold = 0.5\n", "'threshold'"),
        ("[hearin]\n", "'hearing'"),
        ("[hearing]\nthreshold = 7\n", "0.05 to 0.95"),
        ('[hearing]\nthreshold = "high"\n', "must be a float"),
        ("[camera]\non = 1\n", "must be a bool"),
        ('[face]\ntier = "fast"\n', "auto, live, exact"),
        ('[hearing]\nlanguage = "english"\n', "en, ja, hi, auto"),
        ('[hearing]\ntranscriber = "cloud"\n', "local, groq"),
        ("[lips]\nmouth_offset_ms = 250\n", "-200 to 200"),
        ("[lips]\nmouth_offset_ms = 0.5\n", "must be a int"),
        ("[lips]\nphonemes = 3\n", "must be a str"),
        ("hearing = 3\n", "[hearing]"),
        ("[hearing\n", "not valid TOML"),
    ],
)
def test_a_wrong_setting_is_named_with_what_would_be_right(tmp_path, text, says):
    with pytest.raises(AppError) as caught:
        load_settings(write(tmp_path, text))

    assert says in caught.value.problem
