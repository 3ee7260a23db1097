"""Signing in by OpenID Connect, at an issuer that is as strict as a real one."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from pydantic import SecretStr

from app.settings import Settings
from tests.admin.browsers import Visitor
from tests.admin.conftest import Answer, Api, serving
from tests.admin.test_sign_in import USERS, member
from tests.support.openid_issuer import CLIENT, OTHER_KEY, SECRET, OpenIdIssuer

ROOT = "/api/v1/session/oidc"
PUBLIC = "http://127.0.0.1:8080"


@dataclass
class Site:
    """An API and its issuer."""

    api: Api
    issuer: OpenIdIssuer

    async def sign_in(self, visitor: Visitor, query: str = "", back: str = "") -> Answer:
        """Go to the issuer and come back, perhaps with something in the way back that is not the issuer's."""
        begun = await visitor.call("GET", f"{ROOT}{query}")
        assert begun.status == 302, begun
        return await self.come_back(visitor, await self.answer(begun.headers["Location"]), back)

    async def answer(self, where: str) -> str:
        """Sign in at the issuer; returns where it sends the browser."""
        async with aiohttp.ClientSession() as http, http.get(where, allow_redirects=False) as response:
            assert response.status == 302, await response.text()
            return response.headers["Location"]

    async def come_back(self, visitor: Visitor, location: str, back: str = "") -> Answer:
        """Follow the issuer's answer."""
        assert location.startswith(f"{PUBLIC}{ROOT}/callback?")
        return await visitor.call("GET", location.removeprefix(PUBLIC) + back)


@pytest.fixture
async def issuer() -> AsyncIterator[OpenIdIssuer]:
    """An issuer, at which a new person has an account."""
    who = {"sub": f"s-{uuid4()}", "email": f"{uuid4().hex[:12]}@example.com", "email_verified": True, "name": "Ada"}
    issuer = OpenIdIssuer(f"{PUBLIC}{ROOT}/callback", who)
    async with issuer.server:
        yield issuer


def with_issuer(settings: Settings, issuer: OpenIdIssuer, **changes: Any) -> Settings:
    """Settings of an API that people sign in to at an issuer."""
    said = {"oidc_issuer": issuer.url, "oidc_client_id": CLIENT, "oidc_client_secret": SecretStr(SECRET)}
    return settings.model_copy(update={**said, "public_url": PUBLIC, "oidc_create_users": True, **changes})


@pytest.fixture
async def site(settings: Settings, issuer: OpenIdIssuer) -> AsyncIterator[Site]:
    """An API that makes users of whom the issuer vouches for."""
    async with serving(with_issuer(settings, issuer)) as api:
        yield Site(api, issuer)


async def me(visitor: Visitor) -> Answer:
    """Who calls."""
    return await visitor.call("GET", "/api/v1/session")


async def test_who_signs_in_there_is_signed_in_here(site: Site) -> None:
    """A user is made of the claims, comes back to the page they wanted, and is the same the next time."""
    first, second = Visitor(site.api), Visitor(site.api)
    answer = await site.sign_in(first, "?next=/workflows?search=a")
    assert (answer.status, answer.headers["Location"]) == (302, "/workflows?search=a")
    said = (await me(first)).json
    assert (said["email"], said["role"], said["session"]["how"]) == (site.issuer.claims["email"], "user", "openid")
    assert set(first.cookies) == {"headrace_session"}
    site.issuer.claims["email"] = "another@example.com"
    await site.sign_in(second)
    assert (await me(second)).json["id"] == said["id"]


async def test_a_verified_email_finds_its_user_once(site: Site) -> None:
    """Later they are known by their subject; somebody else of the same e-mail is let in as nobody."""
    made = await member(site.api.user("admin"), password=None)
    site.issuer.claims["email"] = made["email"].upper()
    visitor = Visitor(site.api)
    await site.sign_in(visitor)
    assert (await me(visitor)).json["id"] == made["id"]
    site.issuer.claims["sub"] = "somebody-else"
    assert (await site.sign_in(Visitor(site.api))).status == 401


@pytest.mark.parametrize("verified", [False, None, "true"])
async def test_an_email_that_is_not_verified_is_nobodys(site: Site, verified: Any) -> None:
    """It finds no user, and makes none."""
    made = await member(site.api.user("admin"), "admin", None)
    site.issuer.claims |= {"email": made["email"], "email_verified": verified}
    answer = await site.sign_in(Visitor(site.api))
    assert (answer.status, "Set-Cookie" in answer.headers) == (401, False)


