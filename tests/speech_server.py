"""A speech server with OpenAI's `/v1/audio/speech` on loopback, on its good and its bad days."""

from __future__ import annotations

import io
import json
import struct
import threading
import wave
from http.server import BaseHTTPRequestHandler
from typing import Any

import numpy as np

from tests.loopback import LoopbackServer, QuietHandler

RATE = 24_000
SECONDS_PER_WORD = 0.4
STATUS = {
    "400": 400,
    "401": 401,
    "403": 403,
    "404": 404,
    "418": 418,
    "422": 422,
    "429": 429,
    "500": 500,
    "503": 503,
    "302": 302,
}
DAYS = (
    "whole",
    "stream",
    "pcm only",
    "flac",
    "float wav",
    "empty",
    "header only",
    "garbage",
    "html",
    "json",
    "half",
    "dies",
    "slow",
    "stalls",
    "huge",
    "endless",
    *STATUS,
)


def sound(text: str) -> bytes:
    """A tone of 220 Hz, s16 at 24 kHz, 0.4 s a word."""
    count = round(SECONDS_PER_WORD * len(text.split()) * RATE)
    return (0.2 * 32767 * np.sin(2 * np.pi * 220 * np.arange(count) / RATE)).astype("<i2").tobytes()


def wav(pcm: bytes) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(pcm)
    return out.getvalue()


def endless_header() -> bytes:
    """As a server writes it that does not know yet how much there will be."""
    form = struct.pack("<IHHIIHH", 16, 1, 1, RATE, 2 * RATE, 2, 16)
    return b"RIFF\xff\xff\xff\xffWAVEfmt " + form + b"data\xff\xff\xff\xff"


class SpeechServer(LoopbackServer):
    """Use as a context manager. `day` says what happens to the next sentences; `asked` holds what was asked for."""

    def __init__(self, day: str = "whole", *, voices: Any = ("af_heart", "jf_alpha"), key: str = "") -> None:
        super().__init__()
        assert day in DAYS
        self.day = day
        self.voices = voices
        self.key = key
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.working = threading.Event()
        """Set once a "slow" or "stalls" sentence has been taken on."""
        self.left = threading.Event()
        """Set when a client closed its connection before the end."""
        self.serve(self._handler())

    @property
    def url(self) -> str:
        return f"{self.root}/v1"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(QuietHandler):
            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except (BrokenPipeError, ConnectionResetError):
                    server.left.set()
                    self.close_connection = True

            def do_GET(self) -> None:
                server.keys.append(self.headers.get("Authorization", ""))
                if self.is_refused():
                    self.json(401, {"error": {"message": "Invalid API Key"}})
                elif self.path == "/v1/models":
                    self.json(200, {"data": [{"id": "kokoro"}]})
                elif self.path == "/v1/audio/voices" and server.voices is not None:
                    self.json(200, {"voices": server.voices})
                else:
                    self.json(404, {"detail": "Not Found"})

            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server.keys.append(self.headers.get("Authorization", ""))
                if self.path != "/v1/audio/speech":
                    self.json(404, {"detail": "Not Found"})
                    return
                server.asked.append(asked)
                if self.is_refused():
                    self.json(401, {"error": {"message": "Invalid API Key"}})
                    return
                day = server.day
                if day in STATUS:
                    self.json(STATUS[day], {"error": {"message": f"bad input: {asked['input']}"}})
                    return
                if day == "pcm only" and asked["response_format"] != "pcm":
                    self.json(400, {"error": "response_format not supported"})
                    return
                self.speak(day, sound(asked["input"]), asked["response_format"])

            def is_refused(self) -> bool:
                return bool(server.key) and self.headers.get("Authorization") != f"Bearer {server.key}"

            def speak(self, day: str, pcm: bytes, form: str) -> None:
                whole = wav(pcm)
                match day:
                    case "whole":
                        self.body(whole if form == "wav" else pcm)
                    case "flac" | "float wav":
                        import soundfile

                        out = io.BytesIO()
                        samples = np.frombuffer(pcm, "<i2") / 32768
                        kind, subtype = ("FLAC", "PCM_16") if day == "flac" else ("WAV", "FLOAT")
                        soundfile.write(out, samples, RATE, format=kind, subtype=subtype)
                        self.chunks(out.getvalue())
                    case "pcm only":
                        self.chunks(pcm, "audio/pcm")
                    case "empty":
                        self.body(b"")
                    case "header only":
                        self.chunks(endless_header())
                    case "garbage":
                        self.body(b"\x13\x37" * 4000)
                    case "html":
                        self.body(b"<html>It works!</html>", "text/html; charset=utf-8")
                    case "json":
                        self.body(b"{}", "application/json")
                    case "half":
                        self.body(whole[: len(whole) // 2])
                    case "huge" | "endless":
                        self.begin("audio/wav" if day == "endless" else "audio/flac")
                        self.chunk(endless_header() if day == "endless" else b"fLaC")
                        for _ in range(2000):
                            self.chunk(sound("one second of it"))
                    case "slow":
                        server.working.set()
                        server.released.wait(20)
                        self.body(whole)
                    case _:
                        self.chunks(endless_header() + pcm, dies=day == "dies", stalls=day == "stalls")

            def body(self, data: bytes, kind: str = "audio/wav") -> None:
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def begin(self, kind: str = "audio/wav") -> None:
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()

            def chunks(self, data: bytes, kind: str = "audio/wav", *, dies: bool = False, stalls: bool = False) -> None:
                """In odd lengths, so that samples and the header are split."""
                self.begin(kind)
                pieces = [data[:20], *(data[at : at + 4801] for at in range(20, len(data), 4801))]
                for i, piece in enumerate(pieces):
                    if i == len(pieces) // 2:
                        if dies:
                            self.close_connection = True
                            self.connection.close()
                            return
                        if stalls:
                            server.working.set()
                            server.released.wait(20)
                    self.chunk(piece)
                self.wfile.write(b"0\r\n\r\n")

            def chunk(self, data: bytes) -> None:
                self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
                self.wfile.flush()

            def json(self, status: int, body: Any) -> None:
                data = json.dumps(body).encode()
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", "http://127.0.0.1:9/elsewhere")
                if status == 429:
                    self.send_header("Retry-After", "7")
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        return Handler
