"""What the sink's agents are fed into."""

from dataclasses import dataclass

from app.execution.agent_parts import Parts
from app.execution.log_writing import DeadLetterSink, Sink


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkParts(Parts):
    """What the sink's two agents feed."""

    executions: Sink
    dead_letters: DeadLetterSink
