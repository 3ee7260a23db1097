"""The active workflows, as the matcher sees them."""

from collections.abc import Sequence
from typing import Protocol

from app.domain.evaluate import Matchable
from schemas.command import Lane


class ActiveWorkflow(Matchable, Protocol):
    """A workflow as the table's index holds it: what judging an event asks of it, and what a command carries."""

    @property
    def version(self) -> int:
        """Its revision's."""

    @property
    def encoded(self) -> bytes:
        """The revision as commands carry it, in JSON."""

    @property
    def first_action(self) -> str:
        """The type of the action that runs first."""

    @property
    def lane(self) -> Lane:
        """Priority 1 to 3 takes the high lane."""


class Index(Protocol):
    """Active workflows by trigger type."""

    def matching(self, event_type: str) -> Sequence[ActiveWorkflow]:
        """Active workflows with this trigger type, in a stable order."""
