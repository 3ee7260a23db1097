"""Every body in the OpenAPI document has an example, and the API takes it as it is."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import SecretStr

from app.adapters.postgres.database_roles import DatabaseRole
from app.admin.openapi import openapi
from app.admin.operations import TAGS, Operation
from app.admin.routes import OPERATIONS
from app.settings import Settings
from tests.admin.conftest import Api, User, serving
from tests.admin.prepared import NAMES, path_of, send_example
from tests.support.logins import as_role
from tests.support.postgres import new_database

DOCUMENT = openapi(OPERATIONS, "1")
WITH_BODY = [operation for operation in OPERATIONS if operation.body is not None]


@pytest.fixture(scope="module")
async def fresh_api(settings: Settings, postgres: str, migrated_template: str) -> AsyncIterator[Api]:
    """An API on a database of its own: examples have ids that are never made up."""
    with new_database(postgres, template=migrated_template) as url:
        own = settings.model_copy(update={"database_url": SecretStr(as_role(url, DatabaseRole.API))})
        async with serving(own) as api:
            yield api


@pytest.mark.parametrize("operation", WITH_BODY, ids=lambda operation: operation.name)
def test_every_example_is_valid_under_its_model(operation: Operation) -> None:
    """The model takes it, and so does the schema that the document gives of it, for each content type."""
    assert operation.body is not None
    for model, _ in operation.body.models.values():
        model.model_validate(operation.body.example)
    content = DOCUMENT["paths"][operation.path][operation.method.lower()]["requestBody"]["content"]
    for described in content.values():
        schema = {**described["schema"], "components": DOCUMENT["components"]}
        Draft202012Validator(schema).validate(json.loads(json.dumps(described["example"])))


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_every_answer_has_an_example_that_is_one(operation: Operation) -> None:
    """Valid under its schema, for a success and for each problem; a new operation's: ``make api-examples``."""
    described = DOCUMENT["paths"][operation.path][operation.method.lower()]["responses"]
    for status, answer in described.items():
        for kind, content in answer.get("content", {}).items():
            if operation.name == "openapi" or (operation.name, status) == ("readyz", "503"):
                continue
            example = content["example"] if "example" in content else _referred(content["examples"]["problem"]["$ref"])
            if kind == "application/problem+json":
                assert example["status"] == int(status)
            schema = {**content.get("schema", {}), "components": DOCUMENT["components"]}
            Draft202012Validator(schema).validate(example)


def _referred(reference: str) -> Any:
    return DOCUMENT["components"]["examples"][reference.rpartition("/")[2]]["value"]


async def test_every_example_is_accepted(fresh_api: Api) -> None:
    """Sent as it is, on things that are there, each operation does what it is for."""
    admin = fresh_api.user("admin")
    failed = {}
    for operation in WITH_BODY:
        if operation.name == "calculateCommission":
            await admin.call("POST", f"/api/v1/sales/orders/{NAMES['order']}/pay")
        answer = await send_example(admin, operation, await path_of(admin, operation))
        if answer.status not in operation.answers:
            failed[operation.name] = (answer.status, answer.json)
    assert failed == {}


async def test_no_example_is_accepted_twice_as_something_new(fresh_api: Api) -> None:
    """The test above sees a refusal: what is taken is told from what is not."""
    admin = fresh_api.user("admin")
    create = next(one for one in WITH_BODY if one.name == "createCustomer")
    await send_example(admin, create, create.path)
    assert (await send_example(admin, create, create.path)).status == 409


def test_every_operation_has_a_tag_that_is_described() -> None:
    """The document's tags are those of ``TAGS``, each with what it is about, in that order."""
    for operation in OPERATIONS:
        assert operation.tag in TAGS, operation.name
    listed = [tag["name"] for tag in DOCUMENT["tags"]]
    assert listed == [name for name in TAGS if name in {operation.tag for operation in OPERATIONS}]
    assert all(tag["description"] for tag in DOCUMENT["tags"])


async def test_the_admin_of_examples_is_no_user(fresh_api: Api) -> None:
    """Examples need no right beyond an administrator's; a plain user makes workflows of the same example."""
    user: User = fresh_api.user()
    create = next(one for one in WITH_BODY if one.name == "createWorkflow")
    assert (await send_example(user, create, create.path)).status == 201
