"""Ids as segments of paths: whatever an id may hold arrives, and no browser takes it for a part of the way."""

import re
from typing import Final
from urllib.parse import quote

from aiohttp import web

from app.admin.operations import Handler

# Browsers, and most clients, take these for steps up the path, however they are encoded; no id ends in a line's end.
_STEPS: Final = frozenset({".", ".."})
_MARK: Final = "\n"
_PLACE: Final = re.compile(r"\{(\w+)\}")


def segment(value: str) -> str:
    """Return an id as a segment of a path."""
    return quote(f"{value}{_MARK}" if value in _STEPS else value, safe="")


def pattern(path: str) -> str:
    """Return a path as the router has it, whose places take all that a segment may hold; its own take no braces."""
    return _PLACE.sub(r"{\1:[^/]+}", path)


def placed(handler: Handler) -> Handler:
    """Wrap a handler: the ids that it finds in its path are as they were before ``segment``."""

    async def handle(request: web.Request) -> web.StreamResponse:
        for name, value in request.match_info.items():
            if value.removesuffix(_MARK) in _STEPS:
                request.match_info[name] = value.removesuffix(_MARK)
        return await handler(request)

    return handle
