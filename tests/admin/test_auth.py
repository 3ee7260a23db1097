"""Who gets in: only tokens of this installation, unexpired, in a role that there is."""

import time
from typing import Any
from uuid import uuid4

import jwt
import psycopg
import pytest

from app.admin.auth import Authenticator, UnauthorizedError, mint_token
from app.domain.callers import PERMISSIONS
from app.domain.errors import SettingsError
from app.settings import Settings, load_settings
from tests.admin.conftest import SECRET, Answer, Api, User

PATH = "/api/v1/workflows"


def claims(**changes: Any) -> dict[str, Any]:
    """The claims of a good token; None removes one."""
    good = {
        "sub": str(uuid4()),
        "role": "user",
        "iss": "headrace",
        "aud": "authenticated",
        "exp": int(time.time()) + 86_400,  # tokens of parameters are made when tests are collected
        **changes,
    }
    return {name: value for name, value in good.items() if value is not None}


async def ask(api: Api, token: str) -> Answer:
    """List workflows with a token."""
    return await User(api.client, token).call("GET", PATH)


def signed(secret: str = SECRET, algorithm: str = "HS256", **changes: Any) -> str:
    """A token with some claims."""
    return jwt.encode(claims(**changes), secret, algorithm=algorithm)


async def test_without_a_token_nobody_gets_in(api: Api) -> None:
    """No header: 401 as a problem document, and the challenge says what is wanted."""
    async with api.client.get(PATH) as response:
        assert response.status == 401
        assert response.headers["WWW-Authenticate"] == 'Bearer realm="headrace"'
        assert (await response.json(content_type="application/problem+json"))["status"] == 401


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "a.b.c",
        "Ä.Ä.Ä",
        "x" * 7000,
        signed(secret="another-secret-of-at-least-32-bytes!"),
        signed(algorithm="HS512"),
        signed(algorithm="HS384"),
        jwt.encode(claims(), "", algorithm="none"),
        signed(exp=int(time.time()) - 60),
        signed(exp=None),
        signed(nbf=int(time.time()) + 43_200),
        signed(iss="elsewhere"),
        signed(iss=None),
        signed(aud="anon"),
        signed(aud=None),
        signed(sub=None),
        signed(sub="me"),
        signed(sub=str(uuid4()).replace("-", "") + "00"),
    ],
)
async def test_a_token_that_does_not_hold_is_refused(api: Api, token: str) -> None:
    """Forged, unsigned, other algorithm, expired, not yet valid, for others, without a user: 401."""
    answer = await ask(api, token)
    assert answer.status == 401
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    assert SECRET not in str(answer.json)


@pytest.mark.parametrize("scheme", ["Basic abc", "Bearer", "Token abc"])
async def test_another_scheme_is_refused(api: Api, scheme: str) -> None:
    """Only bearer tokens are read."""
    async with api.client.get(PATH, headers={"Authorization": scheme}) as response:
        assert response.status == 401


@pytest.mark.parametrize(
    "changes",
    [
        {"role": "root"},
        {"role": None},
        {"role": ["admin"]},
        {"role": "anon", "app_metadata": {"role": "admin"}},
        {"role": "authenticated", "app_metadata": {"role": "root"}},
        {"permissions": "events:write"},
        {"role": "authenticated", "app_metadata": {"permissions": {"events:write": True}}},
    ],
)
async def test_a_role_that_is_none_of_ours_may_nothing(api: Api, changes: dict[str, Any]) -> None:
    """The token holds, the role does not exist: 403."""
    assert (await ask(api, signed(**changes))).status == 403


@pytest.mark.parametrize(
    ("changes", "sees_all"),
    [
        ({"role": "user"}, False),
        ({"role": "admin"}, True),
        ({"role": "user", "app_metadata": {"role": "admin"}}, False),
        ({"role": "authenticated"}, False),
        ({"role": "authenticated", "app_metadata": {"role": "admin"}}, True),
        ({"role": "authenticated", "user_metadata": {"role": "admin"}}, False),
    ],
)
async def test_the_role_is_read_where_users_cannot_write_it(
    api: Api, user: User, changes: dict[str, Any], *, sees_all: bool
) -> None:
    """The role is the top level's, or for a Supabase token ``app_metadata``'s; ``user_metadata`` is the user's own."""
    workflow = await user.create()
    answer = await ask(api, signed(**changes))
    assert answer.status == 200
    assert (workflow["id"] in [seen["id"] for seen in answer.json["items"]]) is sees_all


