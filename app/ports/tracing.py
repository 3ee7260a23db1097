"""Tracing: what stages say of themselves, and what of it goes along with a slip.

A span is one stage's work on one execution. Where no tracing is set up nothing is recorded, and a trace that an event
came with goes on as it is.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

from app.domain.trace_context import TraceContext

Attribute = str | int | float | bool | Sequence[str]
SpanKind = Literal["consumer", "client"]


class Span(Protocol):
    """One stage's work under way; ``context`` is what its children name as their parent."""

    @property
    def context(self) -> TraceContext | None:
        """What goes along with what follows from it."""

    def note(self, attributes: Mapping[str, Attribute]) -> None:
        """Say more of it."""

    def fail(self, error: str, kind: str) -> None:
        """Say that it failed: why, without secrets, and what kind of failure that is, of a small set."""

    def end(self) -> None:
        """End it, once; what is said later is not recorded."""


class Tracer(Protocol):
    """Records spans. Nothing of it waits for whoever collects them, or raises because of that."""

    @property
    def on(self) -> bool:
        """Whether spans are recorded; else there is no use in making attributes."""

    def start(
        self,
        name: str,
        *,
        kind: SpanKind,
        parent: TraceContext | None,
        attributes: Mapping[str, Attribute],
    ) -> Span:
        """Begin a span; without a parent it begins a trace.

        Args:
            name: What is done, of a small set.
            kind: ``consumer`` of a record, or ``client`` of something outside.
            parent: The span that it follows from.
            attributes: What is known of it.
        """


class NoSpan:
    """A span that is not recorded: what follows goes on with the context that there was."""

    __slots__ = ("context",)

    def __init__(self, context: TraceContext | None = None) -> None:
        self.context = context

    def note(self, attributes: Mapping[str, Attribute]) -> None:
        """Record nothing."""

    def fail(self, error: str, kind: str) -> None:
        """Record nothing."""

    def end(self) -> None:
        """Record nothing."""


class NoTracer:
    """Records nothing."""

    on = False

    def start(
        self,
        name: str,  # noqa: ARG002 - the port's
        *,
        kind: SpanKind,  # noqa: ARG002 - the port's
        parent: TraceContext | None,
        attributes: Mapping[str, Attribute],  # noqa: ARG002 - the port's
    ) -> Span:
        """Begin nothing."""
        return NoSpan(parent)
