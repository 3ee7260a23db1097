"""Customers of the reference CRM, their tags and notes."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID, uuid4

import orjson
from psycopg import errors

from app.domain.errors import ConflictError, FieldError, InvalidError, NotFoundError
from app.ports import CustomerUpdate, NoteRequest, TagRequest
from app.ports.crm import SOURCE
from app.ports.systems import Kind, Repository, Row

NOTE: Final = Kind("note", "crm.notes", "note_id", "note_id AS id, customer_id, text, created_at", status=None)


async def create_customer(
    repository: Repository, customer_id: str | None, profile: Mapping[str, Any], tags: list[str]
) -> Row:
    """Enter a new customer (``customer.created``); tags that they begin with are not announced one by one.

    Raises:
        ConflictError: There is one of this id.
    """
    named = customer_id or str(uuid4())
    fields = {name: value for name, value in profile.items() if value is not None}
    if not await repository.add_customer(named, orjson.dumps(fields).decode(), tags):
        raise ConflictError(f"There is a customer {named} already")
    customer = await repository.customer(named)
    await repository.announce(SOURCE, "customer.created", named, {"customer": customer})
    return customer


async def get_customer(repository: Repository, customer_id: str) -> Row:
    """Return a customer.

    Raises:
        NotFoundError: There is no such customer.
    """
    found = await repository.crm.customers([customer_id])
    if customer_id not in found:
        raise NotFoundError("There is no such customer")
    return found[customer_id]


async def update_customer(repository: Repository, customer_id: str, changes: Mapping[str, Any]) -> Row:
    """Change fields (``customer.updated``); a customer who is not known is entered. Returns them, and what changed.

    Raises:
        InvalidError: The profile would be too large.
    """
    try:
        (changed,) = await repository.crm.update_customers([CustomerUpdate(customer_id, changes, repository.cause)])
    except errors.CheckViolation:
        raise InvalidError([FieldError("", "the profile would have more than 64 KiB")]) from None
    return {"changed": changed, "customer": await repository.customer(customer_id)}


async def delete_customer(repository: Repository, customer_id: str) -> None:
    """Forget a customer, with tags and notes (``customer.deleted``, which tells who they were).

    What they bought, and what was agreed with them, stays.

    Raises:
        NotFoundError: There is no such customer.
    """
    await repository.lock_customer(customer_id)
    customer = await get_customer(repository, customer_id)
    await repository.forget_customer(customer_id)
    await repository.announce(SOURCE, "customer.deleted", customer_id, {"customer": customer})


async def apply_tag(repository: Repository, customer_id: str, tag: str) -> Row:
    """Put a tag on a customer (``tag.applied``)."""
    (applied,) = await repository.crm.apply_tags([TagRequest(customer_id, tag, repository.cause)])
    return {"tag": tag, "applied": applied}


async def remove_tag(repository: Repository, customer_id: str, tag: str) -> Row:
    """Take a tag off a customer (``tag.removed``)."""
    (removed,) = await repository.crm.remove_tags([TagRequest(customer_id, tag, repository.cause)])
    return {"tag": tag, "removed": removed}


async def create_note(repository: Repository, customer_id: str, note_id: UUID | None, text: str) -> Row:
    """Write a note; one of this id that is there already is left as it is."""
    named = note_id or uuid4()
    await repository.crm.create_notes([NoteRequest(named, customer_id, text)])
    return await repository.get(NOTE, named)
