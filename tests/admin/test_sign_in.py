"""Signing in over HTTP: by password and by link; what is told to whom, how often, and what ends with it."""

import asyncio
import logging
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from argon2 import PasswordHasher

from app.adapters.secrets.argon import Argon2Passwords
from app.admin.cookies import SESSION
from app.services.access.sessions import FRESH_S
from tests.admin.browsers import Visitor
from tests.admin.conftest import Answer, Api, User, serving
from tests.admin.log import Log

ME = "/api/v1/session"
USERS = "/api/v1/users"
PASSWORD = "four words nobody guesses"

_WHOLE = (
    "SELECT t::text FROM users t",
    "SELECT t::text FROM sessions t",
    "SELECT t::text FROM sign_in_links t",
    "SELECT t::text FROM audit_trail t",
)


async def member(admin: User, role: str = "user", password: str | None = PASSWORD) -> dict[str, Any]:
    """A user, as an administrator makes them."""
    email = f"{uuid4().hex[:12]}@example.com"
    made = await admin.call("POST", USERS, {"email": email, "name": "Ada Lopes", "role": role})
    assert made.status == 201, made
    found: dict[str, Any] = made.json
    if password is not None:
        answer = await admin.call("POST", f"{USERS}/{found['id']}/password", {"password": password})
        assert answer.status == 204, answer
    return found


async def test_a_password_signs_in(api: Api, admin: User) -> None:
    """The e-mail in upper or lower case; the cookie is the browser's alone, and what it says calls as its user."""
    made, visitor = await member(admin), Visitor(api)
    answer = await visitor.sign_in(made["email"].upper(), PASSWORD, User_Agent="Firefox")
    assert (answer.status, answer.json["id"], answer.json["session"]["how"]) == (200, made["id"], "password")
    assert answer.json["session"]["agent"] == "Firefox"
    said = answer.headers["Set-Cookie"]
    for part in ("HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=604800"):
        assert part in said
    assert "Secure" not in said
    assert (await visitor.call("GET", ME)).json["id"] == made["id"]
    assert (await visitor.call("POST", "/api/v1/workflows/test", {})).status == 400


async def test_by_tls_the_cookie_is_the_hosts_alone(api: Api, admin: User) -> None:
    """``__Host-`` and Secure, also where only a proxy has the TLS."""
    made, visitor = await member(admin), Visitor(api)
    said = (await visitor.sign_in(made["email"], PASSWORD, X_Forwarded_Proto="https")).headers["Set-Cookie"]
    assert said.startswith(f"__Host-{SESSION}=")
    assert "Secure" in said
    assert "Domain" not in said


async def test_each_sign_in_has_a_token_of_its_own(api: Api, admin: User) -> None:
    """A cookie that somebody has planted before is not the session's after."""
    made, visitor = await member(admin), Visitor(api, {SESSION: "hrs_" + "a" * 43})
    await visitor.sign_in(made["email"], PASSWORD)
    first = visitor.cookies[SESSION]
    assert first != "hrs_" + "a" * 43
    await visitor.sign_in(made["email"], PASSWORD)
    assert visitor.cookies[SESSION] != first


async def test_who_cannot_sign_in_is_not_told_why(api: Api, admin: User) -> None:
    """Nobody of that e-mail, another password, no password, disabled: one answer, and no session, seen or not."""
    made, bare, out = await member(admin), await member(admin, password=None), await member(admin)
    disabled = await admin.call("PATCH", f"{USERS}/{out['id']}", {"disabled": True}, headers={"If-Match": "*"})
    assert disabled.status == 200, disabled
    answers = [
        await Visitor(api).sign_in(email, password)
        for email, password in (
            (f"{uuid4()}@example.com", PASSWORD), (made["email"], PASSWORD + "!"), (bare["email"], PASSWORD),
            (bare["email"], ""), (out["email"], PASSWORD), ("x", PASSWORD),
        )
    ]  # fmt: skip
    assert {(one.status, one.json["detail"]) for one in answers} == {(401, "the e-mail or the password is wrong")}
    assert not any("Set-Cookie" in one.headers for one in answers)
    opened = await admin.call("GET", f"/api/v1/sessions?user={out['id']}")
    assert (opened.status, opened.json["items"]) == (200, [])


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec_Fetch_Site": "cross-site"}], ids=str)
async def test_another_site_signs_nobody_in(api: Api, admin: User, headers: dict[str, str]) -> None:
    """Nor as somebody else: what people write then would be in another's account."""
    other, made = await member(admin), await member(admin, password=None)
    assert (await Visitor(api).sign_in(other["email"], PASSWORD, **headers)).status == 403
    assert (await Visitor(api).follow(made["link_token"], **headers)).status == 403
    assert (await Visitor(api).follow(made["link_token"])).status == 200


async def test_attempts_are_limited_by_account_and_by_address(api: Api) -> None:
    """429 with when to try again, whether there is such an account or not; another account goes on meanwhile."""
    async with serving(api.settings.model_copy(update={"sign_ins_per_minute": 2})) as own:
        admin, visitor = own.user("admin"), Visitor(own)
        made = await member(admin)

        async def tried(email: str) -> Answer:
            return await visitor.sign_in(email, "wrong")

        for email in (made["email"], "nobody@example.com"):
            answers = [await tried(email), await tried(email.upper()), await tried(email)]
            assert [one.status for one in answers] == [401, 401, 429]
            assert int(answers[-1].headers["Retry-After"]) in range(1, 61)
        assert "address" in (await tried("third@example.com")).json["detail"]
        own.now[0] += 60
        assert (await visitor.sign_in(made["email"], PASSWORD)).status == 200


