"""One box for everything: by name or id, and never what the caller could not list."""

from typing import Any
from uuid import uuid4

import pytest

from tests.admin.conftest import Api, User, draft
from tests.admin.log import Log


async def found(user: User, words: str) -> list[tuple[str, str]]:
    """Kind and id of what is found."""
    answer = await user.call("GET", "/api/v1/search", params={"q": words})
    assert answer.status == 200, answer
    items: list[dict[str, Any]] = answer.json["items"]
    return [(one["kind"], one["id"]) for one in items]


async def test_things_are_found_by_name_and_id(api: Api, user: User, log: Log) -> None:
    """A workflow and a template by a part of the name, an execution by its id, an event by its own; others' never."""
    word = uuid4().hex
    workflow = await user.create(name=f"Win back {word}")
    template = (await user.call("POST", "/api/v1/templates", draft(name=f"Welcome {word}"))).json
    row = await log.add(workflow, event_id=f"e-{word}")
    execution = ("execution", str(row["id"]))
    assert await found(user, word[3:].upper()) == [("workflow", workflow["id"]), ("template", template["id"])]
    assert await found(user, str(row["id"])) == [execution]
    assert await found(user, f"e-{word}") == [("event", f"e-{word}"), execution]
    assert await found(user, workflow["id"].upper()) == [("workflow", workflow["id"])]
    assert await found(user, template["id"]) == [("template", template["id"])]
    for words in (word, str(row["id"]), f"e-{word}", workflow["id"], template["id"]):
        assert await found(api.user(), words) == []


async def test_customers_are_found_by_who_may_read_them(api: Api, strict_api: Api) -> None:
    """By their id; for who may not read the CRM there are none."""
    customer = f"c-{uuid4().hex}"
    created = await api.user("admin").call("POST", "/api/v1/crm/customers", {"id": customer, "name": "Ada"})
    assert created.status == 201, created
    assert await found(api.user("user", "crm:read"), customer) == [("customer", customer)]
    assert await found(strict_api.user(), customer) == []


@pytest.mark.parametrize("words", ["ADA.L", "ada m", "lop", "{word}.lee@example.com", "{id}", "{id:.12}"])
async def test_a_customer_is_found_by_what_they_are_called(api: Api, strict_api: Api, words: str) -> None:
    """By the beginning of e-mail, name, last name or id, in any case; for who may read the CRM, and for nobody else."""
    word, customer = uuid4().hex, f"c-{uuid4().hex}"
    words = words.replace("ada", f"ada{word[:6]}").replace("ADA", f"ADA{word[:6]}").replace("lop", f"lop{word[:6]}")
    body = {"id": customer, "name": f"Ada{word[:6]} Maria Lop{word[:6]}es", "email": f"ada{word[:6]}.lee@Example.com"}
    created = await api.user("admin").call("POST", "/api/v1/crm/customers", body)
    assert created.status == 201, created
    words = words.format(word=f"ada{word[:6]}", id=customer)
    assert await found(api.user("user", "crm:read"), f" {words}") == [("customer", customer)]
    assert await found(strict_api.user(), words) == []


@pytest.mark.parametrize("words", ["%", "_", "*", "'", "\\", "\U0010ffff"])
async def test_words_are_no_pattern(api: Api, words: str) -> None:
    """What means something to a database is a letter like any other."""
    assert await found(api.user("user", "crm:read"), words + uuid4().hex) == []


async def test_at_most_five_of_a_kind_are_found(user: User) -> None:
    """Whatever there is."""
    for _ in range(6):
        await user.create(name="The same again")
    assert len(await found(user, "same AGAIN")) == 5


async def test_nothing_to_look_for_is_refused(user: User) -> None:
    """With the field's name."""
    answer = await user.call("GET", "/api/v1/search", params={"q": ""})
    assert (answer.status, [one["path"] for one in answer.json["errors"]]) == (400, ["q"])


LISTS = ("workflows", "templates", "users", "executions")


@pytest.mark.parametrize("sign", ["_", "%", "\\"])
async def test_what_stands_for_others_in_sql_is_looked_for_as_it_is(admin: User, log: Log, sign: str) -> None:
    """In the one box and in every list of names that people write: only what holds the sign is found."""
    word = uuid4().hex[:8]
    for mark in (f"{word}x1", f"{word}{sign}1"):
        workflow = await admin.create(name=mark)
        await log.add(workflow)
        template = await admin.call("POST", "/api/v1/templates", draft(name=mark))
        person = {"email": f"{uuid4().hex}@example.com", "name": mark, "role": "user"}
        user = await admin.call("POST", "/api/v1/users", person)
        assert (template.status, user.status) == (201, 201), (template, user)
    for path in LISTS:
        answer = await admin.call("GET", f"/api/v1/{path}", params={"search": f"{word}{sign}1"})
        assert (answer.status, len(answer.json["items"])) == (200, 1), (path, answer)
    assert sorted(kind for kind, _ in await found(admin, f"{word}{sign}1")) == ["template", "workflow"]
