"""Executions: how many, how long, how often tried again, and how long what they leave is kept."""

from datetime import timedelta
from typing import Self

from pydantic import Field, model_validator

from app.settings.base import Group, Milliseconds


class ExecutionSettings(Group):
    """Quotas of users, retries, circuit breakers, timeouts, leases and retention."""

    workflows_per_user: int = Field(200, ge=0, le=1_000_000, description="Workflows of one user; 0: no limit")
    active_per_trigger: int = Field(
        20, ge=0, le=1_000_000, description="Active workflows of one user and one trigger type; 0: no limit"
    )
    executions_per_minute: int = Field(
        3_000, ge=0, le=10_000_000, description="Executions of one user's workflows; more wait their turn; 0: no limit"
    )
    events_per_minute: int = Field(
        60_000, ge=0, le=10_000_000, description="Events of one sender at POST /events; 0: no limit"
    )
    queue_concurrency: int = Field(
        10, ge=1, le=512, alias="QUEUE_CONCURRENCY", description="Actions at once, per partition of a lane"
    )
    action_retry_max_attempts: int = Field(
        3, ge=0, le=10, alias="ACTION_RETRY_MAX_ATTEMPTS", description="Retries after the first attempt"
    )
    action_retry_initial_delay_ms: Milliseconds = Field(
        1000,
        alias="ACTION_RETRY_INITIAL_DELAY",
        description="Backoff before the first retry; each next one is twice it",
    )
    retry_jitter: float = Field(
        0.1,
        ge=0,
        le=0.5,
        description="Share of a backoff that chance may take off; 0: none; Retry-After is never shortened",
    )
    longest_hold_ms: Milliseconds = Field(5000, description="Backoffs up to this are sat out; longer ones are parked")
    circuit_breaker_threshold: int = Field(
        5, ge=1, le=100_000, alias="CIRCUIT_BREAKER_THRESHOLD", description="Failed attempts in a row that open it"
    )
    circuit_breaker_timeout_ms: Milliseconds = Field(
        30_000, ge=100, alias="CIRCUIT_BREAKER_TIMEOUT", description="Open for so long, then probed"
    )
    circuit_breaker_max_wait_ms: Milliseconds = Field(
        300_000, alias="CIRCUIT_BREAKER_MAX_WAIT", description="What has waited for it so long fails"
    )
    circuit_release_rate: int = Field(
        50, ge=1, le=10_000, description="Commands a second to a destination that serves again, of those that waited"
    )
    action_timeout_ms: Milliseconds = Field(5000, description="One attempt")
    workflow_execution_timeout_ms: Milliseconds = Field(
        30_000,
        alias="WORKFLOW_EXECUTION_TIMEOUT",
        description="Attempts and backoffs of one execution together; queueing and parking do not count",
    )
    run_budget: int = Field(
        1000,
        ge=0,
        le=100_000,
        description="Runs of one workflow for one entity in a window; more are blocked as a loop; 0: any",
    )
    run_budget_window_s: int = Field(3600, ge=1, description="The window of `HEADRACE_RUN_BUDGET`")
    audience_rate: int = Field(50, ge=1, le=500, description="Customers of one audience that get their run, a second")
    workflow_check_s: int = Field(300, ge=1, description="How often the workflow table is compared with Postgres")
    lease_margin_ms: Milliseconds = Field(
        2000, description="What a claim on an outside effect outlasts all attempts by, for clocks and round trips"
    )
    log_retention_days: int = Field(90, ge=1, description="Days after which the log's partitions go to the archive")
    log_archive_retention_days: int = Field(
        0,
        ge=0,
        description="Days after which executions are removed from the archive for good, counted from when they ran;"
        " 0: never",
    )
    dead_letter_retention_days: int = Field(
        90, ge=1, description="Days after which a dead letter is removed, whatever became of it"
    )
    audit_retention_days: int = Field(
        365, ge=30, description="Days after which a line of the audit trail is removed; the database keeps 30 at least"
    )

    @model_validator(mode="after")
    def _archive_outlasts_the_log(self) -> Self:
        if 0 < self.log_archive_retention_days <= self.log_retention_days:
            raise ValueError(
                "HEADRACE_LOG_ARCHIVE_RETENTION_DAYS must be 0 (never) or more than HEADRACE_LOG_RETENTION_DAYS"
                f" ({self.log_retention_days}): both count from when an execution ran"
            )
        return self

    @property
    def action_timeout(self) -> float:
        """Seconds that one attempt may take."""
        return self.action_timeout_ms / 1000

    @property
    def lease(self) -> timedelta:
        """How long a claim on an outside effect holds: every attempt and backoff of one command, and a margin."""
        return timedelta(
            milliseconds=self.workflow_execution_timeout_ms + self.action_timeout_ms + self.lease_margin_ms
        )
