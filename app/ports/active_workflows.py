"""The active workflows, as the matcher sees them."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

from app.domain.conditions import CompiledConditions
from app.domain.reentry import Reentry
from schemas.command import Lane, PinnedRevision
from schemas.workflow import Action


class ActiveWorkflow(Protocol):
    """A workflow as the table's index holds it."""

    @property
    def id(self) -> UUID:
        """Workflow id."""

    @property
    def owner(self) -> UUID:
        """Whose it is."""

    @property
    def conditions(self) -> CompiledConditions:
        """Compiled conditions."""

    @property
    def trigger_type(self) -> str:
        """The type of the events that it awaits."""

    @property
    def trigger_config(self) -> Mapping[str, Any]:
        """What else its trigger asks of an event."""

    @property
    def pinned(self) -> PinnedRevision:
        """The revision as commands carry it."""

    @property
    def encoded(self) -> bytes:
        """The pinned revision as JSON."""

    @property
    def actions(self) -> Sequence[Action]:
        """Its actions, in the order they run."""

    @property
    def lane(self) -> Lane:
        """Priority 1 to 3 takes the high lane."""

    @property
    def reentry(self) -> Reentry | None:
        """How often an entity, or a value of its key, may enter; None: always."""


class Index(Protocol):
    """Active workflows by trigger type."""

    def matching(self, event_type: str) -> Sequence[ActiveWorkflow]:
        """Active workflows with this trigger type, in a stable order."""
