"""What an executor's agents are fed into."""

from dataclasses import dataclass

from app.execution.agent_parts import Parts
from app.execution.leased import LeasedExecutor
from app.execution.quota_parking import Parker
from app.execution.transactional import TransactionalExecutor


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutorParts(Parts):
    """An executor for each action type of the family, by name, and what stands beside them.

    Attributes:
        parker: Lets executions wait that are over their owner's quota.
    """

    executors: dict[str, TransactionalExecutor | LeasedExecutor]
    parker: Parker
