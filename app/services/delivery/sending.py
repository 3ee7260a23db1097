"""Sending what follows from incoming records, so that nothing of it is lost and nothing refused holds up the rest.

A record that Kafka refuses is replaced by what says so: of a slip the step that cannot be sent fails, of an execution a
row that is cut, of anything else, or where that is refused too, a dead letter of the record it came from.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from app.domain.errors import PoisonError, UnreachableError
from app.metrics.delivery import REFUSED
from app.ports import Record, Refusal, Sender
from app.services.delivery.dead_letters import DeadLetters
from schemas.log_ids import of_record, of_value

log = logging.getLogger(__name__)


Instead = Callable[[Record, Refusal], Record | None]


def ladder(instead: Instead, record: Record, refusal: Refusal) -> Iterator[Record]:
    """Yield, one after the other, what may be sent instead of a record, the next where one is refused as well."""
    made = instead(record, refusal)
    while made is not None:
        yield made
        made = instead(made, refusal)


def nothing_instead(_record: Record, _refusal: Refusal) -> Record | None:
    """Make nothing: what is refused is refused."""
    return None


async def deliver_or_end(sender: Sender, instead: Instead, records: Sequence[Record]) -> list[Refusal | None]:
    """Send records of Postgres, which may wait there: a missing topic is waited for, all else ends as far as it can.

    Returns:
        For each record why it is refused, or None: then it, or what is sent instead of it, is durable.

    Raises:
        UnreachableError: Kafka does not confirm them all.
    """
    refusals = list(await sender.deliver(records))
    for at, (record, refusal) in enumerate(zip(records, refusals, strict=True)):
        if refusal is None:
            continue
        REFUSED.labels(refusal.reason).inc()
        for made in ladder(instead, record, refusal) if refusal.reason != "no_topic" else ():
            if (await sender.deliver((made,)))[0] is None:
                log.error("a record is refused, and its execution ends", extra=_refused(record, refusal))
                refusals[at] = None
                break
    return refusals


def _refused(record: Record, refusal: Refusal) -> dict[str, Any]:
    """Return what is refused, for the log: where it should go, what it is of, and the record that it came from."""
    cause = {} if record.cause is None else of_record(record.cause)
    return {"to": record.topic, "why": str(refusal), **of_value(record.value), **cause}


class Delivery:
    """Sends for an agent.

    Args:
        sender: Where records go.
        letters: Builds and sends dead letters.
        instead: Makes what is to be sent instead of a record that is refused; None where there is no such thing.
    """

    def __init__(self, sender: Sender, letters: DeadLetters, instead: Instead = nothing_instead) -> None:
        self._sender = sender
        self._letters = letters
        self._instead = instead

    async def send_all(self, records: Sequence[Record]) -> None:
        """Send records in order; when this returns, each is durable, or what says that it is refused.

        Raises:
            UnreachableError: Kafka does not answer, or takes no dead letters; what was sent may or may not arrive.
        """
        refusals = await self._sender.deliver(records)
        for record, refusal in zip(records, refusals, strict=True):
            if refusal is not None:
                await self._settle(record, refusal)

    async def _settle(self, record: Record, refusal: Refusal) -> None:
        REFUSED.labels(refusal.reason).inc()
        log.error("a record is refused", extra=_refused(record, refusal))
        for made in ladder(self._instead, record, refusal):
            if (await self._sender.deliver((made,)))[0] is None:
                return
        if self._letters.is_letter(record):
            await self._letters.deliver(record)
        elif record.cause is not None:
            detail = f"what follows from it, a record for {record.topic}, is refused: {refusal}"
            await self._letters.send(record.cause, PoisonError("unsendable", detail))
        else:
            raise UnreachableError(f"a record for {record.topic} is refused, and says not what it came from: {refusal}")
