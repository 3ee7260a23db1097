"""Quotas for tests that are about something else."""

from agents.quota import Quota
from tests.support.fake_rights import FixedRights
from tests.support.timers import FakeTimers


def no_quota() -> Quota:
    """Return a quota that sets no limit."""
    return Quota(0, FakeTimers(), FixedRights())
