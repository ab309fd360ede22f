"""What is said where MuseTalk cannot go on. Loads no PyTorch."""

from __future__ import annotations


class MuseFailed(RuntimeError):
    """The card failed: `problem` says why in words for the user, `remedy` what to do about it.

    `is_memory`: it has too little memory, and works otherwise.
    """

    def __init__(self, problem: str, remedy: str, *, is_memory: bool = False) -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy
        self.is_memory = is_memory
