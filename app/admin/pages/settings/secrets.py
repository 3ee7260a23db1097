"""``/settings/secrets``: their names, who may use them and where they may go. No page ever holds a value."""

from typing import Any, Final
from urllib.parse import quote

from aiohttp import web

from app.admin.pages.declared import form, page
from app.admin.pages.forms import see_other
from app.admin.pages.settings.people import people
from app.admin.pages.settings.reading import REFUSED, Refused, all_of, did_of, joined, lines_of, text_of, wrong
from app.admin.pages.settings.sections import ROOT, shown
from app.admin.requests import CALLER
from app.admin.state import STATE
from app.domain.errors import NotFoundError
from app.ports import SecretEntry
from app.services.access.secrets import SecretService

_ALL: Final = f"{ROOT}/secrets"
_DID: Final = {
    "stored": "The secret is stored. Nothing shows its value again.",
    "deleted": "The secret is gone; actions that name it fail from now on.",
}


async def show_secrets(request: web.Request) -> web.Response:
    """List their names."""
    rows = await _of(request).entries(request[CALLER])
    known = await people(request, [one for row in rows for one in (row.updated_by, *row.grant.owners)])
    return shown(request, "secrets.html", rows=rows, people=known, did=did_of(request, _DID))


async def show_new(request: web.Request) -> web.Response:
    """Show the form of a new one."""
    mine = [str(request[CALLER].user_id)]
    return await _form(request, {"name": "", "owners": mine, "workflows": "*", "hosts": "*"}, None)


async def show_one(request: web.Request) -> web.Response:
    """Show the form of one, without its value."""
    entry = await _entry(request)
    grant = entry.grant
    given = {"owners": grant.owners, "workflows": joined(grant.workflows), "hosts": joined(grant.hosts)}
    return await _form(request, {"name": entry.name, **given}, entry)


async def add(request: web.Request) -> web.Response:
    """Store a new one."""
    name = text_of(request, "name").strip()
    if any(entry.name == name for entry in await _of(request).entries(request[CALLER])):
        return await _form(
            request, _typed(request, name), None, said={"name": "is there already; open it to change it"}
        )
    return await _stored(request, name, None)


async def change(request: web.Request) -> web.Response:
    """Replace one's value, or change who may use it; a value that is left empty stays."""
    entry = await _entry(request)
    return await _stored(request, entry.name, entry)


async def delete(request: web.Request) -> web.Response:
    """Remove one."""
    await _of(request).delete(request[CALLER], request.match_info["name"])
    return see_other(f"{_ALL}?did=deleted")


async def _stored(request: web.Request, name: str, entry: SecretEntry | None) -> web.Response:
    lists = {"owners": all_of(request, "owners")}
    lists |= {field: lines_of(request, field) for field in ("workflows", "hosts")}
    try:
        await _of(request).put(request[CALLER], name, text_of(request, "value") or None, lists)
    except REFUSED as error:
        return await _form(request, _typed(request, name), entry, error)
    return see_other(f"{_ALL}?did=stored")


async def _entry(request: web.Request) -> SecretEntry:
    name = request.match_info["name"]
    for entry in await _of(request).entries(request[CALLER]):
        if entry.name == name:
            return entry
    raise NotFoundError("There is no such secret")


def _typed(request: web.Request, name: str) -> dict[str, Any]:
    """Return what was typed, but for the value."""
    lines = {field: joined(lines_of(request, field)) for field in ("workflows", "hosts")}
    return {"name": name, "owners": all_of(request, "owners"), **lines}


async def _form(
    request: web.Request,
    given: dict[str, Any],
    entry: SecretEntry | None,
    error: Refused | None = None,
    said: dict[str, str] | None = None,
) -> web.Response:
    status, refused = wrong(error) if error else (422 if said else 200, said or {})
    known = await people(request, given["owners"], everybody=True)
    path = f"{_ALL}/{quote(entry.name)}" if entry else _ALL
    return shown(
        request, "secret.html", status=status, given=given, entry=entry, wrong=refused, people=known, path=path
    )


def _of(request: web.Request) -> SecretService:
    return request.app[STATE].secrets


PAGES: Final = (
    page(_ALL, "secretsPage", "Secrets", show_secrets, access="admin"),
    form(_ALL, "addSecretForm", "Store a secret", add, access="admin"),
    page(f"{_ALL}/new", "newSecretPage", "A new secret", show_new, access="admin"),
    page(f"{_ALL}/{{name}}", "secretPage", "A secret", show_one, access="admin"),
    form(f"{_ALL}/{{name}}", "changeSecretForm", "Change a secret", change, access="admin"),
    form(f"{_ALL}/{{name}}/delete", "deleteSecretForm", "Remove a secret", delete, access="admin"),
)
