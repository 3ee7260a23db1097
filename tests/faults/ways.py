"""Ways to the servers that are slow, silent or cut."""

import asyncio
from collections.abc import Mapping

from tests.faults.scenario import Harm, Injury, Place, now, over
from tests.support.wires import Wire


def _in_use(wires: Mapping[str, Wire]) -> None:
    """Fail where a wire that is to be harmed leads nobody anywhere."""
    idle = [name for name, wire in wires.items() if not wire.carried]
    assert not idle, f"nobody went by the wires of {idle}"


def late(delay_s: float, seconds: float) -> Injury:
    """Let everything that is asked of Postgres arrive later."""

    async def injure(place: Place) -> Harm:
        await asyncio.sleep(place.seconds / 4)
        _in_use(place.wires)
        for wire in place.wires.values():
            wire.delay_s = delay_s
        await asyncio.sleep(seconds)
        for wire in place.wires.values():
            wire.delay_s = 0.0
        return over()

    return injure


def away_from_postgres(seconds: float) -> Injury:
    """Cut roles off from Postgres one after the other: by chance with an end of their connections, or in silence."""

    async def injure(place: Place) -> Harm:
        _in_use(place.wires)
        began, roles = now(), place.chance.sample(sorted(place.wires), len(place.wires))
        await asyncio.gather(
            *(_away(place, role, seconds, turn / len(roles), began) for turn, role in enumerate(roles))
        )
        return over()

    return injure


async def _away(place: Place, role: str, seconds: float, turn: float, began: float) -> None:
    silent, wire = place.chance.random() < 0.5, place.wires[role]
    await place.until(0.05 + turn / 2, began)
    if silent:
        wire.fall_silent()
    else:
        await wire.cut()
    await asyncio.sleep(seconds)
    wire.speak()
    wire.mend()


def away_from_the_broker(seconds: float) -> Injury:
    """Start a second worker of each role whose first reaches the broker by a wire, and let the wire be silent.

    None of them ends for it: the time in which the broker does not answer counts for no watchdog.
    """

    async def injure(place: Place) -> Harm:
        assert place.to_broker is not None
        for role in {worker.role for worker in place.stack.workers} & set(place.behind):
            place.stack.add(role, {"KAFKA_BOOTSTRAP_SERVERS": place.stack.bootstrap})
        await place.stack.ready()
        await asyncio.sleep(place.chance.uniform(1, 5))
        _in_use({"broker": place.to_broker})
        place.to_broker.fall_silent()
        await asyncio.sleep(seconds)
        place.to_broker.speak()
        harm = over()
        await place.stack.ready()
        return harm

    return injure
