"""The judgement on hostile records: each has its dead letter with its reason, and nobody else has one."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final
from uuid import UUID

import orjson
import psycopg

from app.execution.log_writing import STAYS
from tests.faults.judge import Verdict
from tests.hostile.kinds import Drawn
from tests.hostile.others import FAILED_ROW, UNSTORED
from tests.hostile.sending import Place
from tests.hostile.watch import Memory

_LETTERS = 'SELECT topic, partition, "offset", reason, detail FROM dead_letters WHERE starts_with(topic, %s)'
_FAILED = "SELECT id, error_message FROM automation_logs WHERE id = ANY(%s) AND status = 'failed'"
_KEPT: Final = 60


@dataclass(slots=True)
class Report:
    """What one run came to, as ``build/hostile.json`` holds it.

    Attributes:
        good: Events that must be executed.
        executed: Those of them of which every execution ended as it must.
        lost: Good executions without a row, and their effects that did not happen.
        doubled: What happened twice and does not say so; what happened twice and says so is ``doubled_marked``.
        bad: Hostile records.
        lettered: Those of them that are in the dead letters, once, with their reason; of rows: set aside and shown; of
            what is passed over: counted.
        by_topic: Bad and lettered of each topic.
        kills: Processes that got kill -9.
        restarts_for_crashes: How often roles had to be started again for the crashes planted in them.
        restarts_beyond_kills: How often a role had to be started again for any other reason.
        peak_rss_mb: Of the largest role; ``memory`` has all of them.
        wrong: In words, the first of what is wrong.
    """

    seed: int
    good: int = 0
    executed: int = 0
    lost: int = 0
    doubled: int = 0
    doubled_marked: int = 0
    bad: int = 0
    lettered: int = 0
    kills: int = 0
    restarts_for_crashes: int = 0
    restarts_beyond_kills: int = 0
    peak_rss_mb: float = 0.0
    seconds: float = 0.0
    by_topic: dict[str, dict[str, int]] = field(default_factory=dict)
    restarts: dict[str, int] = field(default_factory=dict)
    memory: dict[str, dict[str, float]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Tell whether nothing stopped and nothing slipped by."""
        return not self.wrong

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)

    def blame(self, what: str) -> None:
        """Note something wrong; the first sixty are kept."""
        if len(self.wrong) < _KEPT:
            self.wrong.append(what)

    def add(self, name: str, bad: int, lettered: int) -> None:
        """Add what was sent to one topic, or of one kind of row, and how much of it was found where it must be."""
        self.bad += bad
        self.lettered += lettered
        self.by_topic[name] = {"bad": bad, "lettered": lettered}

    def take_verdict(self, verdict: Verdict) -> None:
        """Take in what became of the good ones."""
        self.lost, self.doubled = verdict.lost, verdict.duplicated_unmarked
        self.doubled_marked = verdict.duplicated_marked
        for what in verdict.wrong:
            self.blame(what)
        if verdict.disordered:
            self.blame(f"{verdict.disordered} entities have deliveries out of order")

    def take_watch(
        self,
        restarts: Mapping[str, int],
        kills: Mapping[str, int],
        memory: Mapping[str, Memory],
        crashes: Mapping[str, int],
    ) -> None:
        """Take in how the roles fared; ``crashes`` is how often one may die of what is planted in it."""
        self.restarts, self.kills = dict(restarts), sum(kills.values())
        for role, count in restarts.items():
            more = max(0, count - kills.get(role, 0))
            planted = min(more, crashes.get(role, 0))
            self.restarts_for_crashes += planted
            self.restarts_beyond_kills += more - planted
            if more > planted:
                self.blame(f"{role} was started again {more - planted} times more often than it was killed")
        self.memory = {role: asdict(one) for role, one in memory.items()}
        self.peak_rss_mb = max((one.peak for one in memory.values()), default=0.0)
        for role, one in memory.items():
            if not one.flat:
                self.blame(f"{role}'s memory grew from {one.first} to {one.last} MiB")


async def letters(database_url: str, prefix: str) -> dict[Place, list[tuple[str, str]]]:
    """Return reason and detail of every dead letter of our topics, by where its record lies."""
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        rows = await (await connection.execute(_LETTERS, (prefix,))).fetchall()
    found: dict[Place, list[tuple[str, str]]] = defaultdict(list)
    for topic, partition, offset, reason, detail in rows:
        found[topic, partition, offset].append((reason, detail))
    return found


def unstored(places: Mapping[Place, Drawn], log: str) -> dict[Place, list[tuple[str, str]]]:
    """Return which of the records on the topic of dead letters the sink's log (a JSON object a line) calls none."""
    lines = [orjson.loads(line) for line in log.splitlines() if STAYS in line]
    said: set[Place] = {(line["topic"], line["partition"], line["offset"]) for line in lines}
    return {
        place: [(UNSTORED, "")] for place, drawn in places.items() if drawn.kind.reason == UNSTORED and place in said
    }


async def failed_rows(database_url: str, places: Mapping[Place, Drawn]) -> dict[Place, list[tuple[str, str]]]:
    """Return which of the slips that cannot be sent on are in the log as failed, and what it says of each."""
    values = {place: drawn.shot.record.value for place, drawn in places.items() if drawn.kind.reason == FAILED_ROW}
    ids = {UUID(orjson.loads(value or b"{}")["execution_id"]): place for place, value in values.items()}
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        rows = await (await connection.execute(_FAILED, (list(ids),))).fetchall()
    return {ids[one]: [(FAILED_ROW, str(error))] for one, error in rows}


def judge_letters(report: Report, places: Mapping[Place, Drawn], found: Mapping[Place, list[tuple[str, str]]]) -> None:
    """Compare the letters there are with those there must be."""
    bad, lettered = Counter[str](), Counter[str]()
    for place, drawn in places.items():
        bad[place[0]] += 1
        reasons = [reason for reason, _ in found.get(place, ())]
        if reasons == [drawn.kind.reason]:
            lettered[place[0]] += 1
        else:
            where = "/".join(map(str, place))
            report.blame(f"{where}, {drawn.kind.name}: {found.get(place, 'no dead letter')}, not {drawn.kind.reason}")
    for place in found.keys() - places.keys():
        report.blame(f"{'/'.join(map(str, place))} is a dead letter, and was no hostile record: {found[place]}")
    for topic in sorted(bad):
        report.add(topic, bad[topic], lettered[topic])
