"""Keys come from the environment first, then from the system's store, and are told to nobody."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import keyring
import keyring.backend
import keyring.errors
import pytest
from keyring.backends import null

from app import secrets
from app.errors import AppError


class FakeStore(keyring.backend.KeyringBackend):
    """The credential store of a desktop, in memory. `broken` makes it refuse, as a locked one does."""

    priority = 1
    name = "Fake Keyring"

    def __init__(self) -> None:
        self.held: dict[tuple[str, str], str] = {}
        self.broken = False
        self.asked = 0

    def _check(self) -> None:
        self.asked += 1
        if self.broken:
            raise keyring.errors.KeyringLocked("locked: gsk_hidden")

    def get_password(self, service: str, username: str) -> str | None:
        self._check()
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._check()
        self.held[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._check()
        del self.held[service, username]


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeStore]:
    for secret in secrets.SECRETS.values():
        monkeypatch.delenv(secret.variable, raising=False)
    before, fake = keyring.get_keyring(), FakeStore()
    keyring.set_keyring(fake)
    secrets.look_again()
    yield fake
    keyring.set_keyring(before)
    secrets.look_again()


def test_a_key_that_is_kept_is_there_after_a_restart(store: FakeStore) -> None:
    secrets.keep("groq", " gsk_one\n")
    secrets.look_again()

    assert ("gsk_one", "store") == (secrets.read("groq"), secrets.place("groq"))
    assert "gsk_one" == secrets.environment({})["GROQ_API_KEY"]
    assert {("kuchipaku", "groq"): "gsk_one"} == store.held


def test_the_environment_comes_first(store: FakeStore, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets.keep("groq", "gsk_one")
    monkeypatch.setenv("GROQ_API_KEY", "gsk_two")

    assert ("gsk_two", "environment") == (secrets.read("groq"), secrets.place("groq"))
    assert "gsk_three" == secrets.environment({"GROQ_API_KEY": "gsk_three"})["GROQ_API_KEY"]


def test_a_key_that_is_removed_is_gone_and_may_be_removed_twice(store: FakeStore) -> None:
    secrets.keep("voice", "abc")

    secrets.forget("voice")
    secrets.forget("voice")

    assert ("", "none", {}) == (secrets.read("voice"), secrets.place("voice"), store.held)


def test_the_store_is_asked_once(store: FakeStore) -> None:
    for _ in range(3):
        secrets.read("groq")

    assert 1 == store.asked


@pytest.mark.parametrize("text", ["", "  ", "two words", "gsk_ü", "a\nb"])
def test_what_is_no_key_is_not_kept(store: FakeStore, text: str) -> None:
    with pytest.raises(AppError, match="no key"):
        secrets.keep("groq", text)

    assert {} == store.held


def test_a_locked_store_is_said_without_its_words_and_holds_nothing_meanwhile(
    store: FakeStore, caplog: pytest.LogCaptureFixture
) -> None:
    store.broken = True
    caplog.set_level(logging.DEBUG)

    with pytest.raises(AppError) as caught:
        secrets.keep("groq", "gsk_very_hidden")

    assert "" == secrets.read("groq")
    assert "Unlock" in caught.value.remedy
    assert "hidden" not in caught.value.problem + caught.value.remedy + caplog.text
    assert caught.value.__cause__ is None


def test_where_there_is_no_store_one_sentence_says_what_to_do(store: FakeStore) -> None:
    keyring.set_keyring(null.Keyring())

    with pytest.raises(AppError) as caught:
        secrets.keep("groq", "gsk_one")

    assert "no credential store" in caught.value.problem
    assert "GNOME Keyring" in caught.value.remedy
    assert "GROQ_API_KEY" in caught.value.remedy
    assert "" == secrets.read("groq")
