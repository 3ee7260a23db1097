"""Whatever an id may hold has a path that leads to it."""

import re
from urllib.parse import unquote

import pytest
from yarl import URL

from app.admin.methods import by_path
from app.admin.pages.routes import PAGES
from app.admin.routes import OPERATIONS
from app.admin.segments import segment
from tests.admin.conftest import Api, User

PATHS = by_path((*OPERATIONS, *PAGES))
# One with a pattern of its own names files of ours, no ids.
WITH_PLACES = [path for path in PATHS if "{" in path and ":" not in path]
ODD = ("a{b", "}", "{id}", "a/b", "/", "%", "%2F", "?x=1#y", ".", "..", "...", "é日", " a ", "<&>")


@pytest.mark.parametrize("path", WITH_PLACES)
async def test_every_place_of_every_path_takes_what_ids_may_hold(api: Api, path: str) -> None:
    """The path's own methods are named, not those of none or of another path."""
    for odd in ODD:
        there = segment(odd).join(re.split(r"\{[^}]+\}", path))
        async with api.client.options(URL(there, encoded=True)) as answer:
            assert answer.status == 204, (there, await answer.text())
            assert set(answer.headers["Allow"].split(", ")) == {*PATHS[path], "OPTIONS"}, there


@pytest.mark.parametrize("odd", ODD)
def test_no_client_takes_a_segment_for_a_step_up_the_path(odd: str) -> None:
    """WHATWG URL, 4.4, and RFC 3986, 6.2.2.3: dots alone are steps, encoded or not."""
    assert unquote(segment(odd)) not in {".", ".."}
    assert "/" not in segment(odd)


@pytest.mark.parametrize("odd", ODD)
async def test_a_customer_is_found_by_any_id(api: Api, odd: str) -> None:
    """What was entered under an id is read under it, and under no other."""
    user: User = api.user("user", "crm:write", "crm:read")
    path = f"/api/v1/crm/customers/{segment(odd)}"
    name = await user.enter_customer(odd)
    async with api.client.get(URL(path, encoded=True), headers={"Authorization": f"Bearer {user.token}"}) as answer:
        found = await answer.json()
    assert (found["id"], found["name"]) == (odd, name)
