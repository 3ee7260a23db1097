"""Sessions over HTTP: a cookie calls as its user, cannot be forged, and ends."""

from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from app.admin.cookies import SESSION
from app.admin.forgery import HEADER
from app.services.access.sessions import FRESH_S
from app.settings import Settings
from tests.admin.conftest import Answer, Api, draft
from tests.support.sessions import SignedIn, signed_in

ME = "/api/v1/session"
ALL = "/api/v1/sessions"
WORKFLOWS = "/api/v1/workflows"


@dataclass
class Browser:
    """Somebody who is signed in, and calls the API with what a browser would send."""

    api: Api
    who: SignedIn

    async def call(self, method: str, path: str, json: Any = None, **headers: str) -> Answer:
        """Call with the cookie alone, and whatever headers are given; underscores stand for hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.raw(method, path, json, {**self.who.cookie, **named})

    async def safe(self, method: str, path: str, json: Any = None, **headers: str) -> Answer:
        """Call with the token against forged requests too."""
        return await self.call(method, path, json, **{HEADER: self.who.headers[HEADER]}, **headers)

    async def raw(self, method: str, path: str, json: Any, headers: dict[str, str]) -> Answer:
        """Call with just these headers."""
        async with self.api.client.request(method, path, json=json, headers=headers) as response:
            is_json = response.content_type.endswith("json")
            body = await response.json(content_type=None) if is_json else await response.text()
            return Answer(response.status, response.headers, body)


@pytest.fixture
async def browser(api: Api, api_database: str, settings: Settings) -> Browser:
    """A user who is signed in."""
    return Browser(api, await signed_in(api_database, settings, "user", "events:write"))


@pytest.fixture
async def administrator(api: Api, api_database: str, settings: Settings) -> Browser:
    """An administrator who is signed in."""
    return Browser(api, await signed_in(api_database, settings, "admin"))


async def test_a_session_says_who_calls(browser: Browser) -> None:
    """With e-mail, permissions of its own and everybody's, when it ends, and the token that requests need."""
    answer = await browser.call("GET", ME)
    said = answer.json
    assert (answer.status, said["id"], said["email"], said["role"]) == (
        200, str(browser.who.id), browser.who.email, "user",
    )  # fmt: skip
    assert said["permissions"] == ["crm:read", "crm:write", "events:write"]
    assert said["csrf_token"] == browser.who.headers[HEADER]
    assert (said["session"]["how"], said["session"]["current"]) == ("password", True)


async def test_a_session_owns_what_a_token_of_its_user_owns(api: Api, browser: Browser) -> None:
    """A workflow made in one way is there in the other; another's is not."""
    made = await browser.safe("POST", WORKFLOWS, draft())
    assert made.status == 201, made
    owner = api.user()
    theirs = await owner.create()
    listed = await browser.call("GET", WORKFLOWS)
    assert [one["id"] for one in listed.json["items"]] == [made.json["id"]]
    assert (await browser.call("GET", f"{WORKFLOWS}/{theirs['id']}")).status == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_what_changes_something_needs_the_token(browser: Browser, method: str) -> None:
    """403 without it, with another, with one of another session; 404 with it, for what is not there."""
    path = f"{WORKFLOWS}/{browser.who.id}" + ("/activate" if method == "POST" else "")
    body = draft()
    for given in ({}, {HEADER: ""}, {HEADER: browser.who.token}, {HEADER: "x" * 43}, {HEADER: "ä"}):
        assert (await browser.call(method, path, body, If_Match="*", **given)).status == 403, given
    assert (await browser.safe(method, path, body, If_Match="*")).status in {404, 415}


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://["},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
async def test_another_sites_page_changes_nothing(browser: Browser, headers: dict[str, str]) -> None:
    """Even with the right token: the browser says where it comes from."""
    assert (await browser.safe("POST", WORKFLOWS, draft(), **headers)).status == 403
    assert (await browser.call("GET", WORKFLOWS)).json["items"] == []


async def test_our_own_page_may(browser: Browser, api: Api) -> None:
    """With what browsers add to its requests."""
    origin = api.url
    answer = await browser.safe("POST", WORKFLOWS, draft(), Origin=origin, Sec_Fetch_Site="same-origin")
    assert answer.status == 201, answer


