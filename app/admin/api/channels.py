"""``/api/v1/channels``: where notifications go, by name; for administrators, who write the URLs and never see one."""

from dataclasses import replace
from typing import Final

from aiohttp import web

from app.admin.message_models import ChannelList
from app.admin.operations import JSON, Body, Operation
from app.admin.requests import CALLER, answer, etag, expected_version, path_id, read_document
from app.admin.state import STATE
from app.services.messages.channels import ChannelService
from schemas.channel import Channel, ChannelDraft

_ROOT: Final = "/api/v1/channels"
_ONE: Final = f"{_ROOT}/{{id}}"


async def create_channel(request: web.Request) -> web.Response:
    """Store a new channel."""
    made = await _service(request).create(request[CALLER], await read_document(request, (JSON,)))
    return answer(made, 201, {**etag(made.version), "Location": f"{_ROOT}/{made.id}"})


async def list_channels(request: web.Request) -> web.Response:
    """List all."""
    return answer(ChannelList(items=list(await _service(request).all(request[CALLER]))))


async def get_channel(request: web.Request) -> web.Response:
    """Show one, without its URL."""
    return _shown(await _service(request).get(request[CALLER], path_id(request, "channel")))


async def replace_channel(request: web.Request) -> web.Response:
    """Replace its name and URL."""
    channel_id, version = path_id(request, "channel"), expected_version(request, required=True)
    raw = await read_document(request, (JSON,))
    return _shown(await _service(request).replace(request[CALLER], channel_id, version, raw))


async def delete_channel(request: web.Request) -> web.Response:
    """Remove one that no workflow uses."""
    version = expected_version(request, required=False)
    await _service(request).delete(request[CALLER], path_id(request, "channel"), version)
    return web.Response(status=204)


def _shown(channel: Channel) -> web.Response:
    return answer(channel, headers=etag(channel.version))


def _service(request: web.Request) -> ChannelService:
    return request.app[STATE].messages.channels


_EXAMPLE: Final = {"name": "sales", "url": "json://alerts.example.com/sales", "owners": ["*"]}
_DRAFT: Final = Body({JSON: (ChannelDraft, False)}, example=_EXAMPLE)
_REPLACED: Final = replace(_DRAFT, example={"name": "sales-team", "owners": ["*"]})

OPERATIONS: Final = (
    Operation(
        "POST", _ROOT, "createChannel", "Create a channel; its URL is sealed, and never answered", create_channel,
        {201: Channel}, tag="channels", access="admin", body=_DRAFT, etag=True, conflicts=True,
    ),
    Operation(
        "GET", _ROOT, "listChannels", "List channels by name, without their URLs", list_channels,
        {200: ChannelList}, tag="channels", access="admin",
    ),
    Operation(
        "GET", _ONE, "getChannel", "Show a channel, without its URL", get_channel,
        {200: Channel}, tag="channels", access="admin", etag=True,
    ),
    Operation(
        "PUT", _ONE, "replaceChannel", "Replace a channel's name and URL; without a URL it keeps the one it has",
        replace_channel, {200: Channel}, tag="channels",
        access="admin", body=_REPLACED, etag=True, if_match="required", conflicts=True,
    ),
    Operation(
        "DELETE", _ONE, "deleteChannel", "Remove a channel that no workflow uses", delete_channel,
        {204: None}, tag="channels", access="admin", if_match="optional", conflicts=True,
    ),
)  # fmt: skip
