"""What Schemathesis cannot know: ids of things that are there, and versions that are theirs. It runs in Schemathesis.

Of four calls of an operation one is left as it was generated, two are made on things that are there, and one is the
example that the document shows, so that it does what it is for; but where a call is to be refused for what is wrong in
it, that stays. What each operation answered is counted in a file.
"""

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any, Final

import aiohttp
import schemathesis
from schemathesis.hooks import HookContext

from app.admin.operations import Operation
from tests.admin.conftest import User
from tests.openapi.ready import NAMED, Things
from tests.openapi.setting import read_setting

_SETTING: Final = read_setting()
_ENDS_BY: Final = "seconds"
_answers: dict[str, Counter[str]] = {}
_calls: Counter[str] = Counter()


class _Here:
    """Makes what calls are made on, from a thread that knows no event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._things = self._loop.run_until_complete(self._begin())

    async def _begin(self) -> Things:
        # Cookies are of the calls that they are given in.
        http = aiohttp.ClientSession(_SETTING.base, cookie_jar=aiohttp.DummyCookieJar())
        return Things(User(http, _SETTING.token), _SETTING.rows)

    def put(self, case: Any, operation: Operation) -> None:
        """Put things that are there in the places of a call's path."""
        for name in case.path_parameters or {}:
            case.path_parameters[name] = self._loop.run_until_complete(self._things.there(operation, name))
        if "If-Match" in (case.headers or {}):
            case.headers["If-Match"] = "*"

    def replace(self, case: Any, operation: Operation) -> None:
        """Make a call the one that its operation carries out."""
        call = self._loop.run_until_complete(self._things.ready(operation))
        case.path_parameters = dict(call.values)
        case.query = dict(call.query)
        headers = dict(call.headers)
        case.media_type = headers.pop("Content-Type", case.media_type)
        for name, value in headers.items():
            case.headers[name] = value
        if operation.body is not None:
            case.body = call.body


_here = _Here()


@schemathesis.hook
def before_call(context: HookContext, case: Any, kwargs: dict[str, Any]) -> None:
    """Put what is there into a call."""
    del context
    kwargs["allow_redirects"] = False
    operation = NAMED.get(case.operation.definition.raw.get("operationId", ""))
    if operation is None or case.method.upper() != operation.method:
        return
    turn = _calls[operation.name] % 4
    _calls[operation.name] += 1
    if turn == 0 and _is_positive(case):
        _here.replace(case, operation)
    elif turn != 1:
        _here.put(case, operation)
    # A stream goes on for a quarter of an hour where nobody says otherwise.
    if operation.lasting and _ENDS_BY in _parameters(case) and _lasts(case.query.get(_ENDS_BY)):
        case.query[_ENDS_BY] = 0


@schemathesis.hook
def after_call(context: HookContext, case: Any, response: Any) -> None:
    """Count what it answered."""
    del context
    if case.method.upper() != case.operation.method.upper():
        return
    name = case.operation.definition.raw["operationId"]
    _answers.setdefault(name, Counter())[str(response.status_code)] += 1
    Path(_SETTING.answers).write_text(json.dumps(_answers))


def _is_positive(case: Any) -> bool:
    return case.meta is None or case.meta.generation.mode.is_positive


def _parameters(case: Any) -> set[str]:
    return {one["name"] for one in case.operation.definition.raw.get("parameters", ())}


def _lasts(seconds: Any) -> bool:
    return seconds is None or str(seconds).strip().isdecimal()
