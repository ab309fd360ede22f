"""An AllTalk server on loopback, version 1 or 2, with the quirks of the real ones.

Written from what the real servers were seen to do: absolute addresses with 0.0.0.0 (1), 500s for text without a word,
a stream whose header says 0 frames, a stop flag that stays set until the next stream trips over it, "No Voices Found",
a validation that refuses what it does not know, and a filter that deletes characters without leaving a space.
"""

from __future__ import annotations

import io
import json
import re
import struct
import threading
import urllib.parse
import wave
from http.server import BaseHTTPRequestHandler
from typing import Any

import numpy as np

from tests.loopback import LoopbackServer, QuietHandler

LANGUAGES = set(re.findall(r"\S+", "auto ar zh-cn zh cs nl en fr de hu hi it ja ko pl pt ru es tr"))
V1_FIELDS = re.findall(
    r"\S+",
    "text_input text_filtering character_voice_gen narrator_enabled narrator_voice_gen text_not_inside language "
    "output_file_name output_file_timestamp autoplay autoplay_volume",
)
FILTERED = re.compile(r"[^a-zA-Z0-9\s.,;:!?\-'\"$\u0400-\u04ff\u00c0-\u017f\u0900-\u097f“”‘’\u4e00-\u9fff]")
DAYS = (
    "good",
    "500",
    "400",
    "422",
    "half wav",
    "empty wav",
    "not a wav",
    "lost file",
    "no json",
    "huge",
    "slow",
    "dies",
    "dies in the file",
    "dies in the stream",
    "header only",
    "evil name",
    "stereo 44.1",
)


def tone(seconds: float, rate: int = 24_000) -> np.ndarray:
    return 0.2 * np.sin(2 * np.pi * 220 * np.arange(round(seconds * rate)) / rate)


def wav(samples: np.ndarray, rate: int = 24_000, channels: int = 1) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.repeat(samples[:, None], channels, 1) * 32767).astype("<i2").tobytes())
    return out.getvalue()


