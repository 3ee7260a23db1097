"""A tracer that keeps its spans, for tests of what records them; it holds to the same contract as the real one."""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from app.domain.trace_context import TraceContext
from app.ports.tracing import Attribute, SpanKind


@dataclass
class MemorySpan:
    """A span; ``parent`` is the whole context that it was begun with."""

    name: str
    kind: SpanKind
    parent: TraceContext | None
    trace_id: str
    span_id: str
    flags: str
    began_at: float
    attributes: dict[str, Attribute]
    error: str | None = None
    ended_at: float | None = None

    @property
    def context(self) -> TraceContext:
        state = "" if self.parent is None else self.parent.tracestate
        return TraceContext(f"00-{self.trace_id}-{self.span_id}-{self.flags}", state)

    @property
    def parent_id(self) -> str | None:
        """The id of the span that this one is a child of."""
        return None if self.parent is None else self.parent.traceparent.split("-")[2]

    def note(self, attributes: Mapping[str, Attribute]) -> None:
        if self.ended_at is None:
            self.attributes |= attributes

    def fail(self, error: str, kind: str) -> None:
        if self.ended_at is None:
            self.error = error
            self.attributes["error.type"] = kind

    def end(self) -> None:
        if self.ended_at is None:
            self.ended_at = time.time()


@dataclass
class MemoryTracer:
    """Keeps every span that was begun, in order; one whose parent is not sampled is begun and not kept."""

    on: bool = True
    spans: list[MemorySpan] = field(default_factory=list)

    def start(
        self,
        name: str,
        *,
        kind: SpanKind,
        parent: TraceContext | None,
        attributes: Mapping[str, Attribute],
    ) -> MemorySpan:
        trace, flags = secrets.token_hex(16), "01"
        if parent is not None:
            _, trace, _, flags = parent.traceparent.split("-")
        made = MemorySpan(name, kind, parent, trace, secrets.token_hex(8), flags, time.time(), dict(attributes))
        if int(flags, 16) & 1:
            self.spans.append(made)
        return made

    def named(self, name: str) -> MemorySpan:
        """The one span of a name."""
        (found,) = [span for span in self.spans if span.name == name]
        return found