async def test_a_minted_token_is_accepted(api: Api) -> None:
    """What ``headrace token`` prints gets its user in."""
    assert (await ask(api, mint_token(api.settings, uuid4(), "admin", 5))).status == 200


@pytest.mark.parametrize(
    ("changes", "granted"),
    [
        ({"permissions": ["crm:write", "no:such", 5]}, {"crm:write"}),
        ({"app_metadata": {"permissions": ["crm:write"]}}, set()),
        ({"role": "authenticated", "permissions": ["crm:write"]}, set()),
        ({"role": "authenticated", "user_metadata": {"permissions": ["crm:write"]}}, set()),
        (
            {"role": "authenticated", "app_metadata": {"permissions": ["crm:write", "operate"]}},
            {"crm:write", "operate"},
        ),
    ],
)
async def test_permissions_are_read_where_users_cannot_write_them(
    settings: Settings, changes: dict[str, Any], granted: set[str]
) -> None:
    """They are the top level's, or for a Supabase token ``app_metadata``'s; names of others grant nothing."""
    strict = settings.model_copy(update={"user_permissions": "none"})
    caller = await Authenticator(strict).caller(f"Bearer {signed(**changes)}")
    assert caller.permissions == granted


@pytest.mark.parametrize(
    ("everybodys", "granted"),
    [("none", set()), ("", set()), ("all", PERMISSIONS), ("crm:read, operate", {"crm:read", "operate"})],
)
async def test_what_every_user_may_is_a_setting(settings: Settings, everybodys: str, granted: set[str]) -> None:
    """HEADRACE_USER_PERMISSIONS adds to what a token grants; an administrator may all of it anyway."""
    strict = settings.model_copy(update={"user_permissions": everybodys})
    caller = await Authenticator(strict).caller(f"Bearer {signed(role='user')}")
    assert caller.permissions == granted
    admin = await Authenticator(strict).caller(f"Bearer {signed(role='admin')}")
    assert all(map(admin.may, PERMISSIONS))


def test_a_permission_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting that grants something unknown stops the process; the error names the variable and what there is."""
    monkeypatch.setenv("HEADRACE_USER_PERMISSIONS", "crm:reed")
    with pytest.raises(SettingsError, match=r"HEADRACE_USER_PERMISSIONS.*'crm:reed'.*crm:read"):
        load_settings()


@pytest.mark.parametrize(
    ("token", "why"),
    [
        ("x", "it is no JWT"),
        (signed(secret="another-secret-of-at-least-32-bytes!"), "its signature is not by a key of this installation"),
        (signed(iss="elsewhere"), "its iss is not this installation's"),
        (signed(sub=None), "it says no sub"),
        (signed(algorithm="HS384"), "its algorithm is none that this installation takes"),
    ],
    ids=["text", "signature", "issuer", "subject", "algorithm"],
)
async def test_why_a_token_does_not_hold_is_said_in_words(settings: Settings, token: str, why: str) -> None:
    """Not as the class of an exception, which tells a caller nothing."""
    with pytest.raises(UnauthorizedError) as refused:
        await Authenticator(settings).caller(f"Bearer {token}")
    assert str(refused.value) == f"the token does not hold: {why}"


def test_without_a_secret_there_is_no_api() -> None:
    """Neither a token nor an API is made without a secret; the error names the variable."""
    settings = Settings()
    with pytest.raises(SettingsError, match="HEADRACE_JWT_SECRET"):
        Authenticator(settings)
    with pytest.raises(SettingsError, match="HEADRACE_JWT_SECRET"):
        mint_token(settings, uuid4(), "user", 60)


async def test_what_a_token_grants_is_noted_at_its_users_next_call(api: Api, api_database: str) -> None:
    """Workflows have it when their owner is not there; a token that grants less counts at once, and not everybody's."""
    user_id = uuid4()
    async with await psycopg.AsyncConnection.connect(api_database, autocommit=True) as connection:
        for role, permissions in (("user", ["crm:write", "operate"]), ("user", []), ("admin", [])):
            assert (await ask(api, signed(sub=str(user_id), role=role, permissions=permissions))).status == 200
            asked = "SELECT role, permissions FROM user_permissions WHERE user_id = %s"
            assert await (await connection.execute(asked, (user_id,))).fetchall() == [(role, permissions)]
