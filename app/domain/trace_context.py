"""W3C Trace Context: which trace something belongs to, as ``traceparent`` and ``tracestate`` say it. Pure."""

import re
from dataclasses import dataclass
from typing import Final

MAX_STATE_CHARS: Final = 512
MAX_STATE_MEMBERS: Final = 32

_PARENT: Final = re.compile(r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_KEY: Final = r"(?:[a-z0-9][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})"
_MEMBER: Final = re.compile(_KEY + r"=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]")
_OURS: Final = "00"


@dataclass(frozen=True, slots=True)
class TraceContext:
    """A place in a trace: ``traceparent`` names the span that what follows is a child of."""

    traceparent: str
    tracestate: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """The headers that hand it on; fields of slips are called the same."""
        return {"traceparent": self.traceparent, **({"tracestate": self.tracestate} if self.tracestate else {})}


def read_traceparent(text: str) -> str | None:
    """Return a ``traceparent`` as version 00 has it; None where it is none.

    Of a later version the parts that this one knows are taken, as the specification asks for.
    """
    match = _PARENT.fullmatch(text)
    if match is None or (match[1] == _OURS and match[5] is not None):
        return None
    return f"{_OURS}-{match[2]}-{match[3]}-{match[4] if match[1] == _OURS else _sampled(match[4])}"


def read_tracestate(text: str) -> str | None:
    """Return a ``tracestate`` without blanks between its members; None where it is none, or too long to hand on."""
    if len(text) > MAX_STATE_CHARS:
        return None
    members = [member.strip(" \t") for member in text.split(",")]
    named = [member for member in members if member]
    names = {member.partition("=")[0] for member in named}
    if len(named) > MAX_STATE_MEMBERS or len(names) < len(named) or not all(map(_MEMBER.fullmatch, named)):
        return None
    return ",".join(named)


def _sampled(flags: str) -> str:
    return f"{int(flags, 16) & 1:02x}"
