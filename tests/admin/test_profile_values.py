"""What a field of a customer may hold, by the API and by the page's form alike."""

from typing import Any
from uuid import uuid4

import pytest

from app.settings import Settings
from tests.admin.conftest import Api
from tests.support.sessions import SignedIn, signed_in

ROOT = "/api/v1/crm/customers"


@pytest.fixture
async def customer(api: Api) -> str:
    """A customer with an e-mail address; the id."""
    made = await api.user("admin").call("POST", ROOT, {"id": f"c-{uuid4()}", "email": "ada@example.com"})
    assert made.status == 201, made
    return str(made.json["id"])


@pytest.fixture
async def who(api_database: str, settings: Settings) -> SignedIn:
    """Somebody who may change customers."""
    return await signed_in(api_database, settings, "admin")


async def entered(api: Api, who: SignedIn, customer: str, **form: str) -> tuple[int, str]:
    """What the form of the customer's page is answered with."""
    path = f"/customers/{customer}/fields"
    data = {**form, "csrf_token": who.headers["X-CSRF-Token"]}
    async with api.client.post(path, data=data, headers=who.cookie, allow_redirects=False) as answer:
        return answer.status, await answer.text()


async def profile(api: Api, customer: str) -> Any:
    """The customer as stored."""
    return (await api.user("admin").call("GET", f"{ROOT}/{customer}")).json


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ('{"a": 1, "a": 2}', "a is given more than once in its object"),
        ('{"a": {"b": 123456789012345678901}}', "64"),
        ('["\\u0000"]', "NUL"),
        ("[" * 200 + "]" * 200, "nest"),
        ("{", "must be JSON"),
    ],
    ids=["twice", "long", "nul", "deep", "none"],
)
async def test_the_form_reads_json_as_the_api_does(
    api: Api, who: SignedIn, customer: str, value: str, said: str
) -> None:
    """What the API refuses is refused at the form's own field."""
    status, text = await entered(api, who, customer, name="liked", kind="json", value=value)
    assert status == 422, text
    assert said in text
    assert "liked" not in await profile(api, customer)


async def test_json_that_holds_is_stored(api: Api, who: SignedIn, customer: str) -> None:
    """As it was entered."""
    status, text = await entered(api, who, customer, name="liked", kind="json", value=' {"a": [1, "b"]} ')
    assert status == 303, text
    assert (await profile(api, customer))["liked"] == {"a": [1, "b"]}


@pytest.mark.parametrize("name", ["email", "phone"])
@pytest.mark.parametrize("value", ["", "  ", "\u200b"], ids=ascii)
async def test_what_a_customer_is_reached_by_is_not_blank(
    api: Api, who: SignedIn, customer: str, name: str, value: str
) -> None:
    """A condition would take it for an address; to have none is to have no such field."""
    admin = api.user("admin")
    for method, path, body in (("PATCH", f"{ROOT}/{customer}", {name: value}), ("POST", ROOT, {name: value})):
        answer = await admin.call(method, path, body)
        assert (answer.status, [one["path"] for one in answer.json["errors"]]) == (400, [name]), answer
    status, text = await entered(api, who, customer, name=name, value=value)
    assert (status, "must not be blank" in text) == (422, True), text
    assert (await profile(api, customer))["email"] == "ada@example.com"
    assert (await admin.call("PATCH", f"{ROOT}/{customer}", {name: None})).status == 200
