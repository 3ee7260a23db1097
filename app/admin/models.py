"""What the API takes and gives beyond the contracts in ``schemas``: pages, queries, lists, health."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from app.admin.queries import Cursor, Limit, Text
from app.admin.queries import Query as _Query
from app.domain.secret_names import value_problem
from app.ports.dead_letter_box import DeadLetterSummary
from app.ports.workflows import WorkflowSort
from schemas.grants import GrantedHosts, GrantedIds
from schemas.moments import Moment
from schemas.reading import refused_by
from schemas.template import Template
from schemas.workflow import Workflow


class WorkflowQuery(_Query):
    """Which workflows to list, in which order; ``search`` looks into name and description."""

    active: bool | None = None
    trigger_type: Text = None
    search: Text = None
    owner: Annotated[UUID | None, Field(description="Whose; for administrators, who see everybody's")] = None
    draft: Annotated[bool | None, Field(description="Whether what is live has a draft beside it")] = None
    deleted: Annotated[bool, Field(description="Those that are deleted, instead of those that are not")] = False
    sort: Annotated[WorkflowSort, Field(description="With a minus the other way round; those that never ran last")] = (
        "-created_at"
    )
    limit: Limit = 50
    cursor: Annotated[
        str | None, Field(max_length=2000, description="The next_cursor of the page before, in the same order")
    ] = None


class CustomerQuery(_Query):
    """Which customers to list: those whose ids come ``after`` one, in the order of their bytes."""

    after: Annotated[str, Field(max_length=256)] = ""
    limit: Annotated[int, Field(ge=1, le=500, description="Rows a page")] = 50


class ThingQuery(_Query):
    """Which things of a reference system to list."""

    customer_id: Text = None
    status: Text = None
    limit: Limit = 50
    cursor: Annotated[str | None, Field(max_length=2000, description="The next_cursor of the page before")] = None


class WorkflowPatch(BaseModel):
    """A JSON merge patch of a workflow; lists are replaced whole. The merged draft is checked like a new one."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = None
    description: str | None = None
    priority: int | None = None
    reentry: str | dict[str, Any] | None = None
    trigger: dict[str, Any] | None = None
    conditions: list[dict[str, Any]] | None = None
    actions: list[dict[str, Any]] | None = None


class WorkflowPage(BaseModel):
    """Workflows, newest first."""

    items: list[Workflow]
    next_cursor: str | None


class Accepted(BaseModel):
    """Events that Kafka has for good, in the order they were sent."""

    ids: list[str]


class ActionTypeView(BaseModel):
    """An action type and the JSON Schema of its config."""

    type: str
    family: str
    description: str
    config_schema: dict[str, Any]


class ActionTypeList(BaseModel):
    """Every action type."""

    items: list[ActionTypeView]


class Check(BaseModel):
    """How one thing that the API stands on does."""

    ok: bool
    detail: str = ""


class Health(BaseModel):
    """Whether the API can do its work."""

    status: Literal["ok", "failing"]
    checks: dict[str, Check] = Field(default_factory=dict)


class DeadLetterQuery(_Query):
    """Which dead letters to list: those with numbers under ``before``; ``from`` and ``to`` are of ``failed_at``."""

    model_config = ConfigDict(extra="forbid", serialize_by_alias=True)

    state: Literal["open", "replayed", "discarded"] | None = None
    topic: Text = None
    reason: Text = None
    role: Text = None
    event_id: Text = None
    source: Annotated[str | None, Field(min_length=1, max_length=1024)] = None
    entity: Text = None
    since: Annotated[Moment | None, Field(alias="from")] = None
    until: Annotated[Moment | None, Field(alias="to")] = None
    before: Annotated[int | None, Field(ge=1, le=2**63 - 1)] = None
    limit: Limit = 50


class DeadLetterPage(BaseModel):
    """Dead letters, newest first; the next page is that ``before`` the last one's number."""

    items: list[DeadLetterSummary]


class TemplateQuery(_Query):
    """Which templates to list; ``search`` looks into name and description, ``mine`` leaves out other users'."""

    category: Text = None
    trigger_type: Text = None
    search: Text = None
    public: bool | None = None
    mine: bool = False
    limit: Limit = 50
    cursor: Cursor = None


class TemplatePage(BaseModel):
    """Templates, newest first."""

    items: list[Template]
    next_cursor: str | None


class TemplatePatch(WorkflowPatch):
    """A JSON merge patch of a template."""

    category: str | None = None
    is_public: bool | None = None
    placeholders: list[dict[str, Any]] | None = None


class TemplateApplication(WorkflowPatch):
    """The placeholders' values by name, and a JSON merge patch of what is to differ otherwise."""

    placeholders: dict[str, Any] | None = None


class TemplateForm(BaseModel):
    """What a template asks for: the JSON Schema of ``placeholders``, as ``apply`` takes them."""

    form: dict[str, Any]


class TemplateCategory(BaseModel):
    """A category, and how many templates of it the caller can list."""

    category: str | None
    templates: int


class TemplateCategories(BaseModel):
    """Every category that has templates, by name; those without one last."""

    items: list[TemplateCategory]


class SecretValue(_Query):
    """What a secret is to be, and who may use it; what is left out stays as it is.

    Attributes:
        value: 8 characters to 8 KiB, without white space around it.
        owners: Ids of users whose workflows may use it; a new secret is for those of who stores it. ``*``: all.
        workflows: Ids of the workflows that may. ``*``: all.
        hosts: Where it may be sent, such as ``api.example.com``, ``*.example.com``, ``a.example:8443``.
    """

    value: Annotated[str, refused_by(value_problem)] | None = None
    owners: GrantedIds | None = None
    workflows: GrantedIds | None = None
    hosts: GrantedHosts | None = None


class SecretView(BaseModel):
    """What may be seen of a secret: its name, who wrote it last and when, who may use it, and where it may go."""

    name: str
    updated_by: UUID
    updated_at: AwareDatetime
    owners: list[str]
    workflows: list[str]
    hosts: list[str]


class SecretList(BaseModel):
    """Every secret, by name."""

    items: list[SecretView]
