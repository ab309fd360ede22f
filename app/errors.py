"""The errors that a user sees."""

from __future__ import annotations


class AppError(Exception):
    """Something went wrong that the user can act on.

    `problem` says what happened and what was expected; `remedy` says what to do next. Neither may hold a key
    or anything that a user said or typed.
    """

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem} {remedy}")
        self.problem = problem
        self.remedy = remedy
