"""What is refused alone is named beside all else that is wrong, on every operation that reads a body."""

from collections.abc import AsyncIterator, Iterator
from typing import Any, Final

import pytest
from pydantic import SecretStr

from app.adapters.postgres.database_roles import DatabaseRole
from app.admin.operations import JSON, Operation
from app.admin.routes import OPERATIONS
from app.settings import Settings
from tests.admin.conftest import Answer, Api, User, serving
from tests.admin.prepared import path_of, send_example
from tests.support.logins import as_role
from tests.support.postgres import new_database

MISSPELT: Final = "zzzz"
# Meant to be of the right type and wrong otherwise where there is such a thing; wrong types come after.
POOL: Final[tuple[Any, ...]] = ("A b {{", "", ["A b"], -1, [{"zz": 1}], {"zz": 1}, 7)
# As many of each, in turns.
MOST_OF_ONE: Final = 2
# Needed or not as the kind says: where that is wrong, too, nobody can know.
BY_KIND: Final = {("subject", ""), ("text", "")}
# A draft is kept whatever it holds; of events any attribute is kept.
ANY_KEY: Final = {"saveDraft", "patchDraft", "ingestEvents", "createCustomer", "updateCustomer"}
WITH_BODY: Final = [one for one in OPERATIONS if one.body is not None and one.name not in {"saveDraft", "patchDraft"}]


@pytest.fixture(scope="module")
async def fresh_admin(settings: Settings, postgres: str, migrated_template: str) -> AsyncIterator[User]:
    """An administrator of an API on a database of its own: examples have ids that are never made up."""
    with new_database(postgres, template=migrated_template) as url:
        own = settings.model_copy(update={"database_url": SecretStr(as_role(url, DatabaseRole.API))})
        async with serving(own) as api:
            assert isinstance(api, Api)
            yield api.user("admin")


def fields_of(operation: Operation) -> Iterator[str]:
    """The names that a body's fields are written by."""
    assert operation.body is not None
    model, _ = operation.body.models.get(JSON) or next(iter(operation.body.models.values()))
    for name, field in model.model_fields.items():
        yield field.alias or name


def paths(answer: Answer) -> set[str]:
    """What a refusal names; nothing where it is none."""
    return {error["path"] for error in answer.json.get("errors", ())} if answer.status == 400 else set()


async def refused_alone(admin: User, operation: Operation, path: str, field: str) -> list[tuple[Any, set[str]]]:
    """Values of a field that are refused, with what is named then: the first that there are."""
    found: list[tuple[Any, set[str]]] = []
    for value in (one for one in POOL if not isinstance(one, str) or (field, one) not in BY_KIND):
        named = paths(await send_example(admin, operation, path, **{field: value}))
        here = {one for one in named if one == field or one.startswith((f"{field}.", f"{field}["))}
        if here and here == named:
            found.append((value, here))
        if len(found) == MOST_OF_ONE:
            break
    return found


@pytest.mark.parametrize("operation", WITH_BODY, ids=lambda operation: operation.name)
async def test_every_wrong_field_is_named_at_once(fresh_admin: User, operation: Operation) -> None:
    """Each field wrong in a way that is refused alone, and a misspelt key: all of it is named in one answer."""
    path = await path_of(fresh_admin, operation)
    wrong = {field: await refused_alone(fresh_admin, operation, path, field) for field in fields_of(operation)}
    wrong = {field: found for field, found in wrong.items() if found}
    assert wrong or operation.name == "updateCustomer", "nothing that is sent to it is refused"
    for turn in range(MOST_OF_ONE):
        now = {field: found[turn % len(found)] for field, found in wrong.items()}
        misspelt = {} if operation.name in ANY_KEY else {MISSPELT: 1}
        body = {field: value for field, (value, _) in now.items()}
        named = paths(await send_example(fresh_admin, operation, path, **body, **misspelt))
        expected = set(misspelt).union(*(alone for _, alone in now.values()))
        assert expected <= named, (body, sorted(expected - named))
