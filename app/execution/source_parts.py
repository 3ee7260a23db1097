"""What the sources' agent is fed into."""

from dataclasses import dataclass

from app.execution.agent_parts import Parts
from app.execution.source_conversion import SourceConversion


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceParts(Parts):
    """What the sources' agent feeds."""

    conversion: SourceConversion
