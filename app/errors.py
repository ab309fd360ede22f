"""The errors that a user sees."""

from __future__ import annotations

from typing import Literal

Trouble = Literal["key", "model", "limit", "server", "timeout", "unreachable", "broken", "empty", "refused"]
"""What is wrong with a service: its key is refused; it knows no such model; its limit is reached; it has trouble of its
own; it is too slow; nobody is there; it broke off; it said nothing; it refused this question."""


class AppError(Exception):
    """Something went wrong that the user can act on.

    `problem` says what happened and what was expected; `remedy` says what to do next. Neither may hold a key
    or anything that a user said or typed.
    """

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem} {remedy}")
        self.problem = problem
        self.remedy = remedy


class ServiceError(AppError):
    """A service failed. `kind` decides who is asked instead and for how long; `retry_after_s` is its own wish in s."""

    def __init__(self, problem: str, remedy: str, kind: Trouble, retry_after_s: float | None = None) -> None:
        super().__init__(problem, remedy)
        self.kind: Trouble = kind
        self.retry_after_s = retry_after_s
