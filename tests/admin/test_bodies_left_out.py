"""Operations of which everything may be left out take no body at all: it is as an empty one."""

from app.admin.routes import OPERATIONS
from tests.admin.conftest import Api, User


async def test_a_copy_needs_no_body(user: User) -> None:
    """Its name has a default, whether a name, an empty object or nothing is sent."""
    path = f"/api/v1/workflows/{(await user.create())['id']}/duplicate"
    copies = [await user.call("POST", path), await user.call("POST", path, {})]
    assert [(one.status, one.json["name"]) for one in copies] == [(201, "Copy of Big order")] * 2
    assert (await user.call("POST", path, {"name": 7})).status == 400


async def test_a_template_of_a_workflow_and_a_workflow_of_it_need_none(user: User) -> None:
    """They take the name of what they are made of."""
    workflow = await user.create()
    made = await user.call("POST", f"/api/v1/workflows/{workflow['id']}/template")
    assert (made.status, made.json["name"]) == (201, workflow["name"])
    applied = await user.call("POST", f"/api/v1/templates/{made.json['id']}/apply")
    assert (applied.status, applied.json["name"]) == (201, workflow["name"])


async def test_a_key_is_rotated_without_one(api: Api) -> None:
    """The old one holds for a day."""
    admin = api.user("admin")
    made = await admin.call("POST", "/api/v1/api-keys", {"name": "shop", "permissions": ["events:write"]})
    assert (await admin.call("POST", f"/api/v1/api-keys/{made.json['id']}/rotate")).status == 201


async def test_the_document_says_which_bodies_may_be_left_out(user: User) -> None:
    """Each of those takes an empty object, and every other body is required."""
    paths = (await user.call("GET", "/openapi.json")).json["paths"]
    left_out = {
        operation["operationId"]
        for methods in paths.values()
        for operation in methods.values()
        if isinstance(operation, dict) and not operation.get("requestBody", {"required": True})["required"]
    }
    assert left_out == {one.name for one in OPERATIONS if one.body is not None and one.body.optional}
    assert left_out == {"duplicateWorkflow", "createTemplateFromWorkflow", "applyTemplate", "rotateApiKey"}
