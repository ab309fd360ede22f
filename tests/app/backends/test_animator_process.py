"""How the animator process is started."""

from __future__ import annotations

from app.backends.animator_process import worker_environment


def test_the_face_calculates_on_one_thread_unless_the_user_says_otherwise() -> None:
    assert "1" == worker_environment({"PATH": "/bin"})["OPENBLAS_NUM_THREADS"]
    assert "/bin" == worker_environment({"PATH": "/bin"})["PATH"]
    assert "4" == worker_environment({"OPENBLAS_NUM_THREADS": "4"})["OPENBLAS_NUM_THREADS"]
