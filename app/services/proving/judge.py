"""The recount: what must have come of the events that were sent, against what is found in three other places.

The receiver's own record says what arrived, the CRM what it holds, the execution log what it says. None of them is
believed about the others.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final
from uuid import UUID

from app.services.proving.ledger import Ledger, as_id
from app.services.proving.load import HOOK, Expected, Load
from app.services.proving.timing import Timing, timing

MOST_TOLD: Final = 100


@dataclass(frozen=True, slots=True)
class Found:
    """What the installation says, asked over its API.

    Attributes:
        rows: The log's statuses of each execution of the run's workflows: one, where all is well.
        uncertain: Executions whose webhook the log marks as perhaps made twice; asked only of those that were.
        tags: Of each tag of the run, on how many customers it is; None: the CRM takes no part.
        notes: How many notes there are of each text of the run.
    """

    rows: Mapping[UUID, list[str]]
    uncertain: AbstractSet[UUID] = frozenset()
    tags: Mapping[str, int] | None = None
    notes: Mapping[str, int] | None = None


@dataclass(slots=True)
class Verdict:
    """What a run came to.

    Attributes:
        events: Sent, and taken by the API.
        executions: Rows that the log must have.
        effects: Webhooks, tags and notes that must have happened.
        lost: Rows and effects that are missing.
        twice_unmarked: Rows and effects that are there too often, without a mark, or that nobody asked for.
        twice_marked: Webhooks made again after a crash with the key that they had, and marked ``uncertain``.
        disordered: Entities whose webhooks came in another order than their events.
        failed: Executions that did not end as they must.
        wrong: Each of these, in words; the first hundred.
        timing: How fast it went, and how it came back from faults.
    """

    events: int
    executions: int = 0
    effects: int = 0
    lost: int = 0
    twice_unmarked: int = 0
    twice_marked: int = 0
    disordered: int = 0
    failed: int = 0
    wrong: list[str] = field(default_factory=list)
    timing: Timing = field(default_factory=Timing)

    @property
    def good(self) -> bool:
        """Tell whether what is promised held; of nothing it cannot be told."""
        return self.events > 0 and not (self.lost or self.twice_unmarked or self.disordered or self.failed)

    def blame(self, what: str) -> None:
        """Note something wrong."""
        if len(self.wrong) < MOST_TOLD:
            self.wrong.append(what)

    def miss(self, what: str) -> None:
        """Count something that is missing."""
        self.lost += 1
        self.blame(f"lost: {what}")

    def repeat(self, what: str, times: int = 1) -> None:
        """Count something that is there too often."""
        self.twice_unmarked += times
        self.blame(f"twice, unmarked: {what}")


def judge(load: Load, ledger: Ledger, found: Found) -> Verdict:
    """Return the verdict on a run."""
    verdict = Verdict(len(ledger.sent))
    _judge_rows(verdict, load, ledger.sent, found.rows)
    _judge_webhooks(verdict, load, ledger, found.uncertain)
    for what, held in (("tag", found.tags), ("note", found.notes)):
        if held is not None:
            _judge_own(verdict, what, load.own(ledger.sent), held)
    _judge_order(verdict, ledger)
    verdict.timing = timing(ledger)
    return verdict


def repeated(ledger: Ledger, load: Load) -> set[UUID]:
    """Return the executions whose webhook arrived more than once: those whose marks have to be looked at."""
    seen = Counter(as_id(one.key) for one in ledger.arrivals)
    return {execution for key, execution, _ in load.effects(ledger.sent) if seen[key] > 1}


def _judge_rows(verdict: Verdict, load: Load, sent: range, rows: Mapping[UUID, list[str]]) -> None:
    expected = dict(load.expected(sent))
    first = {execution for number in range(-_TRIED, 0) for execution, _ in load.expected(range(number, number + 1))}
    verdict.executions = len(expected)
    for execution, one in expected.items():
        statuses = rows.get(execution, [])
        if not statuses:
            verdict.miss(f"the log has no row for event {one.number} of workflow {one.workflow}")
        elif len(statuses) > 1:
            verdict.repeat(f"the log has {len(statuses)} rows for event {one.number} of workflow {one.workflow}")
        elif statuses[0] != one.status:
            verdict.failed += 1
            verdict.blame(f"event {one.number} of workflow {one.workflow} is {statuses[0]}, not {one.status}")
    for execution in rows.keys() - expected.keys() - first:
        verdict.repeat(f"the log has execution {execution}, of no event that was sent")


# Events that try the way before the load, at most.
_TRIED: Final = 200


def _judge_webhooks(verdict: Verdict, load: Load, ledger: Ledger, uncertain: AbstractSet[UUID]) -> None:
    seen = Counter(as_id(one.key) for one in ledger.arrivals if one.number >= 0)
    for key, execution, one in load.effects(ledger.sent):
        verdict.effects += 1
        judge_outside(verdict, _named(one), seen.pop(key, 0), marked=execution in uncertain)
    for other, times in seen.items():
        verdict.repeat(f"a webhook that nobody asked for: {other}", times)


def judge_outside(verdict: Verdict, what: str, times: int, *, marked: bool) -> None:
    """Judge an effect outside, which must have happened once; what is marked may have happened again."""
    if not times:
        verdict.miss(what)
    elif times > 1 and marked:
        verdict.twice_marked += times - 1
    elif times > 1:
        verdict.repeat(f"{what}, {times} times", times - 1)


def out_of_order(deliveries: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Return the entities whose first deliveries came out of the order of their events, and where that shows first.

    A repeat is judged elsewhere.
    """
    first: dict[str, dict[int, None]] = defaultdict(dict)
    for entity, number in deliveries:
        first[entity].setdefault(number)
    early = {
        entity: next((after for before, after in pairwise(numbers) if after < before), None)
        for entity, numbers in first.items()
    }
    return {entity: number for entity, number in early.items() if number is not None}


def _judge_order(verdict: Verdict, ledger: Ledger) -> None:
    hooks = [(one.entity, one.number) for one in ledger.arrivals if one.workflow == HOOK and one.number >= 0]
    for entity, number in out_of_order(hooks).items():
        verdict.disordered += 1
        verdict.blame(f"out of order: {entity}, first at event {number}")


def _judge_own(verdict: Verdict, what: str, wanted: Mapping[str, str], held: Mapping[str, int]) -> None:
    verdict.effects += len(wanted)
    for text in wanted:
        times = held.get(text, 0)
        if not times:
            verdict.miss(f"the CRM has no {what} {text}")
        elif times > 1:
            verdict.repeat(f"the CRM has {what} {text} {times} times", times - 1)
    for text in held.keys() - wanted.keys():
        verdict.repeat(f"the CRM has {what} {text}, which nobody asked for")


def _named(one: Expected) -> str:
    return f"the webhook for event {one.number} of workflow {one.workflow}"
