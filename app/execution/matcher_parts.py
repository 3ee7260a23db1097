"""What the matcher's agent is fed into."""

from dataclasses import dataclass

from app.execution.agent_parts import Parts
from app.execution.matching import Matcher


@dataclass(frozen=True, slots=True, kw_only=True)
class MatcherParts(Parts):
    """What the matcher's agent feeds."""

    matcher: Matcher
