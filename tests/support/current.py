"""What steps look up, in tests."""

from app.domain.retry import RetryPolicy
from app.execution.current_values import Current
from app.ports import CrmReads
from tests.support.fake_crm import FakeCrm


def current_over(crm: CrmReads | None = None) -> Current:
    """Return what looks customers and orders up in a CRM, by default an empty one, and asks once."""
    return Current(crm or FakeCrm(), RetryPolicy(max_retries=0), timeout=5)