async def test_a_link_signs_in_once(api: Api, admin: User) -> None:
    """Of ten at once one is let in; it is refused then, and when its time has come."""
    made = await member(admin, password=None)
    answers = await asyncio.gather(*(Visitor(api).follow(made["link_token"]) for _ in range(10)))
    assert sorted(answer.status for answer in answers) == [200] + [401] * 9
    assert (await Visitor(api).follow("hrl_" + "a" * 43)).status == 401
    assert (await Visitor(api).follow("x")).status == 401


async def test_a_link_of_yesterday_or_of_a_disabled_user_is_none(api: Api, admin: User, log: Log) -> None:
    """It was meant for then, and for them."""
    late, out = await member(admin, password=None), await member(admin, password=None)
    await log.connection.execute("UPDATE sign_in_links SET expires_at = now() WHERE user_id = %s", (late["id"],))
    await admin.call("PATCH", f"{USERS}/{out['id']}", {"disabled": True}, headers={"If-Match": "*"})
    assert [(await Visitor(api).follow(one["link_token"])).status for one in (late, out)] == [401, 401]


async def test_a_hash_of_before_is_made_anew(api: Api, admin: User, log: Log) -> None:
    """At the next sign-in, with the parameters of today."""
    made = await member(admin)
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    await log.connection.execute("UPDATE users SET password_hash = %s WHERE id = %s", (cheap, made["id"]))
    assert (await Visitor(api).sign_in(made["email"], PASSWORD)).status == 200
    rows = await log.connection.execute("SELECT password_hash FROM users WHERE id = %s", (made["id"],))
    (found,) = (await rows.fetchall())[0]
    assert "m=19456,t=2,p=1" in found
    assert (await Visitor(api).sign_in(made["email"], PASSWORD)).status == 200


async def test_another_password_ends_the_other_sessions(api: Api, admin: User) -> None:
    """One's own needs the one before, and ends all but the session that changes it; an administrator's ends all."""
    made, here, there = await member(admin), Visitor(api), Visitor(api)
    path, new = f"{USERS}/{made['id']}/password", "another four words nobody guesses"
    for visitor in (here, there):
        await visitor.sign_in(made["email"], PASSWORD)
    for wrong in ({}, {"current_password": "wrong"}):
        refused = await here.call("POST", path, {"password": new, **wrong})
        assert (refused.status, refused.json["errors"][0]["path"]) == (400, "current_password")
    assert (await here.call("POST", path, {"password": new, "current_password": PASSWORD})).status == 204
    api.now[0] += FRESH_S
    assert [(await one.call("GET", ME)).status for one in (here, there)] == [200, 401]
    assert (await Visitor(api).sign_in(made["email"], PASSWORD)).status == 401
    assert (await Visitor(api).sign_in(made["email"], new)).status == 200
    assert (await admin.call("POST", path, {"password": PASSWORD})).status == 204
    api.now[0] += FRESH_S
    assert (await here.call("GET", ME)).status == 401


@pytest.mark.parametrize("password", ["short", "x" * 257, "aaaaaaaaaaaaaaaa", "password1234", "123456789012"])
async def test_a_password_that_is_guessed_is_refused(admin: User, password: str) -> None:
    """With the field, and without the password in the answer."""
    made = await member(admin, password=None)
    answer = await admin.call("POST", f"{USERS}/{made['id']}/password", {"password": password})
    assert (answer.status, answer.json["errors"][0]["path"]) == (400, "password")
    assert password not in str(answer.json)


async def test_no_password_token_or_hash_is_told(
    api: Api, admin: User, api_database: str, caplog: pytest.LogCaptureFixture
) -> None:
    """In no answer, no line of the log, no row of the audit trail; what the rows have is a hash."""
    visitor = Visitor(api)
    with caplog.at_level(logging.DEBUG):
        made = await member(admin)
        said = [await visitor.sign_in(made["email"], PASSWORD), await visitor.call("GET", "/api/v1/sessions")]
        said += [
            await admin.call("GET", f"{USERS}/{made['id']}"),
            await visitor.sign_in(made["email"], "no" + PASSWORD),
        ]
    async with await psycopg.AsyncConnection.connect(api_database) as connection:
        tables = [str(await (await connection.execute(whole)).fetchall()) for whole in _WHOLE]
    token = visitor.cookies[SESSION].removeprefix("hrs_")
    answers = str([one.json for one in said])
    for secret in (PASSWORD, token, made["link_token"].removeprefix("hrl_"), "$argon2id"):
        assert secret not in answers + caplog.text + tables[3]
        assert secret not in "".join(tables) or secret == "$argon2id"


async def test_the_audit_trail_says_who_signed_in(api: Api, admin: User, log: Log) -> None:
    """In their own name."""
    made = await member(admin)
    await Visitor(api).sign_in(made["email"], PASSWORD)
    rows = await log.connection.execute(
        "SELECT action, name FROM audit_trail WHERE actor = %s AND kind = 'session'", (made["id"],)
    )
    assert await rows.fetchall() == [("signed_in", "password")]


async def test_the_loop_goes_on_while_a_password_is_hashed() -> None:
    """Hashing is on a thread: whatever else is asked for is answered meanwhile."""
    passwords, turns = Argon2Passwords(), 0
    hashing = asyncio.create_task(passwords.hash(PASSWORD))
    while not hashing.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 10
    assert await passwords.verify(await hashing, PASSWORD) == (True, False)
