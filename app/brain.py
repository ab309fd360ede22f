"""The brain of the settings: who is asked in which order, and what each of them has to say for itself."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from animator.timebase import Clock
from app import secrets
from app.backends.llm_failover import Candidate, FailoverChat
from app.errors import AppError
from app.models import ModelStore
from app.policy.cues import HINT
from app.ports import ChatModel
from app.settings import BrainSettings

BRAIN_MODEL = "smollm2-135m"
GROQ_KEY, SERVER_KEY = "GROQ_API_KEY", "KUCHIPAKU_SERVER_KEY"
CHECK_PERSONA = "Answer in one short sentence."
"""Who the candidates of `check` are made for."""
OnChange = Callable[[str, AppError], None]


def candidates(
    brain: BrainSettings,
    store: ModelStore,
    persona: str,
    on_change: OnChange,
    environment: dict[str, str] | None = None,
) -> list[Candidate]:
    """The chat models of the settings in their order, none of them loaded.

    Raises AppError where a provider is asked for that has no key or address, or where none is left.
    """
    from app.backends.llm_groq import GroqChat
    from app.backends.llm_llama_server import LlamaServerChat
    from app.backends.llm_openai import OpenAiChat
    from app.backends.openai_stream import StreamTimeouts

    # The store is asked only where a key may be wanted: it may make the user unlock it.
    variables = environment
    if variables is None:
        variables = secrets.environment() if brain.provider != "local" else {}
    key = variables.get(GROQ_KEY, "").strip()
    found: list[Candidate] = []
    if brain.provider == "groq" and not key:
        raise AppError(
            "The settings ask for Groq, and no Groq key is set.",
            f'Store one on the page Brain, set {GROQ_KEY}, or write provider = "local" under [brain].',
        )
    if brain.provider == "server" and not brain.server_url.strip():
        raise AppError(
            "The settings ask for a server of your own, and no address is set.",
            "Write it as server_url under [brain], such as http://127.0.0.1:11434/v1 for Ollama.",
        )
    if key and brain.provider in ("auto", "groq"):
        timeouts = StreamTimeouts(connect_s=3.0, first_token_s=brain.first_token_s, next_token_s=5.0)
        for model in dict.fromkeys((brain.groq_model, brain.groq_fallback_model)):
            if model:
                groq = GroqChat(
                    key,
                    model,
                    base_url=variables.get("GROQ_BASE_URL") or None,
                    max_tokens=brain.remote_max_tokens,
                    timeouts=timeouts,
                    hint=HINT,
                    on_change=on_change,
                )
                found.append(Candidate(groq, "Groq"))
    if brain.server_url.strip() and brain.provider in ("auto", "server"):
        server = OpenAiChat(
            checked_url(brain.server_url),
            brain.server_model,
            key=variables.get(SERVER_KEY, "").strip(),
            max_tokens=brain.remote_max_tokens,
            timeouts=StreamTimeouts(first_token_s=brain.first_token_s * 10),
            hint=HINT,
            on_change=on_change,
        )
        found.append(Candidate(server, "server"))
    if brain.provider in ("auto", "local"):
        try:
            file = _gguf(store.path(BRAIN_MODEL))
            found.append(Candidate(LlamaServerChat(file, persona=persona, max_tokens=brain.max_tokens), "local"))
        except AppError:
            if not found:
                raise
    return found


def chat_model(
    brain: BrainSettings,
    store: ModelStore,
    persona: str,
    clock: Clock,
    on_change: OnChange,
    environment: dict[str, str] | None = None,
) -> ChatModel:
    """The brain of the settings, not loaded yet. `on_change(name, why)` says when another model answers. As above."""
    found = candidates(brain, store, persona, on_change, environment)
    if len(found) == 1:
        return found[0].model
    return FailoverChat(found, clock, on_change, stand_by=found[-1].provider == "local")


def checked_url(text: str) -> str:
    """A server's address without what people paste behind it; raises AppError for what is none."""
    url = text.strip().rstrip("/").removesuffix("/chat/completions").removesuffix("/models")
    parts = urlsplit(url)
    try:
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or True)
    except ValueError:
        is_address = False
    if not is_address or parts.query or parts.fragment or parts.username:
        raise AppError(
            "server_url under [brain] is no address of a server.",
            "Write it like http://127.0.0.1:11434/v1 (Ollama) or http://127.0.0.1:1234/v1 (LM Studio).",
        )
    return url if parts.path.strip("/") else f"{url}/v1"


@dataclass(frozen=True, slots=True)
class ProviderReport:
    """How one provider is doing. Times in ms, None where they could not be taken."""

    provider: str
    model: str
    reachable: bool
    round_trip_ms: float | None = None
    """Of the list of models, over a connection that is open already; None for the local model."""
    first_token_ms: float | None = None
    """From the question to the first words that can be spoken."""
    problem: str = ""
    remedy: str = ""

    def as_json(self) -> dict[str, Any]:
        """All fields."""
        return asdict(self)


def check(found: Sequence[Candidate], clock: Clock, on_each: Callable[[ProviderReport], None]) -> list[ProviderReport]:
    """Load each candidate, ask it for one short answer, and close it; `on_each` is called as they come.

    Takes seconds and blocks: call it on a thread of its own. Never raises for a provider that fails.
    """
    reports: list[ProviderReport] = []
    for candidate in found:
        reports.append(_check_one(candidate, clock))
        on_each(reports[-1])
    return reports


def _check_one(candidate: Candidate, clock: Clock) -> ProviderReport:
    model = candidate.model
    reached = False
    try:
        model.load()
        reached = True
        round_trip_ms: float | None = None
        ping = getattr(model, "offered", None)
        if ping is not None:
            start_ns = clock.now_ns()
            ping()
            round_trip_ms = _ms(clock.now_ns() - start_ns)
        first_token_ms = _first_token_ms(model, clock)
        if first_token_ms is None:
            raise AppError(f"{model.name} gave an empty answer.", "Choose another model in the settings.")
        return ProviderReport(candidate.provider, model.name, True, round_trip_ms, first_token_ms)
    except AppError as error:
        return ProviderReport(candidate.provider, model.name, reached, problem=error.problem, remedy=error.remedy)
    finally:
        model.close()


def _first_token_ms(model: ChatModel, clock: Clock) -> float | None:
    messages = [
        {"role": "system", "content": CHECK_PERSONA},
        {"role": "user", "content": "Say hello."},
    ]
    start_ns = clock.now_ns()
    said = threading.Event()
    for piece in model.reply(messages, said.is_set):
        if piece.strip() and not said.is_set():
            took_ms = _ms(clock.now_ns() - start_ns)
            said.set()
    return took_ms if said.is_set() else None


def _ms(duration_ns: int) -> float:
    return round(duration_ns / 1e6, 1)


def _gguf(folder: Path) -> Path:
    return next(path for path in sorted(folder.iterdir()) if path.name.endswith(".gguf"))
