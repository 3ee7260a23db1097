"""Whether the address guard would let a request go where a user's URL leads; asked without sending anything."""

from dataclasses import dataclass
from typing import Literal, Protocol

Verdict = Literal["public", "private", "refused", "unresolved"]


@dataclass(frozen=True, slots=True)
class Reach:
    """What the guard makes of one host.

    Attributes:
        verdict: ``private`` is let through here, because the installation allows it; ``unresolved`` has no address now.
        why: In words; the text of the error where it is refused.
    """

    host: str
    verdict: Verdict
    why: str


class ReachJudge(Protocol):
    """Judges URLs as the guard of webhooks does."""

    @property
    def open_to(self) -> str | None:
        """Which private networks webhooks may reach here, in words; None where they may reach none."""

    async def judge(self, url: str, *, within: float) -> Reach | None:
        """Return the verdict on a rendered URL, looked up for so many seconds at most; None where it names no host."""
