"""The next share of an audience: customers who meet its conditions, within what looking at them may cost."""

import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.domain.conditions import CompiledConditions, Scope
from app.domain.penalties import REFUSED_FOR_S, Penalties
from app.domain.wall import WallReachedError
from app.metrics.scheduler import TEMPORAL_SKIPPED
from app.ports import Record
from app.ports.temporal import Release
from app.services.operations.background import note_failure

# What a look at one page may take; every audience of an installation is looked over by the same loop.
MAX_CPU_S: Final = 0.5
_SHARE_EVERY_S: Final = 1.0


@dataclass(slots=True)
class Share:
    """What came of a page.

    Attributes:
        events: The events of the customers who meet the conditions.
        looked_at: The last customer that was looked at.
        pause_s: How long the audience rests now.
    """

    events: list[Record]
    looked_at: str
    pause_s: float = 0.0


class Shares:
    """Looks audiences over.

    Args:
        rate: Most customers of a share.
        penalties: Lets owners rest for a minute whose conditions come to the wall three times in a row.
    """

    def __init__(self, rate: int, penalties: Penalties | None = None) -> None:
        self._rate = rate
        self._penalties = Penalties() if penalties is None else penalties

    def rests(self, owner: Hashable) -> bool:
        """Tell whether an owner's audiences are not to be looked at now."""
        return self._penalties.refused(owner)

    def next(
        self,
        conditions: CompiledConditions,
        customers: Sequence[Mapping[str, Any]],
        *,
        release: Release,
        owner: Hashable,
        make: Callable[[Mapping[str, Any]], Record],
    ) -> Share:
        """Look at customers in their order, until there are enough, or it has cost enough.

        Args:
            conditions: The conditions that its customers meet.
            customers: A page, all of them behind ``after``.
            release: The audience that is released.
            owner: Whose audience it is.
            make: Makes a customer's event.
        """
        share, began = Share([], release.after), time.thread_time()
        for customer in customers:
            share.looked_at = customer["id"]
            scope = Scope(data={"customer": customer}, event={}, now=release.due)
            try:
                if conditions.evaluate(scope).met:
                    share.events.append(make(customer))
            except WallReachedError:
                TEMPORAL_SKIPPED.labels("customer_costly").inc()
                self._penalties.reached(owner)
            except Exception as error:  # noqa: BLE001 - noted with its traceback; the other customers go on
                note_failure("temporal", error, "a customer of an audience", workflow_id=release.workflow_id)
                TEMPORAL_SKIPPED.labels("customer_unreadable").inc()
            costly = time.thread_time() - began > MAX_CPU_S
            if costly:
                self._penalties.reached(owner)
            if costly or len(share.events) == self._rate or self.rests(owner):
                share.pause_s = REFUSED_FOR_S if self.rests(owner) else _SHARE_EVERY_S
                return share
        share.pause_s = _SHARE_EVERY_S if share.events else 0.0
        return share
