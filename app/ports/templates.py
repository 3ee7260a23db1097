"""Workflow templates: where they are kept."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from app.domain.callers import Caller
from app.domain.paging import Position
from schemas.template import Template


@dataclass(frozen=True, slots=True)
class TemplateFilter:
    """Which templates to list; None does not filter. ``search`` looks into name and description."""

    category: str | None = None
    trigger_type: str | None = None
    search: str | None = None
    public: bool | None = None
    mine: bool = False


class TemplateTransaction(Protocol):
    """One transaction on templates, on a caller's behalf."""

    async def get(self, template_id: UUID) -> Template | None:
        """Return a template that the caller may change, locked until the transaction ends."""

    async def insert(self, template: Template) -> Template:
        """Store a new template, and return it as it is stored: its version and times are the database's.

        Raises:
            ConflictError: Its owner has as many as a user may.
        """

    async def update(self, template: Template) -> Template:
        """Store a template's new version, and return it as it is stored."""

    async def delete(self, template_id: UUID) -> None:
        """Remove a template."""


class TemplateStore(Protocol):
    """Where templates are kept; what a caller may not see is not there."""

    def transaction(self, caller: Caller) -> AbstractAsyncContextManager[TemplateTransaction]:
        """Open a transaction: it commits at the end of the block, and not at all where the block raises."""

    async def get(self, caller: Caller, template_id: UUID) -> Template | None:
        """Return a template that the caller may see."""

    async def find(
        self, caller: Caller, wanted: TemplateFilter, after: Position | None, limit: int
    ) -> Sequence[Template]:
        """Return at most ``limit`` templates, newest first, from after a position on."""

    async def categories(self, caller: Caller) -> Sequence[tuple[str | None, int]]:
        """Return the categories of the templates that the caller may see, and how many each has."""


class KeptLists(Protocol):
    """Lists of templates that a process keeps, as long as it hears of every change."""

    def trust(self) -> None:
        """Every change is told from now on."""

    def distrust(self) -> None:
        """Changes may pass untold."""

    def forget(self) -> None:
        """A template has changed."""
