"""Effects on our own tables, in one transaction with their receipts: exactly once (docs/design.md#4-receipts)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

import psycopg
from psycopg import errors

from app.adapters.postgres import literals
from app.adapters.postgres import receipts_sql as sql
from app.adapters.postgres.claims import DONE, RECEIPTS_KEY, Owner, check_execution, check_newest, columns
from app.adapters.postgres.pool import Pool, persistently
from app.adapters.postgres.timers import PostgresTimers
from app.ports import Claim, ClaimOutcome, Crm, Done, Dropped, EffectTransaction, TransactionalEffect

CrmFactory = Callable[[psycopg.AsyncConnection[Any]], Crm]


class _RacedError(Exception):
    """Another process stored a receipt meanwhile: nothing was committed, look again."""


class _Batch:
    """What became of each claim of a batch so far."""

    def __init__(self, claims: Sequence[Claim]) -> None:
        self.claims = claims
        self.outcomes: dict[int, ClaimOutcome] = {}
        self.known_receipts = False
        self._leaders: dict[UUID, int] = {}
        self._matched_at = [claim.matched_at for claim in claims]

    def look(self, owner: Owner, position: int, *row: Any) -> None:
        """Take in one row of ``LOOK``."""
        newest, version, attempt, executed_at, state, parked, result = row
        claim = self.claims[position]
        check_newest(owner, newest)
        self._matched_at[position] = executed_at or claim.matched_at
        dropped = check_execution(claim, version, attempt)
        if dropped is not None:
            self.outcomes[position] = dropped
        elif state == DONE:
            self.outcomes[position] = Done(self._matched_at[position], result)
        elif state is not None and claim.parked < parked:
            self.outcomes[position] = Dropped("parked")
        else:
            self.known_receipts |= state is not None

    def todo(self) -> list[int]:
        """Positions to carry out: of a command that is in the batch twice, the first."""
        for position, claim in enumerate(self.claims):
            if position not in self.outcomes:
                self._leaders.setdefault(claim.command_id, position)
        return list(self._leaders.values())

    def finish(self, results: Mapping[int, dict[str, Any]]) -> list[ClaimOutcome]:
        """Return every outcome, given the results of what was to be done."""
        for position, claim in enumerate(self.claims):
            if position not in self.outcomes:
                result = results[self._leaders[claim.command_id]]
                self.outcomes[position] = Done(self._matched_at[position], result)
        return [self.outcomes[position] for position in range(len(self.claims))]


class TransactionalEffects:
    """Applies batches on behalf of ``owner``; outages of Postgres are waited out."""

    def __init__(self, pool: Pool, owner: Owner, crm: CrmFactory) -> None:
        self._pool = pool
        self._owner = owner
        self._crm = crm

    async def apply(self, claims: Sequence[Claim], effect: TransactionalEffect) -> list[ClaimOutcome]:
        """See :meth:`app.ports.Receipts.apply`."""
        if not claims:
            return []
        while True:
            try:
                return await persistently(lambda: self._transaction(claims, effect))
            except _RacedError:
                continue

    async def _transaction(self, claims: Sequence[Claim], effect: TransactionalEffect) -> list[ClaimOutcome]:
        params = (*columns(claims), self._owner.instance, self._owner.incarnation)
        batch = _Batch(claims)
        async with self._pool.connection() as connection, connection.transaction():
            cursor = await connection.execute(sql.LOOK, params, binary=True)
            for position, *row in await cursor.fetchall():
                batch.look(self._owner, position - 1, *row)
            todo = batch.todo()
            if not todo:
                return batch.finish({})
            transaction = EffectTransaction(self._crm(connection), PostgresTimers(connection))
            results = await effect(transaction, todo)
            stored = await self._store(connection, batch, todo, [results[position] for position in todo])
            return batch.finish(dict(zip(todo, stored, strict=True)))

    async def _store(
        self, connection: psycopg.AsyncConnection[Any], batch: _Batch, todo: list[int], results: list[dict[str, Any]]
    ) -> list[dict[str, Any]]:
        claims = [batch.claims[position] for position in todo]
        results, encoded = literals.storable(results)
        params = (
            self._owner.instance,
            self._owner.incarnation,
            literals.uuids(claim.command_id for claim in claims),
            literals.uuids(claim.execution_id for claim in claims),
            literals.integers(claim.parked for claim in claims),
            encoded,
        )
        try:
            cursor = await connection.execute(sql.STORE if batch.known_receipts else sql.STORE_NEW, params)
        except errors.UniqueViolation as error:
            if error.diag.constraint_name == RECEIPTS_KEY:
                raise _RacedError from error
            raise
        if cursor.rowcount != len(claims):
            raise _RacedError
        return results
