"""The errors that a user sees."""

from __future__ import annotations

from typing import Literal, Self

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

    def kept(self) -> Self:
        """This error, for keeping: without the stack that it came up by, and without what had caused it.

        A stack holds all that its functions worked on. Where one of them also keeps the error, the two hold each other,
        and with them a voice of 200 MB, until Python looks through everything.
        """
        self.__cause__ = self.__context__ = None
        return self.with_traceback(None)

    def again(self) -> Self:
        """The same error for raising, which leaves this one without a stack."""
        copy = type(self).__new__(type(self), *self.args)
        copy.__dict__.update(self.__dict__)
        return copy


class ServiceError(AppError):
    """A service failed. `kind` decides who is asked instead and for how long; `retry_after_s` is its own wish in s."""

    def __init__(self, problem: str, remedy: str, kind: Trouble, retry_after_s: float | None = None) -> None:
        super().__init__(problem, remedy)
        self.kind: Trouble = kind
        self.retry_after_s = retry_after_s
