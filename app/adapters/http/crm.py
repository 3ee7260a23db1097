"""The user's own CRM and Sales over HTTP, by the contract in ``docs/crm-http.md``."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import quote

import orjson

from app.actions.answers import check_answer
from app.domain.errors import ActionFailedError
from app.domain.redaction import redactor_of
from app.ports import (
    AppointmentRequest,
    AssignmentRequest,
    Cause,
    CustomerUpdate,
    HttpAnswer,
    HttpClient,
    HttpRequest,
    NoteRequest,
    TagRequest,
    TaskRequest,
)

MAX_ANSWER_BYTES: Final = 1024 * 1024
MAX_PAGE_BYTES: Final = 32 * 1024 * 1024
_LOOKS_AT_ONCE: Final = 16
_NOT_FOUND: Final = 404
_SHOWN_CHARS: Final = 80


@dataclass(frozen=True, slots=True)
class CrmServer:
    """Where the user's CRM is.

    Attributes:
        url: Without a slash at its end.
        token: Sent as a bearer token, if there is one.
        within: Seconds that one look may take.
    """

    url: str
    token: str
    within: float


class HttpReads:
    """Implements ``app.ports.CrmReads``; every method raises ``ActionFailedError`` where there is no good answer.

    Args:
        client: Sends the requests.
        server: Where the requests go.
    """

    def __init__(self, client: HttpClient, server: CrmServer) -> None:
        self._client = client
        self._server = server

    async def customers(self, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return customers by id, a request each."""
        return await self._each("crm/customers", ids)

    async def customers_after(self, after: str, limit: int) -> list[dict[str, Any]]:
        """Return a page of customers."""
        path = f"crm/customers?after={quote(after, safe='')}&limit={limit}"
        items = _field(await self._get(path, MAX_PAGE_BYTES), "items", list)
        ids = [_checked(item, None)["id"] for item in items]
        if ids != sorted(set(ids), key=str.encode) or any(one.encode() <= after.encode() for one in ids):
            raise ActionFailedError("the CRM's page of customers is not in the order of their ids", permanent=True)
        return list(items)

    async def orders(self, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return orders by id, a request each."""
        return await self._each("sales/orders", ids)

    async def _each(self, root: str, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        turns = asyncio.Semaphore(_LOOKS_AT_ONCE)

        async def look(one: str) -> dict[str, Any] | None:
            async with turns:
                found = await self._get(f"{root}/{segment(one)}", MAX_ANSWER_BYTES)
                return None if found is None else _checked(found, one)

        named = sorted(set(ids))
        found = await asyncio.gather(*map(look, named))
        return {one: thing for one, thing in zip(named, found, strict=True) if thing is not None}

    async def _get(self, path: str, limit: int) -> Any:
        request = HttpRequest("GET", f"{self._server.url}/{path}", headers(self._server))
        answer = await self._client.send(request, within=self._server.within, body_limit=limit)
        if answer.status == _NOT_FOUND:
            return None
        _check(answer, self._server)
        return _decoded(answer.body)


class HttpCrm(HttpReads):
    """Implements ``app.ports.Crm``, a request after the other; none of a batch is taken back where one fails.

    Args:
        client: Sends the requests.
        server: Where the requests go.
        key: The Idempotency-Key of the next request.
        causation: The chain that led to the changes, for the CRM's events to carry on.
        within: Seconds that one request may take.
    """

    def __init__(
        self, client: HttpClient, server: CrmServer, *, key: Callable[[], str], causation: str | None, within: float
    ) -> None:
        super().__init__(client, server)
        self._key = key
        self._causation = causation
        self._within = within

    async def apply_tags(self, requests: Sequence[TagRequest]) -> list[bool]:
        """Apply tags."""
        return [_field(await self._change("PUT", _tag(r), cause=r.origin), "applied", bool) for r in requests]

    async def remove_tags(self, requests: Sequence[TagRequest]) -> list[bool]:
        """Remove tags."""
        return [_field(await self._change("DELETE", _tag(r), cause=r.origin), "removed", bool) for r in requests]

    async def create_notes(self, requests: Sequence[NoteRequest]) -> None:
        """Write notes."""
        for r in requests:
            await self._change("POST", f"{_customer(r.customer_id)}/notes", {"id": str(r.note_id), "text": r.text})

    async def update_customers(self, requests: Sequence[CustomerUpdate]) -> list[list[str]]:
        """Change customers."""
        answers = []
        for r in requests:
            answer = await self._change("PATCH", _customer(r.customer_id), dict(r.changes), cause=r.origin)
            answers.append(sorted(map(str, _field(answer, "changed", list))))
        return answers

    async def create_appointments(self, requests: Sequence[AppointmentRequest]) -> None:
        """Make appointments."""
        for r in requests:
            body = {
                "id": str(r.appointment_id),
                "customer_id": r.customer_id,
                "title": r.title,
                "starts_at": r.starts_at.isoformat(),
                "ends_at": r.ends_at and r.ends_at.isoformat(),
                "assignee": r.assignee,
            }
            await self._change("POST", "crm/appointments", body, cause=r.origin)

    async def assign_conversations(self, requests: Sequence[AssignmentRequest]) -> list[bool]:
        """Assign conversations."""
        answers = []
        for r in requests:
            path = f"crm/conversations/{segment(r.conversation_id)}/assignee"
            answer = await self._change("PUT", path, {"assignee": r.assignee, "customer_id": r.customer_id})
            answers.append(_field(answer, "assigned", bool))
        return answers

    async def create_tasks(self, requests: Sequence[TaskRequest]) -> None:
        """Make tasks."""
        for r in requests:
            body = {
                "id": str(r.task_id),
                "customer_id": r.customer_id,
                "title": r.title,
                "description": r.description,
                "assignee": r.assignee,
                "due_at": r.due_at and r.due_at.isoformat(),
            }
            await self._change("POST", "crm/tasks", body)

    async def _change(self, method: str, path: str, body: Any = None, *, cause: Cause | None = None) -> Any:
        sent = {**headers(self._server), "Idempotency-Key": self._key()}
        chain = cause.causation if cause is not None else self._causation
        if chain:
            sent["Headrace-Causation"] = chain
        if body is not None:
            sent["Content-Type"] = "application/json"
        request = HttpRequest(method, f"{self._server.url}/{path}", sent, None if body is None else orjson.dumps(body))
        answer = await self._client.send(request, within=self._within, body_limit=MAX_ANSWER_BYTES)
        _check(answer, self._server)
        return _decoded(answer.body) if answer.body else None


def _check(answer: HttpAnswer, server: CrmServer) -> None:
    """Return if the status is 2xx; what any other quotes holds nothing of the token."""
    bad = answer.status >= 300  # noqa: PLR2004 - the status classes of HTTP are best read as numbers
    redact = redactor_of(frozenset({server.token} if bad and server.token else ()))
    check_answer(replace(answer, body=redact.text(answer.body)) if bad else answer)


def headers(server: CrmServer) -> dict[str, str]:
    """Return what every request carries."""
    return {"Accept": "application/json"} | ({"Authorization": f"Bearer {server.token}"} if server.token else {})


def segment(value: str) -> str:
    """Return an id as a segment of a path.

    Raises:
        ActionFailedError: Permanent; ``.`` and ``..`` cannot be one.
    """
    if value in {".", ".."}:
        raise ActionFailedError(f"an id of {value!r} cannot be part of an address", permanent=True)
    return quote(value, safe="")


def _customer(customer_id: str) -> str:
    return f"crm/customers/{segment(customer_id)}"


def _tag(request: TagRequest) -> str:
    return f"{_customer(request.customer_id)}/tags/{segment(request.tag)}"


def _decoded(body: str) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise ActionFailedError("the CRM's answer is not JSON", permanent=True, effect_unknown=True) from None


def _field(answer: Any, name: str, kind: type[Any]) -> Any:
    """Return a field of an answer that the contract asks for."""
    found = answer.get(name) if isinstance(answer, Mapping) else None
    if not isinstance(found, kind):
        wanted = {bool: "true or false", list: "a list"}[kind]
        raise ActionFailedError(f"the CRM's answer has no {name}, {wanted}", permanent=True, effect_unknown=True)
    return found


def _checked(thing: Any, thing_id: str | None) -> dict[str, Any]:
    """Refuse a thing without an id, or with another one than was asked for."""
    found = thing.get("id") if isinstance(thing, dict) else None
    if not isinstance(found, str) or (thing_id is not None and found != thing_id):
        asked = "a customer" if thing_id is None else thing_id[:_SHOWN_CHARS]
        raise ActionFailedError(f"the CRM's answer for {asked} has no such id", permanent=True)
    whole: dict[str, Any] = thing
    return whole
