"""A PulseAudio of the test's own, with sinks that nobody hears, and what was played into them."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

RATE = 48_000
STEREO = "module-null-sink sink_name={name} rate=48000 channels=2 format=float32le"
ANSWER_S = 20.0


def missing() -> str:
    """Why there can be no server here; "" where there can."""
    wanted = ("pulseaudio", "pactl", "parec")
    absent = [name for name in wanted if shutil.which(name) is None]
    if absent:
        return f"not installed: {', '.join(absent)} (apt install pulseaudio pulseaudio-utils libasound2-plugins)"
    if not list(Path("/usr/lib").glob("*/alsa-lib/libasound_module_pcm_pulse.so")):
        return "ALSA's plugin for PulseAudio is not installed (apt install libasound2-plugins)"
    return ""


class SoundServer:
    """Runs in `folder`, apart from the user's own. Its variables are those of this process until `close`."""

    def __init__(self, folder: Path, modules: Sequence[str]) -> None:
        self._folder = folder
        self._modules = list(modules)
        self._process: subprocess.Popen[bytes] | None = None
        variables = {
            "XDG_RUNTIME_DIR": str(folder),
            "PULSE_RUNTIME_PATH": str(folder / "pulse"),
            "PULSE_SERVER": f"unix:{folder / 'native'}",
            "PULSE_STATE_PATH": str(folder / "state"),
        }
        self._before = {name: os.environ.get(name) for name in variables}
        os.environ.update(variables)

    def start(self) -> None:
        """Start it, and return once it answers."""
        (self._folder / "native").unlink(missing_ok=True)
        modules = [f"module-native-protocol-unix auth-anonymous=1 socket={self._folder / 'native'}", *self._modules]
        loads = [f"--load={module}" for module in modules]
        options = ["-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--realtime=no"]
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(["pulseaudio", *options, *loads], stdout=log, stderr=log)
        end_s = time.monotonic() + ANSWER_S
        while subprocess.run(["pactl", "info"], capture_output=True, check=False).returncode != 0:
            assert time.monotonic() < end_s, (self._folder / "server.log").read_text()
            assert self._process.poll() is None, (self._folder / "server.log").read_text()

    def kill(self) -> None:
        """As a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def close(self) -> None:
        """End it and give the variables back."""
        self.kill()
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value

    def sinks(self) -> list[str]:
        """Their names."""
        listed = subprocess.run(["pactl", "list", "short", "sinks"], capture_output=True, text=True, check=True).stdout
        return [line.split("\t")[1] for line in listed.splitlines()]


class Recording:
    """What is played into a sink from now on: (samples, channels) float32."""

    def __init__(self, sink: str, channels: int = 2, *, settle: bool = True) -> None:
        options = ["--raw", "--format=float32le", f"--rate={RATE}", f"--channels={channels}", "--latency-msec=20"]
        command = ["parec", f"--device={sink}.monitor", *options]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self._channels = channels
        self.sounded_s = 0.0
        """When (time.monotonic) the first sound came that is no silence; 0 before."""
        self._bytes = bytearray()
        self._came = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if settle:
            self.wait_for(0.2)

    def _read(self) -> None:
        assert self._process.stdout is not None
        while piece := self._process.stdout.read1(65536):  # type: ignore[attr-defined]
            if not self.sounded_s and any(piece):
                self.sounded_s = time.monotonic()
            with self._came:
                self._bytes += piece
                self._came.notify_all()

    @property
    def seconds(self) -> float:
        """Recorded so far."""
        return len(self._bytes) / 4 / self._channels / RATE

    def wait_for(self, seconds: float) -> None:
        """Wait until so much was recorded since now."""
        wanted_s = self.seconds + seconds
        with self._came:
            assert self._came.wait_for(lambda: self.seconds >= wanted_s, seconds + ANSWER_S), "nothing was recorded"

    def stop(self) -> np.ndarray:
        """Everything."""
        self._process.terminate()
        self._process.wait()
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()
        whole = len(self._bytes) // (4 * self._channels) * 4 * self._channels
        return np.frombuffer(bytes(self._bytes[:whole]), np.float32).reshape(-1, self._channels)


def offset(sound: np.ndarray, of: np.ndarray) -> int:
    """Where in `sound` the noise `of` begins, by cross-correlation (one-dimensional both)."""
    size = 1 << (len(sound) + len(of)).bit_length()
    found = np.fft.irfft(np.fft.rfft(sound, size) * np.conj(np.fft.rfft(of, size)), size)
    at = int(np.argmax(found))
    return at if at < len(sound) else at - size
