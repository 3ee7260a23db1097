"""Operations: what the API offers, declared once; routes, access checks and the OpenAPI document all come from here."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from aiohttp import web
from pydantic import BaseModel

from app.admin.limits import KIB
from app.domain.callers import Permission

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Access = Literal["public", "user", "admin"]

JSON: Final = "application/json"
EVENT_STREAM: Final = "text/event-stream"
MERGE_PATCH: Final = "application/merge-patch+json"
_NO_CONTENT: Final = 204
_REDIRECTS: Final = 300

# In the order in which the document and its page show them.
TAGS: Final[Mapping[str, str]] = {
    "workflows": "What runs when: triggers, conditions and actions, with their drafts, revisions and trials",
    "templates": "Workflow templates: the gallery that workflows are made from",
    "message-templates": "Texts with a name, for the actions that send messages",
    "executions": "What ran, what waits, what did not run, and why",
    "events": "The way in for events, and what became of them",
    "types": "What workflows can be made of: event types and action types",
    "queue": "How deep the queue is, and what is behind it",
    "dead-letters": "Records that could not be processed; for who may operate",
    "notifications": "The caller's inbox",
    "search": "Names and ids, over everything that the caller may see",
    "channels": "Where notifications go; for administrators",
    "secrets": "Named values that actions use; for administrators, and never answered",
    "session": "Signing in and out, as people do",
    "users": "Who may sign in, and what they may; for administrators",
    "api-keys": "Keys of services; for administrators",
    "audit": "Who changed what; for administrators",
    "crm": "The reference CRM: customers, tags, notes, tasks, appointments, conversations",
    "sales": "The reference system of orders",
    "affiliates": "The reference system of partners and their commissions",
    "service": "The service itself: health, metrics, this document",
}


@dataclass(frozen=True, slots=True)
class Body:
    """What an operation reads.

    Attributes:
        models: The model by content type, and whether the body is a list of it.
        most: Bytes that it may have, unpacked.
        optional: Whether it may be left out, which is as an object without keys.
        example: One that is accepted as it is, of the single thing where the body may be a list; a test sends it.
    """

    models: Mapping[str, tuple[type[BaseModel], bool]]
    most: int = 256 * KIB
    optional: bool = False
    example: Any = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one path.

    Attributes:
        name: Unique; the ``operationId``.
        access: Who may call it; ``admin`` is a user too.
        permission: What a user needs beside ``access``; an administrator has them all.
        answers: Model of each success status' body, None where there is no body.
        tag: Under which of ``TAGS`` the document shows it.
        query: Model of the query string, whose unknown keys are refused.
        etag: The answer carries the version as ``ETag``.
        if_match: Whether ``If-Match`` is read, and must be there; ``over``: where there is something to overwrite.
        conflicts: The thing may be in a state in which this cannot be done: 409.
        repeatable: ``Idempotency-Key`` and ``Headrace-Causation`` are read.
        attempts: It is public, and attempts are counted: 401, 403 and 429.
        content_type: The content type of the success answer.
        counted: Which limit its requests are counted against; an export is never a mere page that is read, a look is
            always one: it changes nothing, and a page may ask for it as one types.
        or_content_types: Those that it may have instead.
        lasting: The answer takes as long as its reader likes: how long says nothing of how fast we are.
    """

    method: str
    path: str
    name: str
    summary: str
    handler: Handler
    answers: Mapping[int, type[BaseModel] | None]
    tag: str = field(kw_only=True)
    access: Access = "user"
    permission: Permission | None = None
    body: Body | None = None
    query: type[BaseModel] | None = None
    etag: bool = False
    if_match: Literal["no", "optional", "over", "required"] = "no"
    conflicts: bool = False
    repeatable: bool = False
    attempts: bool = False
    content_type: str = JSON
    counted: Literal["requests", "events", "exports", "looks"] = "requests"
    or_content_types: tuple[str, ...] = ()
    lasting: bool = False

    @property
    def kinds(self) -> tuple[str, ...]:
        """The content types that a success may have; none where it has no body, or is a redirect."""
        has_body = any(status < _REDIRECTS and status != _NO_CONTENT for status in self.answers)
        return (self.content_type, *self.or_content_types) if has_body else ()

    @property
    def open_to_keys(self) -> bool:
        """Whether an API key may call it: to read, or with a permission; what makes a thing that a user owns is not."""
        return self.permission is not None or self.method == "GET"


OPERATION: Final = web.RequestKey("operation", Operation)
