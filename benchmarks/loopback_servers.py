"""A brain and a voice on loopback that take as long as they are told to: what is measured beside them is ours."""

from __future__ import annotations

import io
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import soundfile

ANSWER = "Oh, that is a good one! I would say it depends on the day, but mostly yes. What do you think?"
VOICE_RATE = 24_000


class LoopbackServers:
    """Use as a context manager; `url` ends in `/v1` and serves both. Each request waits without using the machine."""

    def __init__(self, first_token_ms: float, next_token_ms: float, first_sound_ms: float) -> None:
        self.asked: list[str] = []
        pause = threading.Event()
        asked = self.asked

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *args: Any) -> None:
                """Nothing is logged."""

            def do_GET(self) -> None:
                """The list of models and voices."""
                self.reply("application/json", json.dumps({"data": [{"id": "bench"}], "voices": ["bench"]}).encode())

            def do_POST(self) -> None:
                """A chat, token by token, or a sentence spoken."""
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                asked.append(self.path)
                if self.path.endswith("/audio/speech"):
                    pause.wait(first_sound_ms / 1000)
                    self.reply("audio/wav", _tone(request.get("input", "")))
                    return
                if not request.get("stream"):
                    body = {"choices": [{"message": {"role": "assistant", "content": "ok"}, "finish_reason": "stop"}]}
                    self.reply("application/json", json.dumps(body).encode())
                    return
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Connection", "close")
                self.end_headers()
                pause.wait(first_token_ms / 1000)
                try:
                    for word in ANSWER.split():
                        self.event({"choices": [{"delta": {"content": word + " "}, "finish_reason": None}]})
                        pause.wait(next_token_ms / 1000)
                    self.event({"choices": [{"delta": {}, "finish_reason": "stop"}]})
                    self.wfile.write(b"data: [DONE]\n\n")
                except OSError:
                    pass  # the user went on: nobody wants the rest
                self.close_connection = True

            def event(self, data: dict[str, Any]) -> None:
                """One event of the stream."""
                self.wfile.write(f"data: {json.dumps(data)}\n\n".encode())
                self.wfile.flush()

            def reply(self, kind: str, body: bytes) -> None:
                """A whole answer."""
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> LoopbackServers:
        threading.Thread(target=self._server.serve_forever, name="loopback-servers", daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _tone(text: str) -> bytes:
    seconds = 0.3 + 0.06 * len(text)
    at = np.arange(round(seconds * VOICE_RATE)) / VOICE_RATE
    file = io.BytesIO()
    sound = 0.2 * np.sin(2 * np.pi * 180 * at) * (1 + np.sin(2 * np.pi * 4 * at)) / 2
    soundfile.write(file, sound, VOICE_RATE, "PCM_16", format="WAV")
    return file.getvalue()
