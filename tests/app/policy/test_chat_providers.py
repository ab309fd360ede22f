from __future__ import annotations

import pytest

from app.policy.providers import FIRST_REST_S, LIMIT_REST_S, LONGEST_REST_S, ProviderOrder, nearest_model

GROQ = ["Groq", "Groq", "server", "local"]


def test_all_are_asked_in_the_users_order_while_they_work() -> None:
    assert ProviderOrder(GROQ).order(0.0) == [0, 1, 2, 3]


def test_a_refused_key_takes_every_model_of_that_provider_out_until_a_restart() -> None:
    order = ProviderOrder(GROQ)

    order.failed(0, "key", 5.0)

    assert order.order(5.0) == order.order(1e9) == [2, 3]


def test_a_reached_limit_rests_exactly_as_long_as_it_was_told() -> None:
    order = ProviderOrder(GROQ)

    order.failed(0, "limit", 100.0, 7.5)

    assert order.order(107.4) == [1, 2, 3]
    assert order.order(107.5) == [0, 1, 2, 3]


def test_a_limit_is_of_one_model_not_of_its_sibling() -> None:
    order = ProviderOrder(GROQ)

    order.failed(0, "limit", 0.0)

    assert (order.rest_left_s(0, 0.0), order.rest_left_s(1, 0.0)) == (LIMIT_REST_S, 0.0)


def test_one_that_has_trouble_is_asked_last_then_first_again() -> None:
    order = ProviderOrder(["server", "local"])

    order.failed(0, "server", 0.0)

    assert order.order(FIRST_REST_S - 0.1) == [1, 0]
    assert order.order(FIRST_REST_S) == [0, 1]


def test_trouble_that_stays_rests_longer_up_to_a_limit_and_an_answer_ends_it() -> None:
    order = ProviderOrder(["server"])
    rests = []
    for _ in range(8):
        order.failed(0, "timeout", 0.0)
        rests.append(order.rest_left_s(0, 0.0))

    order.worked(0)

    assert rests[:3] == [10.0, 20.0, 40.0]
    assert rests[-1] == LONGEST_REST_S
    assert order.rest_left_s(0, 0.0) == 0.0


def test_an_address_that_does_not_answer_is_not_tried_for_each_of_its_models() -> None:
    order = ProviderOrder(GROQ)

    order.failed(0, "unreachable", 0.0)

    assert order.order(0.0) == [2, 3, 0]
    assert not order.may_ask(1, 0.0)


def test_a_question_that_was_refused_is_no_reason_to_rest() -> None:
    order = ProviderOrder(GROQ)

    order.failed(0, "refused", 0.0)
    order.failed(1, "empty", 0.0)

    assert order.order(0.0) == [0, 1, 2, 3]


OFFERED = ["whisper-large-v3-turbo", "openai/gpt-oss-120b", "qwen/qwen3.6-27b", "canopylabs/orpheus-v1-english"]


@pytest.mark.parametrize(
    ("wanted", "offered", "nearest"),
    [
        ("openai/gpt-oss-20b", OFFERED, "openai/gpt-oss-120b"),
        ("qwen/qwen3-32b", OFFERED, "qwen/qwen3.6-27b"),
        ("qwen/qwen3.6-27b", OFFERED, "qwen/qwen3.6-27b"),
        ("llama3.2", ["mistral:latest", "llama3.2:latest", "llama3.1:8b"], "llama3.2:latest"),
        ("", ["nomic-embed-text:latest", "gemma3:4b"], "gemma3:4b"),
        ("anything", ["/models/SmolLM2-135M.gguf"], "/models/SmolLM2-135M.gguf"),
        ("openai/gpt-oss-20b", ["whisper-large-v3"], None),
        ("openai/gpt-oss-20b", [], None),
    ],
)
def test_the_nearest_model_that_chats_stands_in(wanted: str, offered: list[str], nearest: str | None) -> None:
    assert nearest == nearest_model(wanted, offered)


def test_a_model_that_turned_out_to_be_gone_is_not_chosen_again() -> None:
    assert nearest_model("openai/gpt-oss-120b", OFFERED, frozenset({"openai/gpt-oss-120b"})) == "qwen/qwen3.6-27b"
