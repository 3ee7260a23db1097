"""``current``: the customer and the order of a step as they are now, looked up when the step runs.

Of others than the event's own entity they are for the workflows of owners who may read customers (``crm:read``).

Only what the step's own conditions or templates name is looked up; for a batch of commands in one go. What is not there
is a missing field.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from app.actions.steps import ResolvedStep
from app.domain.entities import id_in
from app.domain.errors import ActionFailedError
from app.domain.needs import Need, own_entity
from app.domain.retry import Failure, GiveUp, RetryPolicy, decide
from app.ports import CrmReads, OwnerRights

CurrentValues = Mapping[str, Any] | ActionFailedError
_Found = Mapping[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class _Lookup:
    owner: UUID
    own: str | None
    customer: str | None
    order: str | None


_Lookups = Mapping[int, _Lookup]
_CUSTOMER: Final = Need("crm:read", "customer", "is not the event's own entity")
_ORDER: Final = Need("crm:read", "order", "is of another customer than the event's own entity")


class Current:
    """Looks up what steps ask for.

    Args:
        crm: Where customers and orders are.
        policy: How often it is asked again while it fails.
        timeout: Seconds that one look may take.
    """

    def __init__(self, crm: CrmReads, policy: RetryPolicy, *, timeout: float) -> None:
        self._crm = crm
        self._policy = policy
        self._timeout = timeout

    async def of(
        self, steps: Sequence[ResolvedStep], rights: OwnerRights, *, chosen: bool = False
    ) -> list[CurrentValues | None]:
        """Return what ``current`` is for each step: None where it does not ask, an error where it cannot be known.

        Args:
            steps: The steps that are about to be prepared.
            rights: What their owners may; asked only where a step looks at another than its event's own entity.
            chosen: Whether the caller made the events up: none of them then has an entity of its own.
        """
        asked = ((n, _lookup(step, chosen=chosen)) for n, step in enumerate(steps))
        lookups = {n: lookup for n, lookup in asked if lookup is not None}
        values = await self._look(lookups, rights) if lookups else {}
        return [values.get(n) for n in range(len(steps))]

    async def _look(self, lookups: _Lookups, rights: OwnerRights) -> dict[int, CurrentValues]:
        strangers = {n: one for n, one in lookups.items() if one.customer is not None and one.customer != one.own}
        values = await _refused(strangers, _CUSTOMER, rights)
        left = {n: one for n, one in lookups.items() if n not in values}
        try:
            customers = await self._found(self._crm.customers, [one.customer for one in left.values()])
            orders = await self._found(self._crm.orders, [one.order for one in left.values()])
        except ActionFailedError as error:
            if len(left) == 1 or not error.permanent:
                return values | dict.fromkeys(left, error)
            for n, one in left.items():  # one of the ids: the others' steps can go on
                values |= await self._look({n: one}, rights)
            return values
        others = {n: one for n, one in left.items() if _is_of_another(orders.get(one.order or ""), one.own)}
        found = {n: _values(one, customers, orders) for n, one in left.items()}
        return values | found | await _refused(others, _ORDER, rights)

    async def _found(
        self, look: Callable[[Sequence[str]], Awaitable[_Found]], ids: Sequence[str | None]
    ) -> Mapping[str, dict[str, Any]]:
        named = sorted({one for one in ids if one is not None})
        if not named:
            return {}
        began, attempts = time.monotonic(), 0
        while True:
            attempts += 1
            try:
                return await look(named)
            except ActionFailedError as error:
                failure = Failure(attempts, time.monotonic() - began, error.permanent, error.retry_after)
                decision = decide(self._policy, failure, attempt_timeout=self._timeout, jitter=random.random())  # noqa: S311 - jitter is no secret
                if isinstance(decision, GiveUp) or decision.parked:
                    raise
            await asyncio.sleep(decision.seconds)


async def _refused(lookups: _Lookups, need: Need, rights: OwnerRights) -> dict[int, CurrentValues]:
    """Return the error of each whose owner lacks what it needs."""
    owners = await rights.of({one.owner for one in lookups.values()}) if lookups else {}
    lacking = [n for n, one in lookups.items() if not owners[one.owner].may(need.permission)]
    return {n: ActionFailedError(need.lacking, permanent=True) for n in lacking}


def _is_of_another(order: Mapping[str, Any] | None, own: str | None) -> bool:
    return order is not None and (own is None or str(order.get("customer_id")) != own)


def _lookup(step: ResolvedStep, *, chosen: bool) -> _Lookup | None:
    names, command = step.current, step.command
    if not names:
        return None
    data = command.event.get("data") or {}
    customer = (id_in(data.get("customer")) or command.entity) if "customer" in names else None
    own = None if chosen else own_entity(command.event.get("source"), command.entity)
    order = id_in(data.get("order")) if "order" in names else None
    return _Lookup(command.workflow.owner, own, customer, order)


def _values(lookup: _Lookup, customers: _Found, orders: _Found) -> dict[str, Any]:
    found = {"customer": customers.get(lookup.customer or ""), "order": orders.get(lookup.order or "")}
    return {name: value for name, value in found.items() if value is not None}
