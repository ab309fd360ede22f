"""Any server that speaks OpenAI's chat: Ollama, LM Studio, llama.cpp, vLLM and others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import httpx

from app.backends.openai_stream import OpenAiEndpoint, OpenAiStream, StreamTimeouts, status_error, whole_sentences
from app.errors import AppError


class OpenAiChat:
    """A chat model behind `url` (which ends in `/v1`), for example http://127.0.0.1:11434/v1 for Ollama."""

    def __init__(
        self,
        url: str,
        model: str,
        *,
        key: str = "",
        temperature: float = 0.7,
        max_tokens: int = 200,
        timeouts: StreamTimeouts | None = None,
    ) -> None:
        self.name = f"{model} ({httpx.URL(url).host})"
        self._stream = OpenAiStream(
            OpenAiEndpoint(
                name=self.name,
                url=url,
                model=model,
                key=key,
                extra={"temperature": temperature, "max_tokens": max_tokens},
                # A local server may have to load the model first.
                timeouts=timeouts or StreamTimeouts(first_token_s=60.0),
                remedy=f"Start the server at {url}, or choose another brain in the settings.",
            )
        )

    def load(self) -> None:
        """Ask for the list of models: is the server there, and does it take the key?"""
        endpoint = self._stream.endpoint
        headers = {"Authorization": f"Bearer {endpoint.key}"} if endpoint.key else {}
        try:
            response = httpx.get(f"{endpoint.url.rstrip('/')}/models", headers=headers, timeout=5.0)
        except httpx.HTTPError as error:
            raise AppError(f"{self.name} cannot be reached ({type(error).__name__}).", endpoint.remedy) from error
        # Not every server has the list; only a refused key or a broken server means that chat will not work either.
        if response.status_code in (401, 403) or response.status_code >= 500:
            raise status_error(self.name, response.status_code, None, endpoint)

    def reply(self, messages: Sequence[dict[str, str]], should_stop: Callable[[], bool]) -> Iterator[str]:
        """Stream the answer in pieces. Raises AppError."""
        return whole_sentences(self._stream.pieces(messages, should_stop))

    def close(self) -> None:
        """Release the connection."""
        self._stream.close()
