"""The judgement: every expected execution has one row, every effect happened, twice only where it is marked."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID

import psycopg

from app.embedded.mail import Mailbox
from app.embedded.webhook_receiver import WebhookReceiver
from app.services.proving.judge import out_of_order
from tests.faults.job import SOURCE, Job
from tests.support.worker_process import WorkerProcess

_ROWS = """
    SELECT id, status, actions_executed, extract(epoch FROM executed_at)
           + coalesce(execution_duration_ms, 0) / 1000.0 - extract(epoch FROM (trigger_event->>'time')::timestamptz)
    FROM automation_logs WHERE trigger_event->>'source' = ANY(%s) AND event_id LIKE %s
"""


@dataclass(slots=True)
class Verdict:
    """What one run came to.

    Attributes:
        expected: Executions expected.
        rows: Rows found for them.
        lost: Executions without a row, effects that did not happen, and workflows that do not run as changed.
        duplicated_marked: Outside effects that happened twice, with one key, and say so in the log.
        duplicated_unmarked: Those that do not say so; rows and own effects that are there twice.
        uncertain: Results whose effect may have happened twice, as the log says.
        disordered: Entities whose deliveries were not in order.
        ordered: Whether order is promised under this fault.
        recovery_s: From the end of the fault to the log having caught up.
        slowest_s: Longest time from an event to the end of its execution.
        kills: How many processes got kill -9.
        changes: Changes of workflows that the API answered meanwhile.
        wrong: In words, the first of what is wrong.
    """

    name: str
    seed: int
    expected: int = 0
    rows: int = 0
    lost: int = 0
    duplicated_marked: int = 0
    duplicated_unmarked: int = 0
    uncertain: int = 0
    disordered: int = 0
    recovery_s: float = 0.0
    slowest_s: float = 0.0
    kills: int = 0
    changes: int = 0
    ordered: bool = True
    wrong: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Tell whether the promise held."""
        return not (self.lost or self.duplicated_unmarked or (self.ordered and self.disordered) or self.wrong)

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)

    def blame(self, what: str) -> None:
        """Note something wrong; the first twenty are kept."""
        if len(self.wrong) < 20:
            self.wrong.append(what)


async def judge(verdict: Verdict, job: Job, database_url: str, receiver: WebhookReceiver, mailbox: Mailbox) -> None:
    """Compare what there is with what must be, and write it into ``verdict``."""
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        rows = await (await connection.execute(_ROWS, ([SOURCE, *job.sources.values()], f"{job.name}-%"))).fetchall()
        judge_rows(verdict, job, rows)
        uncertain = {(row[0], result["step"]) for row in rows for result in row[2] if result.get("uncertain")}
        verdict.uncertain = len(uncertain)
        hooks = [(delivery.key, delivery.json()) for delivery in receiver.deliveries]
        judge_outside(verdict, job.effects("big"), (key for key, _ in hooks), uncertain)
        mails = (mail.message_id.strip("<>").partition("@")[0] for mail in mailbox.mails)
        judge_outside(verdict, job.effects("mail"), mails, uncertain)
        judge_order(verdict, [(body["entity"], int(body["n"])) for _, body in hooks if isinstance(body, dict)])
        await _judge_own(verdict, job, connection, rows)


def judge_rows(verdict: Verdict, job: Job, rows: list[Any]) -> None:
    """Each expected execution has one row with the status that it must have, and nothing else has one."""
    expected = {execution: status for execution, _, _, status in job.expected()}
    found = Counter(row[0] for row in rows)
    verdict.expected, verdict.rows = len(expected), sum(found.values())
    verdict.slowest_s = round(max((float(row[3]) for row in rows), default=0.0), 2)
    for execution in expected.keys() - found.keys():
        verdict.lost += 1
        verdict.blame(f"no row for execution {execution}")
    for execution, count in found.items():
        if count > 1 or execution not in expected:
            verdict.duplicated_unmarked += 1
            verdict.blame(f"{count} rows for execution {execution}")
    for row in rows:
        if row[1] != expected.get(row[0]):
            verdict.blame(f"execution {row[0]} is {row[1]}, not {expected.get(row[0])}: {row[2]}")


def judge_outside(
    verdict: Verdict,
    effects: dict[UUID, tuple[UUID, int]],
    keys: Iterable[str],
    uncertain: set[tuple[UUID, int]],
) -> None:
    """Each effect outside has happened, and twice only where its row says that it may have.

    Args:
        verdict: Takes what is found.
        effects: By command, its execution and the number of its event.
        keys: Of all that arrived, in any order.
        uncertain: Executions and steps whose rows say so.
    """
    seen = Counter(UUID(key) for key in keys)
    for command, (execution, n) in effects.items():
        count = seen.pop(command, 0)
        if not count:
            verdict.lost += 1
            verdict.blame(f"event {n}: the effect of command {command} did not happen")
        elif count > 1 and (execution, 0) in uncertain:
            verdict.duplicated_marked += count - 1
        elif count > 1:
            verdict.duplicated_unmarked += count - 1
            verdict.blame(f"event {n}: the effect of command {command} happened {count} times, unmarked")
    for command in seen:
        verdict.duplicated_unmarked += 1
        verdict.blame(f"an effect that nobody asked for: {command}")


def judge_order(verdict: Verdict, deliveries: list[tuple[str, int]]) -> None:
    """Each entity's first deliveries must have come in the order of its events; a repeat is judged elsewhere."""
    for entity in out_of_order(deliveries):
        verdict.disordered += 1
        if verdict.ordered:
            verdict.blame(f"{entity}: deliveries out of order")


def judge_recovery(verdict: Verdict, limit_s: float) -> None:
    """The log has caught up within so many seconds of the end of the last fault."""
    if verdict.recovery_s > limit_s:
        verdict.blame(f"recovered after {verdict.recovery_s} s, not within {limit_s:g} s")


def judge_endings(verdict: Verdict, workers: Iterable[WorkerProcess]) -> None:
    """Every process runs when all is over: none ended by itself, by its watchdog or a crash, for a fault outside."""
    for worker in workers:
        if worker.pid is None:
            last = next(iter(worker.log_tail(1).splitlines()), "")
            verdict.blame(f"{worker.name} has ended by itself with {worker.exit_code}: {last}")


async def _judge_own(verdict: Verdict, job: Job, connection: psycopg.AsyncConnection[Any], rows: list[Any]) -> None:
    """Tags are unique to their event, so a second application would have found the tag there."""
    big, wanted = job.effects("big", 2), job.tags()
    tags = {row[0] for row in await (await connection.execute("SELECT tag FROM crm.tags")).fetchall()}
    notes = {row[0] for row in await (await connection.execute("SELECT note_id FROM crm.notes")).fetchall()}
    for missing in (wanted - tags) | (big.keys() - notes):
        verdict.lost += 1
        verdict.blame(f"missing in the CRM: {missing}")
    for extra in (tags - wanted) | (notes - big.keys()):
        verdict.duplicated_unmarked += 1
        verdict.blame(f"nobody asked for it in the CRM: {extra}")
    for row in rows:
        for result in row[2]:
            if result["action_type"] == "apply_tag" and result["output"].get("applied") is not True:
                verdict.duplicated_unmarked += 1
                verdict.blame(f"execution {row[0]}: the tag was there already")
