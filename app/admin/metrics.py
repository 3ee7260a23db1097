"""The API's metrics; labels are bounded: routes as they are declared, never paths as they were asked for."""

from typing import Final

from prometheus_client import Counter, Histogram

REQUESTS: Final = Counter("headrace_http_requests_total", "Requests answered by the admin API", ("operation", "status"))
SECONDS: Final = Histogram(
    "headrace_http_request_seconds",
    "Seconds to answer a request",
    ("operation",),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
