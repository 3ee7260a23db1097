"""Secrets through the API: administrators write them, and nothing ever answers a value."""

import logging
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from aiohttp.test_utils import TestClient, TestServer
from pydantic import SecretStr

from app.adapters.postgres.api_engine import ApiDatabase
from app.admin.routes import build_app
from app.processes.admin_services import assemble
from app.settings import Settings
from tests.admin.conftest import Api, User, draft
from tests.admin.log import Log
from tests.support.depths import MemoryDepths
from tests.support.sender import MemorySender

ROOT = "/api/v1/secrets"
CANARY = "canary-5f2c81d7-value"


async def test_a_secret_is_stored_and_never_answered(admin: User, log: Log, caplog: pytest.LogCaptureFixture) -> None:
    """The answer and the list have name, writer and time; the row is sealed, and no log line has the value."""
    with caplog.at_level(logging.DEBUG):
        answer = await admin.call("PUT", f"{ROOT}/SHOP_TOKEN", {"value": CANARY})
        listed = await admin.call("GET", ROOT)
    assert answer.status == 200
    assert answer.json.keys() == {"name", "updated_by", "updated_at", "owners", "workflows", "hosts"}
    assert answer.json["updated_by"] == str(admin.id)
    assert answer.json in listed.json["items"]
    row = await (await log.connection.execute("SELECT * FROM secrets WHERE name = 'SHOP_TOKEN'")).fetchone()
    assert row is not None
    assert CANARY.encode() not in bytes(row[1])
    for said in (answer.json, listed.json, row, caplog.text):
        assert CANARY not in str(said)


async def test_only_administrators_may(user: User, admin: User) -> None:
    """Users get 403 for each of the operations, and nothing is changed."""
    await admin.call("PUT", f"{ROOT}/KEPT", {"value": CANARY})
    for method, path in (("GET", ROOT), ("PUT", f"{ROOT}/KEPT"), ("DELETE", f"{ROOT}/KEPT")):
        answer = await user.call(method, path, {"value": "another-value"})
        assert answer.status == 403, (method, answer)
    assert (await admin.call("DELETE", f"{ROOT}/KEPT")).status == 204


async def test_what_is_removed_is_gone(admin: User) -> None:
    """And removing it again is 404, as is a name that none can have."""
    await admin.call("PUT", f"{ROOT}/GONE", {"value": CANARY})
    assert [(await admin.call("DELETE", f"{ROOT}/{name}")).status for name in ("GONE", "GONE", "gone")] == [
        204,
        404,
        404,
    ]


@pytest.mark.parametrize("name", ["shop", "1SHOP", "SHOP-TOKEN", "_SHOP", "S" * 65, "SHOP%0A", "%C3%84RGER"])
async def test_names_are_checked(admin: User, name: str) -> None:
    """Capitals, digits and underscores, beginning with a letter; the problem names the field and not the value."""
    answer = await admin.call("PUT", f"{ROOT}/{name}", {"value": CANARY})
    assert answer.status == 400
    assert [error["path"] for error in answer.json["errors"]] == ["name"]
    assert CANARY not in str(answer.json)


@pytest.mark.parametrize(
    "body",
    [
        {"value": "short"},
        {"value": f" {CANARY}"},
        {"value": f"{CANARY}\n"},
        {"value": "ü" * 4097},
        {"value": [CANARY]},
        {"value": None},
        {},
        {"value": CANARY, "values": CANARY},
    ],
)
async def test_values_are_checked_and_not_quoted(
    admin: User, caplog: pytest.LogCaptureFixture, body: dict[str, Any]
) -> None:
    """Too short to be blotted out, too long, blanks around it, no text: 400 with the field, nothing of the value."""
    with caplog.at_level(logging.DEBUG):
        answer = await admin.call("PUT", f"{ROOT}/CHECKED", body)
    assert answer.status == 400
    assert {error["path"] for error in answer.json["errors"]} <= {"value", "values"}
    assert CANARY not in str(answer.json) + caplog.text