async def test_nobody_is_made_unless_it_is_set(settings: Settings, issuer: OpenIdIssuer) -> None:
    """An administrator makes users then; who is disabled is not let in."""
    async with serving(with_issuer(settings, issuer, oidc_create_users=False)) as api:
        site, admin = Site(api, issuer), api.user("admin")
        assert (await site.sign_in(Visitor(api))).status == 401
        made = (await admin.call("POST", USERS, {"email": issuer.claims["email"], "name": "Ada"})).json
        assert (await site.sign_in(Visitor(api))).status == 302
        await admin.call("PATCH", f"{USERS}/{made['id']}", {"disabled": True}, headers={"If-Match": "*"})
        assert (await site.sign_in(Visitor(api))).status == 401


async def test_the_issuer_may_say_the_role(settings: Settings, issuer: OpenIdIssuer) -> None:
    """By a claim, at each sign-in."""
    own = with_issuer(settings, issuer, oidc_role_claim="groups", oidc_admins="ops, headrace-admins")
    async with serving(own) as api:
        await member(api.user("admin"), "admin", None)
        roles = []
        for groups in (["headrace-admins", "x"], ["x"], "ops", None):
            issuer.claims["groups"] = groups
            visitor = Visitor(api)
            await Site(api, issuer).sign_in(visitor)
            roles.append((await me(visitor)).json["role"])
    assert roles == ["admin", "user", "admin", "user"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"nonce": "another"}, {"aud": "another"}, {"iss": "https://evil.example"}, {"exp": 1},
        {"aud": [CLIENT, "x"], "azp": "x"}, {"sub": ""}, {"sub": None},
    ],
    ids=str,
)  # fmt: skip
async def test_a_token_of_another_attempt_or_client_does_not_hold(site: Site, wrong: dict[str, Any]) -> None:
    """401, and no session."""
    site.issuer.wrong = wrong
    answer = await site.sign_in(Visitor(site.api))
    assert (answer.status, "Set-Cookie" in answer.headers) == (401, False)


async def test_a_long_token_is_read_to_its_end(site: Site) -> None:
    """Of somebody in very many groups: an answer comes in many pieces, and a part of it is no token."""
    site.issuer.claims["groups"] = [f"{number}-{'g' * 100}" for number in range(1000)]
    assert (await site.sign_in(Visitor(site.api))).status == 302


async def test_a_token_of_another_key_does_not_hold(site: Site) -> None:
    """Whatever it says."""
    site.issuer.key = OTHER_KEY
    assert (await site.sign_in(Visitor(site.api))).status == 401


async def test_an_answer_counts_in_the_browser_that_asked(site: Site) -> None:
    """Somebody else's answer, one that comes twice, one of another issuer, an error: nobody is signed in."""
    mine, theirs = Visitor(site.api), Visitor(site.api)
    begun = await theirs.call("GET", ROOT)
    answer = await site.answer(begun.headers["Location"])
    assert (await site.come_back(mine, answer)).status == 401
    await mine.call("GET", ROOT)
    assert (await site.come_back(mine, answer)).status == 401
    kept = dict(theirs.cookies)
    assert (await site.come_back(theirs, answer)).status == 302
    theirs.cookies = kept
    assert (await site.come_back(theirs, answer)).status == 401
    begun = await mine.call("GET", ROOT)
    answer = await site.answer(begun.headers["Location"])
    other = answer.replace("&iss=", "&error=access_denied&iss=")
    assert (await site.come_back(mine, other)).status == 401


@pytest.mark.parametrize("path", ["//evil.example", "https://evil.example", "/\\evil.example", "x", "/a\nb"])
async def test_nobody_is_sent_elsewhere_afterwards(site: Site, path: str) -> None:
    """A path on another host is none."""
    visitor = Visitor(site.api)
    begun = await visitor.call("GET", f"{ROOT}?next={path.replace(chr(10), '%0A')}")
    answer = await site.come_back(visitor, await site.answer(begun.headers["Location"]))
    assert answer.headers["Location"] == "/api/v1/session"


@pytest.mark.parametrize(
    "said",
    [{"issuer": "https://evil.example"}, {"token_endpoint": "http://169.254.169.254/"}, {"jwks_uri": "file:///etc"}],
    ids=str,
)
async def test_an_issuer_is_where_it_says_it_is(site: Site, said: dict[str, str]) -> None:
    """One that calls itself otherwise, or leads elsewhere without TLS, is not asked."""
    site.issuer.wrong = {"discovery": said}
    assert (await Visitor(site.api).call("GET", ROOT)).status == 503


async def test_without_an_issuer_it_says_so(api: Api) -> None:
    """409, with the setting."""
    for path in (ROOT, f"{ROOT}/callback"):
        answer = await Visitor(api).call("GET", path)
        assert (answer.status, "HEADRACE_OIDC_ISSUER" in answer.json["detail"]) == (409, True)
