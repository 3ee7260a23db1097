"""Texts that have to show something: what is called by one that does not cannot be found, or clicked on."""

from typing import Final

from pydantic import AfterValidator

from app.domain.visible import visible_problem


def _visible(text: str) -> str:
    if problem := visible_problem(text):
        raise ValueError(problem)
    return text


# Part of every type of names and titles. A pattern beside it says to other programs what a pattern can say.
VISIBLE: Final = AfterValidator(_visible)