async def test_without_a_key_the_problem_says_what_to_do(api: Api, admin: User) -> None:
    """503 with the setting's name and the command that makes a key; listing works all the same."""
    settings: Settings = api.settings.model_copy(update={"secrets_key": SecretStr("")})
    pool = ApiDatabase(settings)
    state = assemble(settings, pool, MemorySender(), MemoryDepths())
    async with TestClient(TestServer(build_app(state))) as client:
        there = replace(admin, client=client)
        answer = await there.call("PUT", f"{ROOT}/SHOP_TOKEN", {"value": CANARY})
        assert (await there.call("GET", ROOT)).status == 200
    await pool.close()
    assert answer.status == 503
    assert "HEADRACE_SECRETS_KEY is not set" in answer.json["detail"]
    assert "headrace secrets key" in answer.json["detail"]


def using(name: str) -> dict[str, Any]:
    """A workflow that uses a secret."""
    config = {"url": "https://shop.example/", "headers": {"X-Token": f"{{{{ secrets.{name} }}}}"}}
    return draft(actions=[{"type": "webhook", "order": 1, "config": config}])


async def test_a_new_secret_is_for_who_stored_it(admin: User, user: User) -> None:
    """Their workflows alone; another's cannot be saved with it, and the field is named."""
    stored = await admin.call("PUT", f"{ROOT}/NARROW", {"value": CANARY})
    assert (stored.json["owners"], stored.json["workflows"], stored.json["hosts"]) == ([str(admin.id)], ["*"], ["*"])
    assert (await admin.call("POST", "/api/v1/workflows", using("NARROW"))).status == 201
    refused = await user.call("POST", "/api/v1/workflows", using("NARROW"))
    assert refused.status == 400
    (error,) = refused.json["errors"]
    assert error["path"] == "actions[0].config.headers.X-Token"
    assert "secrets.NARROW is not for this workflow or its owner" in error["message"]
    widened = await admin.call("PUT", f"{ROOT}/NARROW", {"owners": [str(admin.id), str(user.id)]})
    assert (widened.status, widened.json["hosts"]) == (200, ["*"])
    made = await user.call("POST", "/api/v1/workflows", using("NARROW"))
    assert made.status == 201
    await admin.call("PUT", f"{ROOT}/NARROW", {"workflows": [str(uuid4())]})
    again = await user.call("PUT", f"/api/v1/workflows/{made.json['id']}", using("NARROW"), headers={"If-Match": "*"})
    assert again.status == 400


@pytest.mark.parametrize(
    ("url", "refused"),
    [
        ("https://evil.example/hook", True),
        ("https://evil.example?to=shop.example", True),
        ("https://shop.example:8443/{{ order.id }}", True),
        ("https://shop.example@evil.example/{{ order.id }}", True),
        (" https://evil.example", True),
        ("https://shop.example/{{ order.id }}", False),
        ("HTTPS://SHOP.example", False),
        ("https://{{ customer.shop }}.example/", False),
        ("{% if order.id %}https://evil.example/{% endif %}", False),
        ("https://evil.example{{ order.id }}/", False),
    ],
)
async def test_a_secret_is_not_saved_for_another_host(admin: User, url: str, *, refused: bool) -> None:
    """Where no template has a say in the host it is known on save; else it is seen when the step runs."""
    await admin.call("PUT", f"{ROOT}/SHOP_ONLY", {"value": CANARY, "owners": ["*"], "hosts": ["shop.example"]})
    config = {"url": url, "headers": {"X-Token": "{{ secrets.SHOP_ONLY }}"}}
    for how in (config, {"url": url, "sign_with": "SHOP_ONLY"}):
        written = draft(actions=[{"type": "webhook", "order": 1, "config": how}])
        answer = await admin.call("POST", "/api/v1/workflows", written)
        assert answer.status == (400 if refused else 201), answer.json
        if refused:
            (error,) = answer.json["errors"]
            assert error["path"].removeprefix("actions[0].config.") in {"headers.X-Token", "sign_with"}
            assert error["message"].startswith("secrets.SHOP_ONLY may not be sent to the host of url")


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"value": CANARY, "owners": ["*"]}, "hosts"),
        ({"value": CANARY, "owners": ["bob"], "hosts": ["*"]}, "owners[0]"),
        ({"value": CANARY, "hosts": ["https://shop.example/"]}, "hosts[0]"),
        ({"owners": ["*"], "hosts": ["*"]}, "value"),
    ],
)
async def test_what_is_wrong_in_a_grant_is_named(admin: User, body: dict[str, Any], path: str) -> None:
    """Whoever lets others use a secret says where it may go."""
    answer = await admin.call("PUT", f"{ROOT}/WRONG", body)
    assert answer.status == 400
    assert [error["path"] for error in answer.json["errors"]] == [path]
