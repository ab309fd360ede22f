"""Where ONNX Runtime runs the face."""

from __future__ import annotations

import pytest

from animator.tha3 import providers
from animator.tha3.providers import CPU, describe, open_session, preferred


def test_the_best_provider_comes_first_and_the_cpu_always_last():
    there = [CPU, "AzureExecutionProvider", "OpenVINOExecutionProvider", "CUDAExecutionProvider"]

    assert ["CUDAExecutionProvider", "OpenVINOExecutionProvider", CPU] == preferred(there)


def test_the_cpu_is_tried_even_where_it_is_not_listed():
    assert [CPU] == preferred([])


def test_a_provider_that_fails_is_named_and_the_next_one_runs():
    opened = open_session(providers._probe(), ["CUDAExecutionProvider", CPU])

    assert CPU == opened.provider
    assert 1 == len(opened.failed)
    assert opened.failed[0].startswith("CUDA: ")


def test_a_graph_that_nothing_can_run_says_what_was_tried():
    with pytest.raises(RuntimeError, match="CPU: "):
        open_session(b"no graph", [CPU])


def test_doctor_s_line_names_the_provider():
    assert describe().startswith("ONNX Runtime on ")
