"""``/customers/{customer}``: one customer, what is changed of them by forms, and all that happened around them."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Annotated, Any, Final, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from app.admin.api.systems import path_values
from app.admin.pages.customers import listing
from app.admin.pages.customers.addresses import ROOT, customer_path
from app.admin.pages.customers.fields import Kind, value_of
from app.admin.pages.customers.showing import Entered, customer_page
from app.admin.pages.customers.timeline import show_timeline
from app.admin.pages.declared import form, page
from app.admin.pages.forms import one_of_each, read_form, said_at, see_other
from app.admin.pages.lists import asked, link
from app.admin.queries import Query
from app.admin.requests import read_model
from app.admin.state import STATE
from app.domain.errors import ConflictError, FieldError, InvalidError
from app.domain.profiles import value_problem
from app.ports import HandedOn
from app.ports.systems import Repository
from app.systems import customers
from app.systems.models import NewNote, Profile, Tag

_CUSTOMER: Final = f"{ROOT}/{{customer}}"

Done = Literal["tagged", "untagged", "noted", "changed", "removed"]


class CustomerPageQuery(Query):
    """What was just done, and with which tag or field."""

    did: Done | None = None
    what: Annotated[str, Field(max_length=100)] = ""


class TagForm(BaseModel):
    """A tag that is put on, or taken off."""

    model_config = ConfigDict(extra="forbid")

    tag: Tag


class FieldForm(BaseModel):
    """A field of the profile, and the text that was entered for it."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=64)]
    kind: Kind = "text"
    value: str = ""


class FieldName(BaseModel):
    """The field that goes."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=64)]


Work = Callable[[Repository, str], Awaitable[tuple[Done, str]]]


def _of(request: web.Request) -> str:
    return str(path_values(request)["customer"])


async def show_customer(request: web.Request) -> web.Response:
    """Show one."""
    query, given, _ = asked(request, CustomerPageQuery)
    return await customer_page(request, _of(request), did=given if query.did else {})


async def _change(request: web.Request, name: str, work: Work) -> web.Response:
    """Change something of a customer, and show them; what is wrong with the form is said at its fields."""
    customer_id = _of(request)
    if request.app[STATE].outside.crm is not None:
        raise ConflictError("The customers are kept in your own CRM: change them there")
    try:
        async with request.app[STATE].systems.open(HandedOn(None)) as repo:
            did, what = await work(repo, customer_id)
    except InvalidError as error:
        return await customer_page(request, customer_id, Entered(name, said_at(error), one_of_each(request)))
    return see_other(link(customer_path(customer_id), {"did": did, "what": what}))


async def add_tag(request: web.Request) -> web.Response:
    """Put a tag on."""

    async def work(repo: Repository, customer_id: str) -> tuple[Done, str]:
        tag = read_form(request, TagForm).tag.strip()
        await customers.apply_tag(repo, customer_id, tag)
        return "tagged", tag

    return await _change(request, "tag", work)


async def remove_tag(request: web.Request) -> web.Response:
    """Take a tag off."""

    async def work(repo: Repository, customer_id: str) -> tuple[Done, str]:
        tag = read_form(request, TagForm).tag
        await customers.remove_tag(repo, customer_id, tag)
        return "untagged", tag

    return await _change(request, "tag", work)


async def add_note(request: web.Request) -> web.Response:
    """Write a note; sent twice, it is one: the form has made up its id."""

    async def work(repo: Repository, customer_id: str) -> tuple[Done, str]:
        note = read_form(request, NewNote)
        await customers.create_note(repo, customer_id, note.id, note.text)
        return "noted", ""

    return await _change(request, "note", work)


async def set_field(request: web.Request) -> web.Response:
    """Set a field of the profile."""

    async def work(repo: Repository, customer_id: str) -> tuple[Done, str]:
        said = read_form(request, FieldForm)
        value = value_of(said.kind, said.value)
        if problem := value_problem(said.name, value):
            raise InvalidError([FieldError("value", problem)])
        await _update(repo, customer_id, said.name, value)
        return "changed", said.name

    return await _change(request, "field", work)


async def remove_field(request: web.Request) -> web.Response:
    """Take a field out of the profile."""

    async def work(repo: Repository, customer_id: str) -> tuple[Done, str]:
        name = read_form(request, FieldName).name
        await _update(repo, customer_id, name, None)
        return "removed", name

    return await _change(request, "field", work)


async def _update(repo: Repository, customer_id: str, name: str, value: Any) -> None:
    """Change one field.

    Raises:
        InvalidError: It may not be called so, or the profile would be too large; at the form's own fields.
    """
    try:
        changes: Mapping[str, Any] = read_model({name: value}, Profile).fields()
        await customers.update_customer(repo, customer_id, changes)
    except InvalidError as error:
        at = "value" if all(not one.path for one in error.errors) else "name"
        raise InvalidError([type(one)(at, one.message) for one in error.errors]) from None


_writes = partial(form, permission="crm:write")
PAGES: Final = (
    *listing.PAGES,
    page(_CUSTOMER, "customerPage", "A customer", show_customer, permission="crm:read"),
    page(f"{_CUSTOMER}/timeline", "timelinePage", "A customer's timeline", show_timeline, permission="crm:read"),
    _writes(f"{_CUSTOMER}/tags", "addTagForm", "Put a tag on a customer", add_tag, conflicts=True),
    _writes(f"{_CUSTOMER}/tags/remove", "removeTagForm", "Take a tag off a customer", remove_tag, conflicts=True),
    _writes(f"{_CUSTOMER}/notes", "addNoteForm", "Write a note on a customer", add_note, conflicts=True),
    _writes(f"{_CUSTOMER}/fields", "setFieldForm", "Set a field of a customer", set_field, conflicts=True),
    _writes(
        f"{_CUSTOMER}/fields/remove", "removeFieldForm", "Remove a field of a customer", remove_field, conflicts=True
    ),
)
