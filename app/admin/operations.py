"""Operations: what the API offers, declared once; routes, access checks and the OpenAPI document all come from here."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from aiohttp import web
from pydantic import BaseModel

from app.admin.limits import KIB
from app.domain.callers import Permission

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Access = Literal["public", "user", "admin"]

JSON: Final = "application/json"
MERGE_PATCH: Final = "application/merge-patch+json"


@dataclass(frozen=True, slots=True)
class Body:
    """What an operation reads.

    Attributes:
        models: The model by content type, and whether the body is a list of it.
        most: Bytes that it may have, unpacked.
    """

    models: Mapping[str, tuple[type[BaseModel], bool]]
    most: int = 256 * KIB


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one path.

    Attributes:
        name: Unique; the ``operationId``.
        access: Who may call it; ``admin`` is a user too.
        permission: What a user needs beside ``access``; an administrator has them all.
        answers: Model of each success status' body, None where there is no body.
        query: Model of the query string, whose unknown keys are refused.
        etag: The answer carries the version as ``ETag``.
        if_match: Whether ``If-Match`` is read, and must be there.
        conflicts: The thing may be in a state in which this cannot be done: 409.
        repeatable: ``Idempotency-Key`` and ``Headrace-Causation`` are read.
        content_type: The content type of the success answer.
    """

    method: str
    path: str
    name: str
    summary: str
    handler: Handler
    answers: Mapping[int, type[BaseModel] | None]
    access: Access = "user"
    permission: Permission | None = None
    body: Body | None = None
    query: type[BaseModel] | None = None
    etag: bool = False
    if_match: Literal["no", "optional", "required"] = "no"
    conflicts: bool = False
    repeatable: bool = False
    content_type: str = JSON

    @property
    def open_to_keys(self) -> bool:
        """Whether an API key may call it: to read, or with a permission; what makes a thing that a user owns is not."""
        return self.permission is not None or self.method == "GET"


OPERATION: Final = web.RequestKey("operation", Operation)
