"""What the agents of every role have; what each role's have beside it stands in a module of its own."""

from dataclasses import dataclass

from app.services.delivery.dead_letters import DeadLetters
from app.services.delivery.sending import Delivery


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What takes the records that follow.

    Attributes:
        letters: Takes records that hold nothing a role can use.
        delivery: Takes the records of agents that batch.
    """

    letters: DeadLetters
    delivery: Delivery
