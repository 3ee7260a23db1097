"""Who owns, wrote or saved a workflow, as the caller knows them."""

from collections.abc import Iterable, Mapping
from typing import Final
from uuid import UUID

from aiohttp import web

from app.admin.requests import CALLER
from app.admin.state import STATE

_YOU: Final = "you"


async def people(request: web.Request, ids: Iterable[UUID]) -> Mapping[UUID, str]:
    """Return what to call each: who has no name that the caller may see is known by the beginning of their id."""
    wanted, caller = set(ids), request[CALLER]
    names = await request.app[STATE].access.sign_in.users.names(caller, wanted - {caller.user_id})
    known = {one: names.get(one) or f"user {str(one)[:8]}" for one in wanted}
    return {**known, caller.user_id: _YOU}
