"""Quotas for tests that are about something else."""

from datetime import UTC, datetime

from app.domain.shares import Shares
from app.execution.holding import Holding
from app.execution.quota import Quota
from app.execution.routing import Router
from app.topics import Topics
from tests.support.fake_rights import FixedRights
from tests.support.timers import FakeTimers


def no_quota() -> Quota:
    """Return a quota that sets no limit."""
    return Quota(0, "t.over-quota", FixedRights())


def no_holding() -> Holding:
    """Return what holds back no step that takes less than a second of CPU."""
    return Holding(Shares(), FakeTimers(), Router(Topics("t."), frozenset()), lambda: datetime.now(UTC))
