"""Styles and scripts: read once, packed once, and kept by browsers for good under a path that names what is in them.

The path has one digest of all of them, so that a module finds its neighbours by a relative path, and none of them is of
another version than the others.
"""

import gzip
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from aiohttp import web

from app.admin.pages.shared_words import shared_words

_TYPES: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_IMPORTED: Final = re.compile(r"""^import\s(?:[^"']*\sfrom\s)?"(\.{1,2}/[^"]+)";""", re.MULTILINE)
_FOR_GOOD: Final = "public, max-age=31536000, immutable"
PATH: Final = "/static/{version}/{name:.+}"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, as it is and packed."""

    content_type: str
    body: bytes
    packed: bytes


@cache
def assets() -> Mapping[str, Asset]:
    """Return every file by its name below ``static``."""
    read = dict(_read(files("app.admin.pages") / "static", ""))
    return read | {name: _asset(_TYPES[".js"], source.encode()) for name, source in shared_words()}


def _read(folder: Traversable, below: str) -> Iterator[tuple[str, Asset]]:
    for one in folder.iterdir():
        name = f"{below}{one.name}"
        if one.is_dir():
            yield from _read(one, f"{name}/")
        elif (content_type := _TYPES.get(one.name[one.name.rfind(".") :])) is not None:
            yield name, _asset(content_type, one.read_bytes())


def _asset(content_type: str, body: bytes) -> Asset:
    return Asset(content_type, body, gzip.compress(body, mtime=0))


@cache
def version() -> str:
    """Return the digest of all files."""
    whole = sha256()
    for name, one in sorted(assets().items()):
        whole.update(f"{name}\x00{len(one.body)}\x00".encode() + one.body)
    return whole.hexdigest()[:16]


def address(name: str) -> str:
    """Return a file's path.

    Raises:
        KeyError: There is none of this name.
    """
    assert assets()[name]
    return f"/static/{version()}/{name}"


@cache
def modules(name: str) -> tuple[str, ...]:
    """Return all that a script imports, and what that does: told of them, a browser asks for all of them at once."""
    found: dict[str, None] = {}
    wanted = [name]
    while wanted:
        below = wanted.pop(0)
        folder = posixpath.dirname(below)
        for one in _IMPORTED.findall(assets()[below].body.decode()):
            path = posixpath.normpath(posixpath.join(folder, one))
            if path not in found:
                found[path] = None
                wanted.append(path)
    return tuple(found)


async def show_asset(request: web.Request) -> web.Response:
    """Show a file; of another version there is none, so that no browser keeps one under the other's path."""
    found = assets().get(request.match_info["name"])
    if found is None or request.match_info["version"] != version():
        raise web.HTTPNotFound
    is_packed = "gzip" in request.headers.get("Accept-Encoding", "")
    headers = {"Cache-Control": _FOR_GOOD, "Vary": "Accept-Encoding"} | (
        {"Content-Encoding": "gzip"} if is_packed else {}
    )
    body = found.packed if is_packed else found.body
    return web.Response(body=body, content_type=found.content_type, charset="utf-8", headers=headers)
