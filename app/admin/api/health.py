"""``/healthz``, ``/readyz`` and ``/metrics``: for those who run the service; no data of users.

``/metrics`` is open on loopback alone. Elsewhere, or where ``HEADRACE_METRICS_TOKEN`` is set, it needs that or a token
of a caller who may operate: counts tell how an installation is doing, which is not for all to know.
"""

import asyncio
from typing import Final

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from app.admin.gauges import refresh_gauges
from app.admin.models import Check, Health
from app.admin.operations import Operation
from app.admin.requests import answer
from app.admin.state import STATE, Probe
from app.domain.errors import HeadraceError
from app.services.operations.background import note_failure

_PROBE_WITHIN_S: Final = 3.0


async def healthz(_request: web.Request) -> web.Response:
    """Say that the process serves."""
    return answer(Health(status="ok"))


async def readyz(request: web.Request) -> web.Response:
    """Ask what the API stands on; 503 where one of it fails."""
    probes = request.app[STATE].probes
    checks = dict(zip(probes, await asyncio.gather(*map(_check, probes.values())), strict=True))
    ok = all(check.ok for check in checks.values())
    return answer(Health(status="ok" if ok else "failing", checks=checks), 200 if ok else 503)


async def metrics(request: web.Request) -> web.Response:
    """Show this process's metrics to Prometheus, with what is asked of Kafka and Postgres at this moment."""
    await request.app[STATE].access.scraping.admit(request)
    await refresh_gauges(request.app[STATE].queue)
    return web.Response(body=generate_latest(request.app[STATE].metrics), headers={"Content-Type": CONTENT_TYPE_LATEST})


async def _check(probe: Probe) -> Check:
    try:
        return Check(ok=True, detail=await asyncio.wait_for(probe(), _PROBE_WITHIN_S))
    except TimeoutError:
        return Check(ok=False, detail=f"no answer within {_PROBE_WITHIN_S:g} s")
    except HeadraceError as error:
        return Check(ok=False, detail=str(error))
    except Exception as error:  # noqa: BLE001 - noted with its traceback; the other checks count
        note_failure("readiness", error)
        return Check(ok=False, detail=f"internal error: {type(error).__name__}")


OPERATIONS: Final = (
    Operation("GET", "/healthz", "healthz", "Whether the process serves", healthz, {200: Health}, access="public"),
    Operation(
        "GET", "/readyz", "readyz", "Whether Kafka, Postgres and the outbox relay do", readyz,
        {200: Health, 503: Health}, access="public",
    ),
    Operation(
        "GET", "/metrics", "metrics", "Prometheus metrics of this process", metrics, {200: None},
        access="public", content_type="text/plain",
    ),
)  # fmt: skip
