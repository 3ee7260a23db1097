"""What the settings say about retries and circuit breakers."""

from datetime import timedelta

from app.domain.breaker import BreakerPolicy
from app.domain.retry import RetryPolicy
from app.settings import Settings


def retry_policy(settings: Settings) -> RetryPolicy:
    """Return what the retry variables say."""
    return RetryPolicy(
        max_retries=settings.action_retry_max_attempts,
        initial_delay=settings.action_retry_initial_delay_ms / 1000,
        longest_hold=settings.longest_hold_ms / 1000,
        max_jitter=settings.retry_jitter,
        budget=settings.workflow_execution_timeout_ms / 1000,
    )


def breaker_policy(settings: Settings) -> BreakerPolicy:
    """Return what the circuit breakers' variables say."""
    return BreakerPolicy(
        threshold=settings.circuit_breaker_threshold,
        timeout=timedelta(milliseconds=settings.circuit_breaker_timeout_ms),
        max_wait=timedelta(milliseconds=settings.circuit_breaker_max_wait_ms),
    )
