"""``/settings/keys``: keys of other programs, for administrators. A key is shown once."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from aiohttp import web

from app.admin.key_models import ApiKeyDraft
from app.admin.pages.declared import form, page
from app.admin.pages.forms import see_other
from app.admin.pages.settings.people import people
from app.admin.pages.settings.reading import REFUSED, Refused, all_of, did_of, text_of, wrong
from app.admin.pages.settings.sections import ROOT, shown
from app.admin.pages.settings.words import PERMISSIONS
from app.admin.requests import CALLER, path_id, read_model
from app.admin.state import STATE
from app.domain.api_keys import KEY_PERMISSIONS
from app.ports import ApiKey
from app.services.access.api_keys import ApiKeyService

_ALL: Final = f"{ROOT}/keys"
_DID: Final = {"revoked": "The key is revoked; it is refused within a few seconds."}
_OVERLAP: Final = timedelta(days=1)
_LIVES: Final = {"": "Until it is revoked", "30": "30 days", "90": "90 days", "365": "A year"}
_SCOPES: Final = {name: said for name, said in PERMISSIONS.items() if name in KEY_PERMISSIONS}


async def show_keys(request: web.Request) -> web.Response:
    """List them."""
    now, rows = datetime.now(UTC), await _of(request).entries(request[CALLER])
    known = await people(request, [row.created_by for row in rows])
    shown_rows = [(row, _state(row, now)) for row in rows]
    return shown(request, "keys.html", rows=shown_rows, people=known, scopes=PERMISSIONS, did=did_of(request, _DID))


def _state(key: ApiKey, now: datetime) -> str:
    if key.revoked_at is not None:
        return "Revoked"
    if key.expires_at is not None and key.expires_at <= now:
        return "Expired"
    return "Replaced" if key.replaced_by is not None else "In use"


async def show_new(request: web.Request) -> web.Response:
    """Show the form of a new one."""
    return _form(request, {"name": "", "permissions": [], "lives": ""})


async def add(request: web.Request) -> web.Response:
    """Make one, and show it once."""
    typed = {"name": text_of(request, "name").strip(), "permissions": all_of(request, "permissions")}
    lives = text_of(request, "lives")
    days = timedelta(days=int(lives)) if lives in _LIVES and lives else None
    try:
        draft = read_model(typed, ApiKeyDraft)
        expires = datetime.now(UTC) + days if days else None
        made, key = await _of(request).create(request[CALLER], draft.name, draft.permissions, expires)
    except REFUSED as error:
        return _form(request, {**typed, "lives": lives}, error)
    return shown(request, "key_made.html", made=made, key=key, before=None)


async def replace(request: web.Request) -> web.Response:
    """Make one in place of another, which holds for a day yet, and show it once."""
    made, key = await _of(request).rotate(request[CALLER], path_id(request, "API key"), _OVERLAP)
    return shown(request, "key_made.html", made=made, key=key, before=_OVERLAP)


async def revoke(request: web.Request) -> web.Response:
    """Revoke one."""
    await _of(request).revoke(request[CALLER], path_id(request, "API key"))
    return see_other(f"{_ALL}?did=revoked")


def _form(request: web.Request, given: dict[str, Any], error: Refused | None = None) -> web.Response:
    status, said = wrong(error) if error else (200, {})
    return shown(request, "key.html", status=status, given=given, wrong=said, permissions=_SCOPES, lives=_LIVES)


def _of(request: web.Request) -> ApiKeyService:
    return request.app[STATE].access.api_keys


PAGES: Final = (
    page(_ALL, "keysPage", "API keys", show_keys, access="admin"),
    form(_ALL, "addKeyForm", "Make an API key", add, access="admin", conflicts=True),
    page(f"{_ALL}/new", "newKeyPage", "A new API key", show_new, access="admin"),
    form(f"{_ALL}/{{id}}/replace", "replaceKeyForm", "Replace an API key", replace, access="admin", conflicts=True),
    form(f"{_ALL}/{{id}}/revoke", "revokeKeyForm", "Revoke an API key", revoke, access="admin"),
)
