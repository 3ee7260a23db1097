"""How fast the load went through, where it stood still, and how soon after each fault it had caught up."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from app.services.proving.ledger import Harm, Ledger
from app.services.proving.load import HOOK

_MEDIAN: Final = 0.5
_P99: Final = 0.99
_AFTERWARDS_S: Final = 30.0
# What takes so long, or so many times as long as the run's median, is held up.
_LONG_S: Final = 1.0
_LONG_TIMES: Final = 3.0


@dataclass(frozen=True, slots=True)
class Recovery:
    """How the load came back from a fault.

    Attributes:
        seconds: From the fault's end until all had arrived that was sent before it, and what was sent in the half
            minute after it (until the next fault at most) and took long: a role that was killed is missed by what
            comes then. None: some of it never did.
        back_s: From the fault's beginning until the role had a process again; None: not seen, or it was frozen.
    """

    kind: str
    role: str
    at_s: float
    seconds: float | None
    back_s: float | None


@dataclass(slots=True)
class Timing:
    """The times of a run, in seconds; all are of the webhooks that are sent at once.

    Attributes:
        p50: From sending the event until its webhook arrived, of half of them at most.
        p99: Of 99 in 100.
        longest: Of all.
        stall: The longest time in which none arrived.
        stall_at: When that was, after the load began.
        took: From the first event to the last webhook.
        recoveries: One of each fault.
        by_second: What was sent and what arrived in each second.
    """

    p50: float | None = None
    p99: float | None = None
    longest: float | None = None
    stall: float | None = None
    stall_at: float | None = None
    took: float = 0.0
    recoveries: list[Recovery] = field(default_factory=list)
    by_second: list[tuple[int, int]] = field(default_factory=list)


def timing(ledger: Ledger) -> Timing:
    """Return the times of a run."""
    sent = ledger.sent_at()
    arrived: dict[int, float] = {}
    for one in ledger.arrivals:
        if one.workflow == HOOK and one.number in sent:
            arrived.setdefault(one.number, one.at)
    if not arrived:
        return Timing()
    began = min(sent.values())
    took = [at - sent[number] for number, at in arrived.items()]
    moments = sorted(arrived.values())
    stall, stall_at = max((after - before, before) for before, after in pairwise([began, *moments]))
    return Timing(
        p50=round(quantile(took, _MEDIAN), 4),
        p99=round(quantile(took, _P99), 4),
        longest=round(max(took), 4),
        stall=round(stall, 2),
        stall_at=round(stall_at - began, 1),
        took=round(moments[-1] - began, 1),
        recoveries=_recoveries(ledger.harms, sent, arrived, began),
        by_second=_by_second(list(sent.values()), moments, began),
    )


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value that so large a share of them is at most."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered) - 1e-9) - 1)]


def _recoveries(
    harms: Sequence[Harm], sent: Mapping[int, float], arrived: Mapping[int, float], began: float
) -> list[Recovery]:
    long = max(_LONG_S, _LONG_TIMES * quantile([arrived[number] - sent[number] for number in arrived], _MEDIAN))
    found = []
    for harm in harms:
        next_at = min((one.at for one in harms if one.at > harm.over), default=math.inf)
        until = min(harm.over + _AFTERWARDS_S, next_at)
        seen = {number: arrived.get(number, math.inf) for number, at in sent.items() if at <= harm.over or at < until}
        held_up = [at for number, at in seen.items() if sent[number] <= harm.over or at - sent[number] > long]
        seconds = max((at - harm.over for at in held_up), default=0.0)
        found.append(
            Recovery(
                kind=harm.kind,
                role=harm.role,
                at_s=round(harm.at - began, 1),
                seconds=None if seconds == math.inf else round(max(0.0, seconds), 2),
                back_s=None if harm.back is None else round(harm.back - harm.at, 2),
            )
        )
    return found


def _by_second(sent: Sequence[float], arrived: Sequence[float], began: float) -> list[tuple[int, int]]:
    seconds = int(max([*sent, *arrived]) - began) + 1
    counts = [[0, 0] for _ in range(seconds)]
    for column, moments in enumerate((sent, arrived)):
        for at in moments:
            counts[int(max(0.0, at - began))][column] += 1
    return [(out, came) for out, came in counts]