class AllTalkServer(LoopbackServer):
    """Use as a context manager. `day` says what happens to the next sentences; `said` holds what was generated."""

    def __init__(
        self,
        version: int = 2,
        *,
        engine: str = "xtts",
        voices: tuple[str, ...] = ("female_01.wav", "male_01.wav", "latent:anna.json"),
        day: str = "good",
        ready: bool = True,
    ) -> None:
        super().__init__()
        self.version = version
        self.engine = engine
        self.voices = voices
        self.day = day
        self.is_ready = threading.Event()
        if ready:
            self.is_ready.set()
        self.said: list[dict[str, str]] = []
        self.streamed: list[dict[str, str]] = []
        self.spoken_text: list[str] = []
        """What is left of each text after the filter that was asked for."""
        self.requests: list[str] = []
        self.working = threading.Event()
        """Set while "slow" waits."""
        self.stop_flag = False
        self.is_streaming = 0
        self.stream_locked = False
        """Version 1: a client that went away leaves it set."""
        self.parallel = self.most_parallel = 0
        self._files: dict[str, bytes] = {}
        self._lock = threading.Lock()
        self.serve(self._handler())

    @property
    def url(self) -> str:
        return self.root

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(QuietHandler):
            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            # What both sides ask

            def do_GET(self) -> None:
                url = urllib.parse.urlsplit(self.path)
                query = dict(urllib.parse.parse_qsl(url.query))
                server.requests.append(f"GET {url.path}")
                match url.path:
                    case "/api/ready":
                        # Version 1 loads before it listens, version 2 answers "Unloaded" where its engine failed.
                        if server.is_ready.is_set():
                            self.text(200, "Ready")
                        else:
                            self.text(200, "Unloaded") if server.version == 2 else self.text(503, "")
                    case "/api/voices":
                        names = list(server.voices) or ["No Voices Found"]
                        self.json(
                            200, {"status": "success", "voices": names} if server.version == 2 else {"voices": names}
                        )
                    case "/api/rvcvoices" if server.version == 2:
                        self.json(200, {"status": "success", "rvcvoices": ["Disabled", "anna\\anna.pth"]})
                    case "/api/currentsettings":
                        self.json(200, server.settings())
                    case "/api/tts-generate-streaming":
                        self.stream(query)
                    case path if path.startswith(("/audio/", "/audiocache/")):
                        self.file(path.rsplit("/", 1)[1])
                    case _:
                        self.json(404, {"detail": "Not Found"})

            def do_PUT(self) -> None:
                server.requests.append(f"PUT {self.path}")
                if self.path == "/api/stop-generation":
                    # Always set, whether anything runs or not; only an XTTS stream looks at it.
                    server.stop_flag = True
                    self.json(200, {"message": "Cancelling current TTS generation"})
                else:
                    self.json(404, {"detail": "Not Found"})

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                server.requests.append(f"POST {self.path}")
                if self.path != "/api/tts-generate":
                    self.json(404, {"detail": "Not Found"})
                    return
                form = dict(urllib.parse.parse_qsl(body, keep_blank_values=True))
                if self.headers.get_content_type() != "application/x-www-form-urlencoded":
                    form = {}
                with server._lock:
                    server.parallel += 1
                    server.most_parallel = max(server.most_parallel, server.parallel)
                try:
                    self.generate(form)
                finally:
                    with server._lock:
                        server.parallel -= 1

            # Speaking

            def generate(self, form: dict[str, str]) -> None:
                required = V1_FIELDS if server.version == 1 else ["text_input"]
                missing = [name for name in required if not form.get(name)]
                if missing or server.day == "422":
                    self.json(422, {"detail": [{"loc": ["body", name], "msg": "field required"} for name in missing]})
                    return
                problem = server.problem_of(form)
                if problem or server.day == "400":
                    self.json(400, {"error": problem or "Invalid value"})
                    return
                server.said.append(form)
                text = form["text_input"]
                if form.get("text_filtering", "standard") != "none":
                    text = FILTERED.sub("", text)
                server.spoken_text.append(text)
                day = server.day
                if day == "slow":
                    server.working.set()
                    server.released.wait(20)
                if day == "dies":
                    self.close_connection = True
                    self.connection.close()
                    return
                if day == "500" or not re.search(r"\w", text):
                    self.fail_500()
                    return
                if day == "no json":
                    self.text(200, "<html>It works!</html>")
                    return
                name = f"{form.get('output_file_name', 'myoutputfile')}.wav"
                rate, channels = (44_100, 2) if day == "stereo 44.1" else (24_000, 1)
                data = wav(tone(0.08 * max(1, len(text.split())) + 0.2, rate), rate, channels)
                if day == "half wav":
                    data = data[: len(data) // 2]
                elif day == "empty wav":
                    data = wav(np.zeros(0))
                elif day == "not a wav":
                    data = b"<html>" * 50
                if day != "lost file":
                    server._files[name] = data
                shown = "..%2F..%2Fetc/passwd" if day == "evil name" else name
                if server.version == 1:
                    base = f"http://0.0.0.0:{server.port}"
                    answer = {
                        "status": "generate-success",
                        "output_file_path": f"C:\\alltalk\\outputs\\{shown}",
                        "output_file_url": f"{base}/audio/{shown}",
                        "output_cache_url": f"{base}/audiocache/{shown}",
                    }
                else:
                    answer = {
                        "status": "generate-success",
                        "output_file_path": f"/alltalk/outputs/{shown}",
                        "output_file_url": f"/audio/{shown}",
                        "output_cache_url": f"/audiocache/{shown}",
                    }
                self.json(200, answer)

            def fail_500(self) -> None:
                if server.version == 1:
                    self.json(500, {"status": "generate-failure", "error": "An error occurred"})
                else:
                    self.json(500, {"detail": "you said: secret words"})

            def file(self, name: str) -> None:
                data = server._files.get(name)
                if data is None:
                    self.json(404, {"detail": "File not found"})
                    return
                self.send_response(200)
                self.send_header("Content-Type", "audio/wav")
                if server.day == "huge":
                    self.send_header("Connection", "close")
                    self.end_headers()
                    self.close_connection = True
                    for _ in range(2000):
                        self.wfile.write(b"\0" * 65536)
                    return
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                if server.day == "dies in the file":
                    self.wfile.write(data[: len(data) // 2])
                    self.wfile.flush()
                    self.close_connection = True
                    self.connection.close()
                    return
                self.wfile.write(data)

            def stream(self, query: dict[str, str]) -> None:
                if set(query) != {"text", "voice", "language", "output_file"}:
                    self.json(422, {"detail": "field required"})
                    return
                if server.version == 2 and server.engine != "xtts":
                    self.json(400, {"error": "Invalid value: Streaming not supported by current TTS engine"})
                    return
                if server.version == 2 and query["voice"].startswith("latent:"):
                    self.text(500, "Internal Server Error")
                    return
                if problem := server.problem_of({"character_voice_gen": query["voice"], "language": query["language"]}):
                    self.json(400, {"error": problem})
                    return
                server.streamed.append(query)
                self.send_response(200)
                self.send_header("Content-Type", "audio/wav")
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                server.is_streaming += 1
                server.stream_locked = True
                left = True
                try:
                    left = self.send_stream(query)
                finally:
                    server.is_streaming -= 1
                    # Version 1 has no `finally` here: a client that leaves keeps the lock set.
                    if server.version == 2 or not left:
                        server.stream_locked = False

            def send_stream(self, query: dict[str, str]) -> bool:
                """Whether the client went away."""
                header = (
                    b"RIFF"
                    + struct.pack("<I", 36)
                    + b"WAVEfmt "
                    + struct.pack("<IHHIIHH", 16, 1, 1, 24_000, 48_000, 2, 16)
                )
                self.chunk(header + b"data" + struct.pack("<I", 0))
                sound = (tone(0.4 * len(query["text"].split())) * 32767).astype("<i2").tobytes()
                pieces = (
                    [] if server.day == "header only" else [sound[at : at + 4801] for at in range(0, len(sound), 4801)]
                )
                for i, piece in enumerate(pieces):
                    # Checked between chunks only, and cleared only here: set too late, it stays for the next stream.
                    if server.stop_flag:
                        server.stop_flag = False
                        break
                    if i == 9 and server.day == "dies in the stream":
                        self.close_connection = True
                        self.connection.close()
                        return True
                    if i == 3 and server.day == "slow":
                        server.working.set()
                        for _ in range(2000):
                            if server.released.wait(0.01) or server.stop_flag:
                                break
                    self.chunk(piece)
                self.wfile.write(b"0\r\n\r\n")
                return False

            def chunk(self, data: bytes) -> None:
                self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
                self.wfile.flush()

            def text(self, status: int, text: str) -> None:
                self.send(status, text.encode(), "text/plain")

            def json(self, status: int, body: Any) -> None:
                self.send(status, json.dumps(body).encode(), "application/json")

            def send(self, status: int, data: bytes, kind: str) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        return Handler

    def settings(self) -> dict[str, Any]:
        if self.version == 1:
            return {
                "models_available": [{"name": "Coqui", "model_name": "API TTS"}],
                "current_model_loaded": "XTTSv2 Local",
                "deepspeed_available": False,
                "deepspeed_status": False,
                "low_vram_status": False,
                "finetuned_model": False,
            }
        return {
            "engines_available": ["f5tts", "parler", "piper", "vits", "xtts"],
            "current_engine_loaded": self.engine,
            "models_available": [{"name": "xtts - xttsv2_2.0.3"}],
            "current_model_loaded": "xtts - xttsv2_2.0.3",
            "manufacturer_name": "Coqui",
            "audio_format": "wav",
            "streaming_capable": self.engine == "xtts",
            "pitch_capable": False,
        }

    def problem_of(self, form: dict[str, str]) -> str:
        """What the real validation would refuse."""
        voice = form.get("character_voice_gen")
        if voice is not None and voice not in self.voices:
            return f"Invalid value: The voice {voice} does not exist"
        language = form.get("language", "en")
        if language not in LANGUAGES or (self.version == 1 and language in ("auto", "zh")):
            return "Invalid value: language"
        name = form.get("output_file_name", "x")
        if not re.fullmatch(r"[a-zA-Z0-9_]+", name):
            return "Invalid value: output_file_name"
        if len(form.get("text_input", "x")) > 2000:
            return "Invalid value: too long"
        if not 0.25 <= float(form.get("speed", "1")) <= 2.0:
            return "Invalid value: speed"
        return ""
