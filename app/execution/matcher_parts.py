"""What the matcher's agent is fed into."""

from asyncio import Event
from dataclasses import dataclass

from app.execution.agent_parts import Parts
from app.execution.matching import Matcher


@dataclass(frozen=True, slots=True, kw_only=True)
class MatcherParts(Parts):
    """What the matcher's agent feeds.

    Attributes:
        caught_up: Set once the workflow table holds what Postgres does; no event is matched before.
    """

    matcher: Matcher
    caught_up: Event
