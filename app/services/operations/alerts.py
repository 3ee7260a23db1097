"""The alerts without Prometheus: one scheduler reads, judges, and tells each channel what has changed.

What alerts stand at and what each channel was told is in Postgres, so that a message goes once a change, whichever
scheduler judges; only a process that dies between sending and storing sends one again. All that changed goes in one
message, a channel gets at most one a minute, and one that cannot be told is tried again ever more rarely.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.domain.alert_messages import message, news, now_told, summary
from app.domain.alert_rules import ALERTS, Alert
from app.domain.alert_states import Reading, Standing, judge
from app.domain.errors import ActionFailedError, UnreachableError
from app.metrics.scheduler import ALERT_MESSAGES, ALERTS_FIRING, OUTBOX_OLDEST, OWNERS_TOLD
from app.ports.alerts import AlertChannel, AlertSession, AlertStore, Telling
from app.ports.queue_status import DepthSource, Lane
from app.services.operations.alert_readings import of_heartbeats
from app.services.operations.outages import Outage, Pauses, said_to_lead, serve_for_ever

log = logging.getLogger(__name__)

_FIRST_PAUSE_S: Final = 1.0
_LONGEST_PAUSE_S: Final = 15.0
_FIRST_RETRY_S: Final = 15.0
_LONGEST_RETRY_S: Final = 900.0


@dataclass(frozen=True, slots=True)
class AlertTimes:
    """How often what is done.

    Attributes:
        every_s: Seconds between two looks.
        gap_s: Seconds between two messages to a channel.
        quiet_s: Seconds without a failure after which a workflow works again.
    """

    every_s: float = 15.0
    gap_s: float = 60.0
    quiet_s: float = 600.0


class AlertLoop:
    """Reads, judges and tells, again and again.

    Args:
        store: Where it is kept what alerts stand at.
        depths: Knows how far roles are behind,
        lanes: and of which topics.
        channels: Whom to tell.
        alerts: Which alerts there are.
        times: How often what is done.
    """

    def __init__(
        self,
        store: AlertStore,
        depths: DepthSource,
        lanes: Sequence[Lane],
        channels: Sequence[AlertChannel],
        *,
        alerts: Sequence[Alert] = ALERTS,
        times: AlertTimes = AlertTimes(),
    ) -> None:
        self._store = store
        self._depths = depths
        self._lanes = lanes
        self._channels = channels
        self._alerts = {alert.full_name: alert for alert in alerts}
        self._times = times
        self._outage = Outage("alerts", log)
        self._depths_away = Outage("depths of topics", log)
        self._pauses = Pauses(_FIRST_PAUSE_S, _LONGEST_PAUSE_S)

    async def run(self) -> None:
        """Look until cancelled; where Postgres is away, wait and go on by itself."""
        await serve_for_ever(self._outage, self._lead, self._pauses)

    async def _lead(self) -> None:
        try:
            async with self._store.lead() as session:
                with said_to_lead("alerts", log):
                    await self._judge(session)
        finally:
            self._silent()

    async def _judge(self, session: AlertSession) -> None:
        while True:
            await self.look(session)
            self._outage.served()
            self._pauses.reset()
            await asyncio.sleep(self._times.every_s)

    def _silent(self) -> None:
        """Say of no alert that it fires: another scheduler judges."""
        for name in self._alerts:
            ALERTS_FIRING.labels(name).set(0)

    async def look(self, session: AlertSession) -> None:
        """Look once, and tell what has changed.

        Raises:
            UnreachableError: Postgres does not answer, or another process judges by now.
        """
        before, readings = await session.standings(), await self._readings(session)
        now = await session.now()
        after = {
            name: judge(alert, before.get(name, Standing()), readings.get(alert.reading), now)
            for name, alert in self._alerts.items()
        }
        await session.keep({name: one for name, one in after.items() if one != before.get(name)})
        self._say(before, after)
        began, works = await session.tell_owners(self._times.quiet_s)
        OWNERS_TOLD.labels("fails").inc(began)
        OWNERS_TOLD.labels("works").inc(works)
        await asyncio.gather(*(self._tell(session, channel, after, now) for channel in self._channels))

    async def _readings(self, session: AlertSession) -> Mapping[str, Reading]:
        stored = {**of_heartbeats(await session.heartbeats()), **await session.readings()}
        # The relay knows its age too, but not while it waits for a lock.
        OUTBOX_OLDEST.set(stored.get("outbox_age", {}).get("", 0.0))
        try:
            depths = await self._depths.depths(self._lanes)
        except UnreachableError as error:
            self._depths_away.failed(error)
            return stored
        self._depths_away.served()
        roles: dict[str, float] = {}
        for lane in self._lanes:
            roles[lane.role] = roles.get(lane.role, 0) + depths.get(lane.topic, 0)
        return {**stored, "queue_depth": roles}

    def _say(self, before: Mapping[str, Standing], after: Mapping[str, Standing]) -> None:
        for name, standing in after.items():
            ALERTS_FIRING.labels(name).set(bool(standing.firing))
            known = before.get(name, Standing()).firing
            for subject, wrong in standing.firing.items():
                if subject not in known:
                    said = summary(self._alerts[name], subject, wrong.value)
                    log.warning("%s fires: %s", name, said, extra={"alert": name, "about": subject})
            for subject in known.keys() - standing.firing.keys():
                log.warning("%s is resolved", name, extra={"alert": name, "about": subject})

    async def _tell(
        self, session: AlertSession, channel: AlertChannel, standings: Mapping[str, Standing], now: float
    ) -> None:
        telling = await session.telling(channel.name)
        changes = news(standings, telling.told)
        if not changes or now < telling.next_at:
            return
        try:
            await channel.send(*message(changes))
        except (ActionFailedError, UnreachableError) as error:
            ALERT_MESSAGES.labels("failed").inc()
            pause = min(_FIRST_RETRY_S * 2**telling.tries, _LONGEST_RETRY_S)
            log.warning("alerts: %s was not told, again in %.0f s: %s", channel.name, pause, error)
            later = Telling(telling.told, min(telling.tries + 1, 20), now + pause, str(error)[:500])
            await session.keep_telling(channel.name, later)
            return
        ALERT_MESSAGES.labels("sent").inc()
        told = Telling(now_told(standings), next_at=now + self._times.gap_s)
        await session.keep_telling(channel.name, told)
