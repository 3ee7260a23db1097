"""Receipts in Postgres: claims with a lease, and their results (docs/design.md#4-receipts)."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
from psycopg import errors

from app.adapters.postgres import literals
from app.adapters.postgres import receipts_sql as sql
from app.adapters.postgres.claims import (
    SOONEST_S,
    Novelty,
    Owner,
    by_id,
    check_execution,
    check_newest,
    columns,
    refusal,
    was_there,
)
from app.adapters.postgres.pool import Pool, persistently
from app.adapters.postgres.timers import PostgresTimers
from app.adapters.postgres.transactional_effects import CrmFactory, TransactionalEffects
from app.domain.errors import SupersededError
from app.ports import Busy, Claim, Claimed, ClaimOutcome, Park, TransactionalEffect


class PostgresReceipts:
    """See :class:`app.ports.Receipts`. Outages of Postgres are waited out inside.

    Args:
        pool: The process's pool.
        instance: Stable name of this worker; its newest process takes over what its older ones had claimed.
        lease: How long a claim holds.
        crm: Makes the CRM that effects see, over the connection whose transaction they are part of.
    """

    def __init__(self, pool: Pool, instance: str, lease: timedelta, crm: CrmFactory) -> None:
        self._pool = pool
        self._owner = Owner(instance, 0)
        self._lease = lease
        self._crm = crm
        self._novelty = Novelty()
        # What this very process is at work on, and until when (monotonic seconds). A live claim of ours that is not
        # in here is one whose answer got lost: it is simply granted again.
        self._held: dict[UUID, float] = {}

    async def start(self) -> None:
        """Become the newest incarnation of the instance; nothing else may be called before.

        Raises:
            SupersededError: A newer one started at the same moment.
        """

        async def run() -> int | None:
            async with self._pool.connection() as connection:
                cursor = await connection.execute(sql.INCARNATE, (self._owner.instance,))
                row = await cursor.fetchone()
                return int(row[0]) if row else None

        incarnation = await persistently(run)
        if incarnation is None:
            raise SupersededError(f"a newer process of {self._owner.instance} runs")
        self._owner = replace(self._owner, incarnation=incarnation)

    async def claim(self, claims: Sequence[Claim]) -> list[ClaimOutcome]:
        """Claim commands with a lease; see :meth:`app.ports.Receipts.claim`."""
        outcomes: list[ClaimOutcome] = [Busy(SOONEST_S)] * len(claims)
        asked = [position for position, claim in enumerate(claims) if self._hold(claim.command_id)]
        granted: set[int] = set()
        try:
            answers = await self._claim([claims[position] for position in asked]) if asked else []
            for position, outcome in zip(asked, answers, strict=True):
                outcomes[position] = outcome
                if isinstance(outcome, Claimed):
                    granted.add(position)
        finally:
            self._forget(claims[position].command_id for position in asked if position not in granted)
        return outcomes

    async def finish(self, results: Sequence[tuple[UUID, dict[str, Any]]]) -> list[dict[str, Any] | None]:
        """Store results; see :meth:`app.ports.Receipts.finish`. NUL characters in them become U+FFFD."""
        ids = sorted({command_id for command_id, _ in results})
        latest = dict(results)
        values, encoded = literals.storable([latest[command_id] for command_id in ids])
        counting: dict[UUID, dict[str, Any] | None] = dict(zip(ids, values, strict=True))
        if ids:
            counting |= await persistently(lambda: self._finish(ids, encoded))
        self._forget(ids)
        return [counting[command_id] for command_id, _ in results]

    async def release(self, command_ids: Sequence[UUID], *, uncertain: bool) -> None:
        """Give claims back; see :meth:`app.ports.Receipts.release`."""
        params = (uncertain, literals.uuids(sorted(command_ids)), self._owner.instance, self._owner.incarnation)

        async def run() -> None:
            async with self._pool.connection() as connection:
                await connection.execute(sql.RELEASE, params)

        await persistently(run)
        self._forget(command_ids)

    async def park(self, parks: Sequence[Park]) -> None:
        """Let claimed commands wait; see :meth:`app.ports.Receipts.park`."""
        wanted = sorted(parks, key=lambda park: park.timer.command_id)
        params = {
            "ids": literals.uuids(park.timer.command_id for park in wanted),
            "parked": literals.integers(park.parked for park in wanted),
            "uncertain": literals.booleans(park.uncertain for park in wanted),
            "instance": self._owner.instance,
            "incarnation": self._owner.incarnation,
        }

        async def run() -> None:
            async with self._pool.connection() as connection, connection.transaction():
                cursor = await connection.execute(sql.PARK, params, binary=True)
                ours = {row[0] for row in await cursor.fetchall()}
                await PostgresTimers(connection).set([p.timer for p in wanted if p.timer.command_id in ours])

        await persistently(run)
        self._forget(park.timer.command_id for park in parks)

    async def apply(self, claims: Sequence[Claim], effect: TransactionalEffect) -> list[ClaimOutcome]:
        """Carry out effects and store their results in one transaction; see :meth:`app.ports.Receipts.apply`."""
        return await TransactionalEffects(self._pool, self._owner, self._crm).apply(claims, effect)

    def _hold(self, command_id: UUID) -> bool:
        now = time.monotonic()
        if self._held.get(command_id, now) > now:
            return False
        self._held[command_id] = now + self._lease.total_seconds()
        return True

    def _forget(self, command_ids: Iterable[UUID]) -> None:
        for command_id in command_ids:
            self._held.pop(command_id, None)

    async def _claim(self, claims: Sequence[Claim]) -> list[ClaimOutcome]:
        owner = (self._owner.instance, self._owner.incarnation)
        params = (*columns(claims), *owner, *owner, self._lease)

        async def run() -> list[ClaimOutcome]:
            async with self._pool.connection() as connection:
                if self._novelty.expected() and await self._claim_new(connection, params):
                    return [Claimed(literals.aware(claim.matched_at), uncertain=False) for claim in claims]
                cursor = await connection.execute(sql.CLAIM, params, binary=True)
                answers = [self._answer(claims, *row) for row in await cursor.fetchall()]
                refused = [answer.command_id for _, answer in answers if isinstance(answer, Claim)]
                found: dict[UUID, tuple[Any, ...]] = {}
                if refused:
                    cursor = await connection.execute(sql.OBSTACLES, (literals.uuids(refused),), binary=True)
                    found = by_id(await cursor.fetchall())
            outcomes: list[ClaimOutcome] = [Busy(SOONEST_S)] * len(claims)
            for position, answer in answers:
                outcomes[position] = (
                    refusal(answer, found.get(answer.command_id)) if isinstance(answer, Claim) else answer
                )
            return outcomes

        return await persistently(run)

    async def _claim_new(self, connection: psycopg.AsyncConnection[Any], params: Sequence[Any]) -> bool:
        """Claim commands as new ones; False if one is not, and nothing is claimed."""
        try:
            row = await (await connection.execute(sql.CLAIM_NEW, params, binary=True)).fetchone()
        except errors.UniqueViolation as error:
            if not was_there(error):
                raise
            self._novelty.refuted()
            return False
        check_newest(self._owner, row is not None and row[0])
        self._novelty.confirmed()
        return True

    def _answer(self, claims: Sequence[Claim], position: int, *row: Any) -> tuple[int, Claimed | Claim | ClaimOutcome]:
        """Read one row of ``CLAIM``; a claim (with its execution's time) stands for one that was not granted."""
        newest, version, attempt, executed_at, uncertain = row
        claim = claims[position - 1]
        check_newest(self._owner, newest)
        dropped = check_execution(claim, version, attempt)
        if dropped is not None:
            return position - 1, dropped
        matched_at = executed_at or claim.matched_at
        if uncertain is not None:
            return position - 1, Claimed(matched_at, uncertain)
        return position - 1, replace(claim, matched_at=matched_at)

    async def _finish(self, ids: Sequence[UUID], encoded: str) -> dict[UUID, dict[str, Any] | None]:
        """Store results; returns the stored result, if there is one, of each command that was not ours any more."""
        params = {
            "ids": literals.uuids(ids),
            "results": encoded,
            "instance": self._owner.instance,
            "incarnation": self._owner.incarnation,
        }
        async with self._pool.connection() as connection:
            cursor = await connection.execute(sql.FINISH, params, binary=True)
            if cursor.rowcount == len(ids):
                return {}
            finished = {row[0] for row in await cursor.fetchall()}
            lost = [command_id for command_id in ids if command_id not in finished]
            cursor = await connection.execute(sql.STORED, (literals.uuids(lost),), binary=True)
            return dict.fromkeys(lost) | dict(await cursor.fetchall())
