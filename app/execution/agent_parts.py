"""What the agents of each role are fed into, and what takes the records that follow."""

from dataclasses import dataclass

from app.execution.leased import LeasedExecutor
from app.execution.log_writing import DeadLetterSink, Sink
from app.execution.matching import Matcher
from app.execution.quota_parking import Parker
from app.execution.source_conversion import SourceConversion
from app.execution.transactional import TransactionalExecutor
from app.services.delivery.dead_letters import DeadLetters
from app.services.delivery.sending import Delivery


@dataclass(frozen=True, slots=True)
class MatcherParts:
    """What the matcher's agent feeds, and what takes its records."""

    matcher: Matcher
    letters: DeadLetters
    delivery: Delivery


@dataclass(frozen=True, slots=True)
class SinkParts:
    """What the sink's two agents feed, and what takes their records."""

    executions: Sink
    dead_letters: DeadLetterSink
    letters: DeadLetters
    delivery: Delivery


@dataclass(frozen=True, slots=True)
class SourceParts:
    """What the sources' agent feeds, and what takes its records."""

    conversion: SourceConversion
    letters: DeadLetters
    delivery: Delivery


@dataclass(frozen=True, slots=True)
class ExecutorParts:
    """An executor for each action type of the family, by name, and what stands beside them.

    Attributes:
        parker: Lets executions wait that are over their owner's quota.
        letters: Takes records that hold no executions.
        delivery: Takes the records of those that batch.
    """

    executors: dict[str, TransactionalExecutor | LeasedExecutor]
    parker: Parker
    letters: DeadLetters
    delivery: Delivery
