"""``/settings/channels``: where notifications go. A URL goes in, and is never shown again."""

from typing import Any, Final
from uuid import UUID

from aiohttp import web

from app.admin.pages.declared import form, page
from app.admin.pages.forms import see_other
from app.admin.pages.settings.people import People, people
from app.admin.pages.settings.reading import (
    REFUSED,
    Refused,
    all_of,
    did_of,
    joined,
    lines_of,
    text_of,
    version_of,
    wrong,
)
from app.admin.pages.settings.sections import ROOT, shown
from app.admin.requests import CALLER, path_id
from app.admin.state import STATE, Messages
from app.domain.errors import NotFoundError
from schemas.channel import Channel

_ALL: Final = f"{ROOT}/channels"
_DID: Final = {
    "added": "The channel is there. Send a test to see whether it works.",
    "changed": "The channel is changed.",
    "deleted": "The channel is gone.",
}
_NEW: Final = {"name": "", "owners": [], "workflows": "*", "version": ""}


async def show_channels(request: web.Request) -> web.Response:
    """List them."""
    rows = await _of(request).channels.all(request[CALLER])
    known = await people(request, [owner for row in rows for owner in row.owners])
    return shown(request, "channels.html", rows=rows, people=known, sent=None, did=did_of(request, _DID))


async def show_new(request: web.Request) -> web.Response:
    """Show the form of a new one."""
    return await _form(request, {**_NEW, "owners": [str(request[CALLER].user_id)]})


async def show_one(request: web.Request) -> web.Response:
    """Show the form of one."""
    channel = await _of(request).channels.get(request[CALLER], path_id(request, "channel"))
    return await _form(request, _written(channel), channel)


async def add(request: web.Request) -> web.Response:
    """Store a new one."""
    try:
        await _of(request).channels.create(request[CALLER], _draft(request))
    except REFUSED as error:
        return await _form(request, _typed(request), error=error)
    return see_other(f"{_ALL}?did=added")


async def change(request: web.Request) -> web.Response:
    """Change one; a URL that is left empty stays."""
    channel_id, caller = path_id(request, "channel"), request[CALLER]
    channel, draft = await _of(request).channels.get(caller, channel_id), _draft(request)
    try:
        if draft.get("name") != channel.name:
            await _of(request).channel_tests.forget(caller, channel.name)
        await _of(request).channels.replace(caller, channel_id, version_of(request), draft)
    except REFUSED as error:
        return await _form(request, _typed(request), channel, error=error)
    return see_other(f"{_ALL}?did=changed")


async def delete(request: web.Request) -> web.Response:
    """Remove one."""
    channel = await _of(request).channels.get(request[CALLER], path_id(request, "channel"))
    await _of(request).channel_tests.forget(request[CALLER], channel.name)
    await _of(request).channels.delete(request[CALLER], channel.id, None)
    return see_other(f"{_ALL}?did=deleted")


async def test(request: web.Request) -> web.Response:
    """Send a test, and lead to what becomes of it."""
    channel = await _of(request).channels.get(request[CALLER], path_id(request, "channel"))
    sent = await _of(request).channel_tests.send(request[CALLER], channel)
    return see_other(f"{_ALL}/{channel.id}/tested?execution={sent}")


async def show_tested(request: web.Request) -> web.Response:
    """Say where to find what became of a test."""
    channel = await _of(request).channels.get(request[CALLER], path_id(request, "channel"))
    sent = request.query.get("execution", "")
    return shown(request, "channel_tested.html", channel=channel, sent=sent, found=await _outcome(request, sent))


async def _outcome(request: web.Request, sent: str) -> Any:
    """Return the execution of a test; None until it has ended."""
    try:
        return await request.app[STATE].runs.executions.get(request[CALLER], UUID(sent))
    except (NotFoundError, ValueError):
        return None


def _draft(request: web.Request) -> dict[str, Any]:
    url = text_of(request, "url").strip()
    lists = {"owners": all_of(request, "owners"), "workflows": lines_of(request, "workflows")}
    return {"name": text_of(request, "name").strip(), **lists, **({"url": url} if url else {})}


def _typed(request: web.Request) -> dict[str, Any]:
    """Return what was typed, but for the URL: a page never holds one."""
    draft = _draft(request)
    return {**draft, "workflows": joined(draft["workflows"]), "version": text_of(request, "version")}


def _written(channel: Channel) -> dict[str, Any]:
    return {
        "name": channel.name,
        "owners": channel.owners,
        "workflows": joined(channel.workflows),
        "version": channel.version,
    }


async def _form(
    request: web.Request, given: dict[str, Any], channel: Channel | None = None, error: Refused | None = None
) -> web.Response:
    status, said = wrong(error) if error else (200, {})
    known: People = await people(request, given["owners"], everybody=True)
    return shown(request, "channel.html", status=status, given=given, channel=channel, wrong=said, people=known)


def _of(request: web.Request) -> Messages:
    return request.app[STATE].messages


PAGES: Final = (
    page(_ALL, "channelsPage", "Channels", show_channels, access="admin"),
    form(_ALL, "addChannelForm", "Add a channel", add, access="admin", conflicts=True),
    page(f"{_ALL}/new", "newChannelPage", "A new channel", show_new, access="admin"),
    page(f"{_ALL}/{{id}}", "channelPage", "A channel", show_one, access="admin"),
    form(f"{_ALL}/{{id}}", "changeChannelForm", "Change a channel", change, access="admin", conflicts=True),
    form(f"{_ALL}/{{id}}/delete", "deleteChannelForm", "Remove a channel", delete, access="admin", conflicts=True),
    form(f"{_ALL}/{{id}}/test", "testChannelForm", "Send a test to a channel", test, access="admin", conflicts=True),
    page(f"{_ALL}/{{id}}/tested", "testedChannelPage", "A test of a channel", show_tested, access="admin"),
)