async def test_a_bearer_token_goes_before_a_cookie(browser: Browser, api: Api) -> None:
    """It was sent on purpose: it needs no second token, and one that does not hold is refused."""
    user = api.user()
    answer = await browser.call("GET", ME, Authorization=f"Bearer {user.token}")
    assert (answer.json["id"], answer.json["csrf_token"], answer.json["session"]) == (str(user.id), None, None)
    assert (await browser.call("POST", WORKFLOWS, draft(), Authorization=f"Bearer {user.token}")).status == 201
    assert (await browser.call("GET", ME, Authorization="Bearer x")).status == 401


@pytest.mark.parametrize("token", ["", "x", "hrs_" + "a" * 43, "hrk_" + "a" * 43])
async def test_a_cookie_of_no_session_is_nobodys(browser: Browser, token: str) -> None:
    """401, whatever it holds."""
    assert (await browser.raw("GET", ME, None, {"Cookie": f"{SESSION}={token}"})).status == 401


async def test_a_plain_cookie_does_not_count_where_there_is_tls(browser: Browser) -> None:
    """Another host of the domain could have planted it: behind a proxy only the ``__Host-`` one is read."""
    for forwarded in ({"X-Forwarded-Proto": "https"}, {"X-Forwarded-For": "192.0.2.1"}, {"Host": "app.example.com"}):
        assert (await browser.call("GET", ME, **forwarded)).status == 401, forwarded
        host = {"Cookie": f"__Host-{SESSION}={browser.who.token}", **forwarded}
        assert (await browser.raw("GET", ME, None, host)).status == 200, forwarded


async def test_signing_out_ends_the_session_at_once(browser: Browser, log: Any) -> None:
    """The cookie is taken back, its token is refused, and no row is left."""
    assert (await browser.call("GET", ME)).status == 200
    assert (await browser.call("DELETE", ME)).status == 403
    answer = await browser.safe("DELETE", ME)
    assert answer.status == 204
    assert f'{SESSION}=""' in answer.headers["Set-Cookie"]
    assert (await browser.call("GET", ME)).status == 401
    rows = await log.connection.execute("SELECT 1 FROM sessions WHERE user_id = %s", (browser.who.id,))
    assert await rows.fetchall() == []


async def test_people_see_and_end_their_own_sessions(browser: Browser, administrator: Browser, api: Api) -> None:
    """Nobody else's: for them it is not there; an administrator sees and ends everybody's."""
    mine = (await browser.call("GET", ALL)).json["items"]
    assert [(one["id"], one["current"], one["agent"]) for one in mine] == [
        (str(browser.who.session_id), True, "a test")
    ]
    stranger = api.user()
    one, of = f"{ALL}/{browser.who.session_id}", f"{ALL}?user={browser.who.id}"
    assert (await stranger.call("DELETE", one)).status == 404
    assert (await stranger.call("GET", of)).json["items"] == []
    seen = (await administrator.call("GET", of)).json["items"]
    assert [(one["id"], one["current"]) for one in seen] == [(str(browser.who.session_id), False)]
    assert (await administrator.safe("DELETE", one)).status == 204
    assert (await administrator.safe("DELETE", one)).status == 404
    api.now[0] += FRESH_S
    assert (await browser.call("GET", ME)).status == 401


_CHANGES = {
    "disabled": ("UPDATE users SET disabled_at = now() WHERE id = %s", 401),
    "deleted": ("DELETE FROM users WHERE id = %s", 401),
    "expired": ("UPDATE sessions SET expires_at = now() WHERE user_id = %s", 401),
    "idle": ("UPDATE sessions SET seen_at = now() - interval '25 hours' WHERE user_id = %s", 401),
    "another role": ("UPDATE users SET role = 'admin' WHERE id = %s", 200),
}


@pytest.mark.parametrize("change", _CHANGES)
async def test_what_changes_takes_effect_within_two_seconds(
    browser: Browser, api: Api, api_database: str, change: str
) -> None:
    """A user who is disabled or gone, a session at its end, a role: the next look says so."""
    statement, status = _CHANGES[change]
    assert (await browser.call("GET", "/api/v1/api-keys")).status == 403
    async with await psycopg.AsyncConnection.connect(api_database) as connection:
        await connection.execute(statement, (browser.who.id,))
    api.now[0] += FRESH_S
    assert (await browser.call("GET", "/api/v1/api-keys")).status == status


async def test_no_row_has_the_token(browser: Browser, log: Any) -> None:
    """Only its digest is kept, which opens nothing."""
    rows = await (await log.connection.execute("SELECT s::text FROM sessions s")).fetchall()
    assert rows
    assert browser.who.token.removeprefix("hrs_") not in str(rows)
