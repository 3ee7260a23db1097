"""Has the destination answer badly for a while."""

import asyncio

from tests.faults.scenario import Harm, Injury, Place, over


def moody(share: float) -> Injury:
    """Let a share of the requests be answered badly, from a tenth of the load to eight tenths."""

    async def injure(place: Place) -> Harm:
        assert place.front is not None
        await asyncio.sleep(place.seconds / 10)
        place.front.moody = share
        await asyncio.sleep(place.seconds * 7 / 10)
        place.front.moody = 0.0
        return over()

    return injure
