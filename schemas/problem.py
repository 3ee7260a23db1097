"""Problem documents: how the API says what is wrong (RFC 9457)."""

from pydantic import Field

from schemas.base import Contract

PROBLEM_CONTENT_TYPE = "application/problem+json"


class ProblemError(Contract):
    """One wrong field: ``path`` as in ``actions[1].config.url``."""

    path: str
    message: str


class Problem(Contract):
    """An RFC 9457 problem document; ``errors`` lists each wrong field of a 400."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str = ""
    instance: str | None = None
    errors: list[ProblemError] = Field(default_factory=list)
