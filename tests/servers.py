"""A chat server on loopback that speaks like OpenAI's and Groq's, good days and bad days."""

from __future__ import annotations

import email
import json
import threading
from typing import Any

from tests.loopback import LoopbackServer, QuietHandler

DAYS = (
    *("good", "401", "403", "404", "429", "500", "503", "cut", "error event", "empty", "slow", "stall", "length"),
    *("garbage", "hang up", "reasoning", "think", "only think", "cut at once"),
)


class ChatServer(LoopbackServer):
    """Use as a context manager. `day` says what happens to the next requests; `seen` holds what was asked."""

    def __init__(self, day: str = "good", answer: str = "Hello there, my friend. How are you today?") -> None:
        super().__init__()
        self.day = day
        self.answer = answer
        self.models: list[str] = []
        """What the list of models holds; a chat with any other is answered by 404. Empty: any model is there."""
        self.retry_after: str | None = "7"
        """The header that comes with 429."""
        self.hang_ups = 0
        """So many of the next chats are hung up on without a word, as an idle connection is."""
        self.segments: list[dict[str, Any]] | None = None
        """Those of a transcription; None: one with the whole answer, of which the model is sure."""
        self.language = "English"
        """What a transcription says was spoken."""
        self.seen: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.disconnected = threading.Event()
        """Set when a client went away before the end."""
        server = self

        class Handler(QuietHandler):
            def do_GET(self) -> None:
                server.keys.append(self.headers.get("Authorization", ""))
                if server.day in ("401", "403", "404", "500"):
                    self.fail(int(server.day))
                    return
                listed = [{"id": m, "object": "model", "created": 1, "owned_by": "x"} for m in server.models]
                self.send_json(200, {"object": "list", "data": listed})

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                server.keys.append(self.headers.get("Authorization", ""))
                is_sound = self.path.endswith("/audio/transcriptions")
                fields = self.form(body) if is_sound else json.loads(body)
                server.seen.append({"path": self.path, **fields})
                try:
                    if is_sound:
                        self.answer_sound(server.day)
                    else:
                        self.answer_chat(server.day)
                except (BrokenPipeError, ConnectionResetError):
                    server.disconnected.set()

            def form(self, body: bytes) -> dict[str, Any]:
                """The fields of multipart/form-data; files as (name, bytes)."""
                head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
                fields: dict[str, Any] = {}
                for part in email.message_from_bytes(head + body).get_payload():
                    data = part.get_payload(decode=True)
                    name = part.get_param("name", header="content-disposition")
                    fields[name] = (part.get_filename(), data) if part.get_filename() else data.decode()
                return fields

            def answer_sound(self, day: str) -> None:
                if day == "hang up":
                    self.close_connection = True
                elif day.isdigit():
                    self.fail(int(day))
                else:
                    if day == "slow":
                        server.released.wait(20)
                    whole = {"start": 0, "end": 2, "text": " " + server.answer, "no_speech_prob": 0.01}
                    segments = server.segments or [{**whole, "avg_logprob": -0.2, "compression_ratio": 1.1}]
                    text = "".join(segment["text"] for segment in segments)
                    answer = {"task": "transcribe", "language": server.language, "duration": 2.0, "text": text}
                    self.send_json(200, ["<html>"] if day == "garbage" else {**answer, "segments": segments})

            def answer_chat(self, day: str) -> None:
                if server.models and server.seen[-1]["model"] not in server.models:
                    day = "404"
                if server.hang_ups:
                    server.hang_ups -= 1
                    day = "hang up"
                if day == "hang up":
                    self.close_connection = True
                    return
                if day.isdigit():
                    self.fail(int(day))
                    return
                if day == "slow":
                    server.released.wait(20)
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Connection", "close")
                self.end_headers()
                self.close_connection = True
                if day == "garbage":
                    self.wfile.write(b"data: <html>\n\n")
                    return
                self.event({"delta": {"role": "assistant", "content": ""}})
                if day == "reasoning":
                    for field in ("reasoning", "reasoning_content"):
                        self.event({"delta": {field: "The user greets me, so I "}})
                if day in ("think", "only think"):
                    for piece in ("<thi", "nk>The user greets", " me, so I ", "</th", "ink>\n\n"):
                        self.event({"delta": {"content": piece}})
                if day == "cut at once":
                    return
                words = [] if day in ("empty", "only think") else server.answer.split(" ")
                for i, word in enumerate(words):
                    if i == 4 and day == "cut":
                        return
                    if i == 4 and day == "error event":
                        self.wfile.write(b'data: {"error": {"message": "secret words", "type": "server_error"}}\n\n')
                        return
                    if i == 4 and day == "stall":
                        for _ in range(2000):
                            if server.released.wait(0.01):
                                break
                            # A comment, as real servers send them: it shows when the client is gone.
                            self.wfile.write(b": \n\n")
                    self.event({"delta": {"content": ("" if i == 0 else " ") + word}})
                self.event({"delta": {}, "finish_reason": "length" if day == "length" else "stop"})
                self.wfile.write(b"data: [DONE]\n\n")

            def event(self, choice: dict[str, Any]) -> None:
                event = {
                    "id": "c",
                    "object": "chat.completion.chunk",
                    "created": 1,
                    "model": "m",
                    "choices": [{"index": 0, "finish_reason": None, **choice}],
                }
                self.wfile.write(f"data: {json.dumps(event)}\n\n".encode())
                self.wfile.flush()

            def fail(self, status: int) -> None:
                error = {"error": {"message": "you said: secret words", "type": "x", "code": "x"}}
                self.send_json(
                    status, error, {"retry-after": server.retry_after} if status == 429 and server.retry_after else {}
                )

            def send_json(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

        self.serve(Handler)

    @property
    def url(self) -> str:
        return f"{self.root}/v1"
