"""`python -m app.backends.llama_server --model FILE`: llama.cpp's own server, alone in its process.

Prints one line of JSON, {"url": …, "key": …}, once the model is loaded, and ends when its standard input closes, so
that it never outlives the app. Listens on 127.0.0.1 only, on a free port, behind a random key: a web page that is open
in a browser of this computer could otherwise talk to it. Where even loopback is switched off (a sandbox without any
network), it listens on a Unix socket in a folder of its own, and the url begins with unix://.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import secrets
import shutil
import socket
import sys
import tempfile

from animator.priority import GIVES_WAY_TO_THE_VOICE

LOOPBACK = "127.0.0.1"


def loopback_works() -> bool:
    """Whether this computer can talk to itself over 127.0.0.1; also true where there is no other way."""
    if not hasattr(socket, "AF_UNIX"):
        return True
    try:
        with socket.create_server((LOOPBACK, 0)) as server, socket.create_connection(server.getsockname(), 1.0):
            return True
    except OSError:
        return False


def default_threads() -> int:
    """Half the cores, one to four.

    Threads of llama.cpp wait for each other at every layer. On two cores that others use as well, two of them took
    minutes for an answer that one gave in two seconds (measured beside one and two busy loops).
    """
    return min(4, max(1, (os.cpu_count() or 2) // 2))


def main(arguments: list[str] | None = None) -> int:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--threads", type=int, default=default_threads())
    parser.add_argument("--context", type=int, default=2048)
    options = parser.parse_args(arguments)
    with contextlib.suppress(OSError, AttributeError):
        os.nice(GIVES_WAY_TO_THE_VOICE)
    # The library writes what it likes to both outputs; the one line that the parent waits for goes out alone.
    answer = os.fdopen(os.dup(1), "w")
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)

    import xllamacpp

    key = secrets.token_urlsafe(24)
    params = xllamacpp.CommonParams()
    params.model.path = options.model
    params.n_ctx = options.context
    params.n_parallel = 1
    params.cpuparams.n_threads = options.threads
    params.cpuparams_batch.n_threads = options.threads
    folder = None if loopback_works() else tempfile.mkdtemp(prefix="kuchipaku-")
    params.hostnames = [f"{folder}/chat.sock" if folder else LOOPBACK]
    params.port = 0
    params.api_keys = [key]
    params.cors_origins = "http://127.0.0.1"
    params.offline = True
    params.ui = False
    params.endpoint_slots = False
    params.verbosity = 0
    # MiB of prompts kept besides the one in use; the default of 8 GiB is for servers.
    params.cache_ram_mib = 64
    server = xllamacpp.Server(params)
    answer.write(json.dumps({"url": server.listening_address, "key": key}) + "\n")
    answer.flush()
    sys.stdin.buffer.read()
    if folder:
        shutil.rmtree(folder, ignore_errors=True)
    # The server's own shutdown waits for a request that may still be running; the system takes everything back at once.
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
