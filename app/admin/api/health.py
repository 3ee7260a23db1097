"""``/healthz``, ``/readyz`` and ``/metrics``: for those who run the service; no data of users.

``/metrics`` is open on loopback alone. Elsewhere, or where ``HEADRACE_METRICS_TOKEN`` is set, it needs that or a token
of a caller who may operate: counts tell how an installation is doing, which is not for all to know.
"""

from typing import Final

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from app.admin.gauges import refresh_gauges
from app.admin.models import Check, Health
from app.admin.operations import Operation
from app.admin.requests import answer
from app.admin.state import STATE


async def healthz(_request: web.Request) -> web.Response:
    """Say that the process serves."""
    return answer(Health(status="ok"))


async def readyz(request: web.Request) -> web.Response:
    """Ask what the API stands on, for a second and a half at most; 503 where one of it fails."""
    found = await request.app[STATE].health.look()
    checks = {name: Check(ok=check.ok, detail=check.detail) for name, check in found.items()}
    ok = all(check.ok for check in checks.values())
    return answer(Health(status="ok" if ok else "failing", checks=checks), 200 if ok else 503)


async def metrics(request: web.Request) -> web.Response:
    """Show this process's metrics to Prometheus, with what is asked of Kafka and Postgres at this moment."""
    await request.app[STATE].access.scraping.admit(request)
    await refresh_gauges(request.app[STATE].queue)
    return web.Response(body=generate_latest(request.app[STATE].metrics), headers={"Content-Type": CONTENT_TYPE_LATEST})


OPERATIONS: Final = (
    Operation(
        "GET", "/healthz", "healthz", "Whether the process serves", healthz, {200: Health}, tag="service",
        access="public",
    ),
    Operation(
        "GET", "/readyz", "readyz", "Whether Kafka, Postgres and the outbox relay do", readyz,
        {200: Health, 503: Health}, tag="service", access="public",
    ),
    Operation(
        "GET", "/metrics", "metrics", "Prometheus metrics of this process", metrics, {200: None}, tag="service",
        access="public", content_type="text/plain",
    ),
)  # fmt: skip
