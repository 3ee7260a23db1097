"""A cursor belongs to its list, its order and its filters: any other refuses it, by name."""

from itertools import product
from typing import Any, Final

from app.admin.routes import OPERATIONS
from tests.admin.conftest import Api, User
from tests.admin.log import Log
from tests.admin.prepared import NAMES, send_example
from tests.admin.test_openapi import DOCUMENT

Listing = tuple[str, str | None]
REQUIRED: Final = {"/api/v1/events/lookup": {"source": "/s", "id": "1"}}
# Lists that rows are made for here; those of the others page through theirs in tests of their own.
FILLED: Final = {
    "/api/v1/workflows": "createWorkflow",
    "/api/v1/templates": "createTemplate",
    "/api/v1/message-templates": "createMessageTemplate",
    "/api/v1/users": "createUser",
    "/api/v1/audit": None,
    "/api/v1/executions": None,
}
UNIQUE: Final = {"createMessageTemplate": "name", "createUser": "email"}


def listings() -> list[Listing]:
    """Each list that has a cursor, in each order that it has."""
    found: list[Listing] = []
    for operation in OPERATIONS:
        described = DOCUMENT["paths"][operation.path][operation.method.lower()]
        schemas = {one["name"]: one["schema"] for one in described.get("parameters", ()) if one["in"] == "query"}
        if "cursor" in schemas:
            found += [(operation.path.format_map(NAMES), sort) for sort in schemas.get("sort", {}).get("enum", [None])]
    return found


async def fill(admin: User, log: Log) -> None:
    """Make two rows for each list of ``FILLED``."""
    makers = {operation.name: operation for operation in OPERATIONS}
    for number, maker in product(range(2), FILLED.values()):
        if maker is not None:
            unique = {UNIQUE[maker]: f"cursors{number}@example.com"} if maker == "createUser" else {}
            unique |= {UNIQUE[maker]: f"cursors{number}"} if maker == "createMessageTemplate" else {}
            made = await send_example(admin, makers[maker], makers[maker].path, **unique)
            assert made.status == 201, (maker, made)
    workflow = await admin.create()
    for _ in range(2):
        await log.add(workflow)


async def page(admin: User, listing: Listing, **query: Any) -> Any:
    """Ask for a page of one row."""
    path, sort = listing
    params = {**REQUIRED.get(path, {}), **({"sort": sort} if sort else {}), "limit": 1, **query}
    params = params if path not in REQUIRED else {name: one for name, one in params.items() if name != "limit"}
    return await admin.call("GET", path, params=params)


async def test_a_cursor_of_another_list_or_order_is_refused(api: Api, log: Log) -> None:
    """Each list's cursor goes on in that list and that order, and is a 400 that names ``cursor`` in all others."""
    admin = api.user("admin")
    await fill(admin, log)
    wanted = listings()
    cursors = {one: (await page(admin, one)).json["next_cursor"] for one in wanted if one[0] in FILLED}
    assert all(cursors.values()), cursors
    for (source, cursor), target in product(cursors.items(), wanted):
        answer = await page(admin, target, cursor=cursor)
        if source == target:
            assert answer.status == 200, (source, answer)
        else:
            refused = (answer.status, [one["path"] for one in answer.json.get("errors", ())])
            assert refused == (400, ["cursor"]), (source, target)


async def test_a_cursor_goes_with_its_filters(user: User) -> None:
    """With others it is refused; how many rows a page has may change."""
    for _ in range(3):
        await user.create()
    listing = ("/api/v1/workflows", None)
    cursor = (await page(user, listing, active="false")).json["next_cursor"]
    assert (await page(user, listing, active="false", limit=2, cursor=cursor)).status == 200
    for other in ({}, {"active": "true"}, {"active": "false", "search": "x"}):
        answer = await page(user, listing, cursor=cursor, **other)
        assert (answer.status, [one["path"] for one in answer.json.get("errors", ())]) == (400, ["cursor"]), other
