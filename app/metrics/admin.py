"""What the admin counts: its API's requests, and the installation as a whole, asked of Kafka and Postgres.

Routes are labelled as they are declared, never as they were asked for.
"""

from typing import Final

from app.metrics.families import Families

FAMILIES: Final = Families("the admin")

_OPERATIONS: Final = "the routes that are declared"

WORKFLOWS_CREATED: Final = FAMILIES.gauge("headrace_workflows_created", "Workflows ever created, deleted ones included")
WORKFLOWS_ACTIVE: Final = FAMILIES.gauge("headrace_workflows_active", "Workflows that are switched on")
EXECUTIONS_PER_MINUTE: Final = FAMILIES.gauge(
    "headrace_executions_per_minute", "Executions a minute, of those matched within 5 minutes; what did not run is none"
)
SUCCESS_RATE: Final = FAMILIES.gauge(
    "headrace_success_rate",
    "Of the same executions those with status success, 0 to 1; those that stop_workflow ended count as such, and 1"
    " without any",
)
EXECUTION_SECONDS: Final = FAMILIES.gauge(
    "headrace_execution_seconds_average", "Average time of the same executions from matching to their last step's end"
)
ACTIONS_FAILED: Final = FAMILIES.gauge(
    "headrace_failed_actions_last_hour", "Failed steps of executions of the last hour"
)
QUEUE_DEPTH: Final = FAMILIES.gauge(
    "headrace_queue_depth",
    "Records that a role has not finished, by topic",
    role="the roles",
    topic="the topics that roles read",
)
BREAKERS_OPEN: Final = FAMILIES.gauge(
    "headrace_breakers_open", "Circuit breakers that are open, or half-open while commands wait for them; at most 100"
)
PARKED: Final = FAMILIES.gauge(
    "headrace_parked", "Delays, retries and commands that wait for a breaker, in Postgres; at most 100,001"
)
SET_ASIDE: Final = FAMILIES.gauge("headrace_records_set_aside", "Records of outbox and timers that Kafka did not take")
DEAD_LETTERS_OPEN: Final = FAMILIES.gauge(
    "headrace_dead_letters_open", "Dead letters neither replayed nor discarded; at most 100,001"
)

REQUESTS: Final = FAMILIES.counter(
    "headrace_http_requests_total",
    "Requests answered by the admin API",
    operation=_OPERATIONS,
    status="statuses of HTTP that the API answers",
)
ERRORS: Final = FAMILIES.counter(
    "headrace_http_errors_total", "Requests that our own code failed on: answered 500, or cut off"
)
SECONDS: Final = FAMILIES.histogram(
    "headrace_http_request_seconds",
    "Seconds to answer a request",
    operation=_OPERATIONS,
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
CONNECTIONS: Final = FAMILIES.gauge("headrace_http_connections", "Connections to the admin API")
CONNECTIONS_CLOSED: Final = FAMILIES.counter(
    "headrace_http_connections_closed_total",
    "Connections that the admin API closed, or did not take",
    reason=("address_full", "answer_not_taken", "full", "idle", "no_headers"),
)
BODY_BYTES: Final = FAMILIES.gauge("headrace_http_body_bytes", "Bytes of bodies that are read or worked on")
BODY_REFUSALS: Final = FAMILIES.counter(
    "headrace_http_bodies_refused_total",
    "Bodies that were not read to their end",
    reason=("broken", "caller_full", "full", "too_large", "too_slow"),
)
FAILED_TOKENS: Final = FAMILIES.counter(
    "headrace_failed_tokens_total",
    "Tokens and API keys that did not hold, by how that was answered",
    answer=("401", "429"),
)
DATABASE_REFUSALS: Final = FAMILIES.counter(
    "headrace_database_refusals_total", "Statements for callers that the API let through and the database refused"
)
UNREADABLE_ROWS: Final = FAMILIES.counter(
    "headrace_unreadable_rows_total",
    "Rows of the log, workflows, revisions and templates that the API could not read in full, each once or so",
)
BROKEN_OFF: Final = FAMILIES.counter(
    "headrace_http_answers_broken_off_total",
    "Streams and exports that broke off half way: what is behind the API did not answer, the caller did not take up"
    " what was told, or our own code failed",
    why=("behind", "failed", "unreachable"),
)
STREAMS: Final = FAMILIES.gauge(
    "headrace_http_streams", "Answers that go on: followers and exports", kind=("executions", "queue", "export")
)
STREAMS_REFUSED: Final = FAMILIES.counter(
    "headrace_http_streams_refused_total",
    "Answers that go on that were not begun, because there were too many",
    reason=("caller_full", "full"),
)
