"""The API's metrics; labels are bounded: routes as they are declared, never paths as they were asked for."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

REQUESTS: Final = Counter("headrace_http_requests_total", "Requests answered by the admin API", ("operation", "status"))
SECONDS: Final = Histogram(
    "headrace_http_request_seconds",
    "Seconds to answer a request",
    ("operation",),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
CONNECTIONS: Final = Gauge("headrace_http_connections", "Connections to the admin API")
CONNECTIONS_CLOSED: Final = Counter(
    "headrace_http_connections_closed_total", "Connections that the admin API closed, or did not take", ("reason",)
)
BODY_BYTES: Final = Gauge("headrace_http_body_bytes", "Bytes of bodies that are read or worked on")
BODY_REFUSALS: Final = Counter(
    "headrace_http_bodies_refused_total", "Bodies that were not read to their end", ("reason",)
)
QUEUE_DEPTH: Final = Gauge("headrace_queue_depth", "Records that a role has not finished, by topic", ("role", "topic"))
BREAKERS_OPEN: Final = Gauge("headrace_breakers_open", "Circuit breakers that are not closed, at most 100")
PARKED: Final = Gauge("headrace_parked", "Delays, retries and commands that wait for a breaker, in Postgres")
SET_ASIDE: Final = Gauge("headrace_records_set_aside", "Records of outbox and timers that Kafka did not take")
DEAD_LETTERS_OPEN: Final = Gauge("headrace_dead_letters_open", "Dead letters neither replayed nor discarded")
WORKFLOWS_CREATED: Final = Gauge("headrace_workflows_created", "Workflows ever created, deleted ones included")
WORKFLOWS_ACTIVE: Final = Gauge("headrace_workflows_active", "Workflows that are switched on")
ACTIONS_FAILED: Final = Gauge("headrace_failed_actions_last_hour", "Failed steps of executions of the last hour")
