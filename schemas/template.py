"""Workflow templates: what a user writes, and what the gallery shows."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import ConfigDict, Field

from schemas.base import Contract
from schemas.placeholder import MAX_PLACEHOLDERS, Placeholder
from schemas.problem import ProblemError
from schemas.workflow import Action, Name, StoredReentry, Trigger, WorkflowDraft

Category = Annotated[
    str,
    Field(
        max_length=100,
        pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$",
        description="One of your own, or of the built-in ones: welcome, reengagement, sales, support",
    ),
]


class TemplateDraft(WorkflowDraft):
    """A template as a user writes it: a workflow's draft, with where it stands in the gallery and who sees it.

    In the workflow's texts ``[[name]]`` stands for a placeholder's value.
    """

    SAID_ELSEWHERE: ClassVar[Mapping[str, str]] = {}

    category: Category | None = None
    is_public: Annotated[bool, Field(description="True: every user sees it; false: its creator only")] = False
    placeholders: Annotated[list[Placeholder], Field(max_length=MAX_PLACEHOLDERS)] = Field(default_factory=list)


class TemplateMetadata(Contract):
    """How a template made from a workflow is presented; name and description default to the workflow's."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    description: Annotated[str | None, Field(max_length=10_000)] = None
    category: Category | None = None
    is_public: bool = False


class Template(Contract):
    """A template as the API shows it.

    Attributes:
        placeholders: What it asks for when it is applied; ``GET …/form`` has their JSON Schema.
        usage_count: How often it was applied.
        unreadable: What cannot be read of its row, and is left out here.
    """

    id: UUID
    name: str
    description: str
    category: str | None
    is_public: bool
    priority: int
    reentry: StoredReentry
    trigger: Trigger
    conditions: list[dict[str, Any]]
    actions: list[Action]
    placeholders: list[dict[str, Any]] = Field(default_factory=list)
    version: int
    usage_count: int
    created_by: UUID
    created_at: datetime
    updated_at: datetime
    unreadable: list[ProblemError] = Field(default_factory=list)
