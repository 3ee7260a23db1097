"""What a stand-in has kept, as it tells of it: the newest with how they begin, and one of them in full."""

from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, replace
from itertools import islice
from typing import Any, Protocol, TypeVar

import orjson
from aiohttp import web

_MOST = 500
_BEGINNING = 300
_MICROSECONDS = 6  # whoever asks may have read the time into one that knows no less


class _Arrived(Protocol):
    @property
    def number(self) -> int: ...

    @property
    def received_at(self) -> float: ...


T = TypeVar("T", bound=_Arrived)


def routes_of(kept: deque[T], texts: tuple[str, ...]) -> list[web.RouteDef]:
    """Return the routes ``/recent`` (``most``, ``before`` a time, ``provider``) and ``/kept/{number}``.

    Args:
        kept: What arrived, oldest first, with numbers in order.
        texts: Its members that may be long, of which a list shows how they begin.
    """

    async def recent(request: web.Request) -> web.Response:
        most = min(int(request.query.get("most", _MOST)), _MOST)
        shown = [_begins(one, texts) for one in islice(_newest(kept, request), most)]
        return _json({"items": shown})

    async def one(request: web.Request) -> web.Response:
        number = int(request.match_info["number"])
        found = kept[number - kept[0].number] if kept and kept[0].number <= number <= kept[-1].number else None
        return web.Response(status=404) if found is None else _json(_plain(found))

    return [web.get("/recent", recent), web.get(r"/kept/{number:\d{1,15}}", one)]


def _newest(kept: deque[T], request: web.Request) -> Iterator[T]:
    before = round(float(request.query.get("before", "inf")), _MICROSECONDS)
    provider = request.query.get("provider")
    for one in reversed(kept):
        if round(one.received_at, _MICROSECONDS) < before and provider in {None, getattr(one, "provider", None)}:
            yield one


def _begins(one: Any, texts: tuple[str, ...]) -> dict[str, Any]:
    return _plain(replace(one, **{name: getattr(one, name)[:_BEGINNING] for name in texts}))


def _plain(one: Any) -> dict[str, Any]:
    return {
        name: value.decode("utf-8", "replace") if isinstance(value, bytes) else value
        for name, value in asdict(one).items()
    }


def _json(value: Any) -> web.Response:
    return web.Response(body=orjson.dumps(value), content_type="application/json")
