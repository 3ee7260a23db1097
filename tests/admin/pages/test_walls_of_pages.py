"""What no page and no form lets anybody do: every entry of the list of pages is held to it, a new one too."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape
from typing import Any, Final
from urllib.parse import parse_qs, quote, urljoin, urlsplit
from uuid import uuid4

import psycopg
import pytest
from playwright.async_api import Browser, expect

from app.admin.cookies import SESSION
from app.admin.operations import Operation
from app.admin.pages.rendering import POLICY
from app.admin.pages.routes import PAGES
from app.admin.pages.sandboxed import SANDBOX
from app.domain.sessions import csrf_token
from app.services.access.sessions import FRESH_S
from tests.admin.conftest import Api, User
from tests.admin.pages.attacked import OURS, PLACE, Attacked, looked_at
from tests.admin.pages.conftest import Visit
from tests.admin.test_sign_in import PASSWORD, member
from tests.support.chromium import Window
from tests.support.chromium import window as opened
from tests.support.sessions import SignedIn, session_of
from tests.support.stored_markup import PAYLOADS

SignIn = Callable[..., Any]
HTML: Final = {"Accept": "text/html,application/xhtml+xml"}
# Of answers without anything to see.
_OF_NOTHING: Final = "default-src 'none'; frame-ancestors 'none'"


def pages(method: str) -> list[Any]:
    """Return those that are not for everybody, by their names."""
    return [pytest.param(one, id=one.name) for one in OURS if one.method == method]


def path_of(one: Operation) -> str:
    """Return a path of it, at which there is nothing: what refuses does so before it looks."""
    return PLACE.sub(lambda _: str(uuid4()), one.path)


@dataclass(frozen=True)
class Seen:
    """What came back, unfollowed."""

    status: int
    location: str
    policy: str
    text: str
    headers: Any


async def ask(api: Api, method: str, path: str, /, form: dict[str, str] | None = None, **headers: str) -> Seen:
    """Ask as a browser does; underscores in header names stand for hyphens."""
    sent = {**HTML, **{name.replace("_", "-"): value for name, value in headers.items()}}
    async with api.client.request(method, path, data=form, headers=sent, allow_redirects=False) as response:
        said = response.headers
        return Seen(
            response.status, said.get("Location", ""), said["Content-Security-Policy"], await response.text(), said
        )


@pytest.mark.parametrize("one", pages("GET"))
async def test_a_stranger_is_sent_to_sign_in(api: Api, one: Operation) -> None:
    """And comes back to the same page afterwards; a session that there is not is as none."""
    path = f"{path_of(one)}?q=a%26b"
    for cookie in ("", f"{SESSION}=hrs_{'a' * 43}"):
        seen = await ask(api, "GET", path, Cookie=cookie)
        assert (seen.status, urlsplit(seen.location).path) == (303, "/sign-in")
        assert parse_qs(urlsplit(seen.location).query)["next"] == [path]


@pytest.mark.parametrize("one", pages("POST"))
async def test_a_strangers_form_does_nothing(api: Api, one: Operation) -> None:
    """It is told that nobody is signed in."""
    seen = await ask(api, "POST", path_of(one), form={"csrf_token": "x"})
    assert (seen.status, seen.policy) == (401, POLICY)


def test_what_is_open_to_everybody_is_known() -> None:
    """A page that no one need sign in for is one that was meant to be."""
    public = {one.path for one in PAGES if one.access == "public"}
    assert {path for path in public if not path.startswith("/static/")} == {"/sign-in", "/sign-in/link"}


def test_what_is_set_up_is_for_administrators() -> None:
    """Whatever stands below these paths."""
    theirs = tuple(f"/settings/{name}" for name in ("channels", "secrets", "users", "keys", "audit"))
    below = [one for one in PAGES if one.path.startswith(theirs)]
    assert {one.access for one in below} == {"admin"}
    assert len(below) >= len(theirs)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_users_come_to_no_page_of_administrators(api: Api, somebody: SignIn, method: str) -> None:
    """Nor send a form of theirs, though with their own token; and nobody comes where a permission is missing."""
    user: SignedIn = await somebody()
    everybodys = api.settings.everybodys_permissions
    for one in OURS:
        barred = one.access == "admin" or (one.permission is not None and one.permission not in everybodys)
        if one.method == method and barred:
            form = {"csrf_token": csrf_token(user.token)} if method == "POST" else None
            seen = await ask(api, method, path_of(one), form=form, **user.cookie)
            assert (seen.status, seen.policy) == (403, POLICY), one.path


async def done_by(api_database: str, who: SignedIn) -> int:
    """Count what somebody has done, by the audit trail."""
    async with await psycopg.AsyncConnection.connect(api_database) as connection:
        found = await connection.execute("SELECT count(*) FROM audit_trail WHERE actor = %s", (who.id,))
        row = await found.fetchone()
        return int(row[0]) if row else 0


async def test_no_form_is_taken_from_anywhere_but_our_own_pages(api: Api, somebody: SignIn, api_database: str) -> None:
    """Without the session's token, with another session's, from another site, from a frame without an origin."""
    admin, other = await somebody("admin"), await somebody("admin")
    right, before = csrf_token(admin.token), await done_by(api_database, admin)
    forged: tuple[tuple[dict[str, str], dict[str, str]], ...] = (
        ({}, {}),
        ({"csrf_token": ""}, {}),
        ({"csrf_token": csrf_token(other.token)}, {}),
        ({"csrf_token": admin.token}, {}),
        ({"csrf_token": right}, {"Origin": "https://evil.example"}),
        ({"csrf_token": right}, {"Origin": "null"}),
        ({"csrf_token": right}, {"Origin": f"{api.url}.evil.example"}),
        ({"csrf_token": right}, {"Sec_Fetch_Site": "cross-site"}),
        ({"csrf_token": right}, {"Sec_Fetch_Site": "same-site"}),
    )
    for one in OURS:
        if one.method == "POST":
            path = path_of(one)
            for form, headers in forged:
                seen = await ask(api, "POST", path, form=form, **admin.cookie, **headers)
                assert (seen.status, seen.policy) == (403, POLICY), (path, form, headers)
    assert await done_by(api_database, admin) == before
    assert not api.sender.records


async def test_a_token_in_the_address_or_in_a_header_is_not_the_forms(api: Api, somebody: SignIn) -> None:
    """What a link may hold counts for nothing, and no form is sent as what it is not."""
    admin = await somebody("admin")
    token = csrf_token(admin.token)
    assert (await ask(api, "POST", f"/sign-out?csrf_token={token}", form={}, **admin.cookie)).status == 403
    assert (await ask(api, "GET", "/sign-out", **admin.cookie)).status == 405
    as_json = await ask(api, "POST", "/sign-out", Content_Type="application/json", **admin.cookie)
    assert (as_json.status, as_json.policy) == (415, POLICY)


async def test_every_answer_of_a_page_has_the_policy(api: Api, somebody: SignIn) -> None:
    """Also where there is nothing, a method is wrong, a form is none, or the caller may not."""
    admin = await somebody("admin")
    for one in OURS:
        if one.method == "GET":
            seen = await ask(api, "GET", path_of(one), **admin.cookie)
            allowed = {_OF_NOTHING} if 300 <= seen.status < 400 else {POLICY, SANDBOX}
            assert seen.policy in allowed, (one.path, seen.status, seen.policy)
            assert seen.headers["X-Content-Type-Options"] == "nosniff"
            assert "no-store" in seen.headers["Cache-Control"]
        seen = await ask(api, "PUT", path_of(one), **admin.cookie)
        assert (seen.status, seen.policy) == (405, POLICY), one.path
    for method, path in (("GET", "/no/such/page"), ("GET", "/sign-in"), ("GET", "/sign-in/link?token=x")):
        assert (await ask(api, method, path, **admin.cookie)).policy == POLICY


ELSEWHERE: Final = (
    "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "/\t/evil.example", "/\n/evil.example",
    "https://evil.example", "HTTPS:evil.example", "https:/evil.example", "http:evil.example", "javascript:alert(1)",
    "data:text/html,x", " //evil.example", "/%0d%0aLocation:%20https://evil.example", "/\r\nSet-Cookie: a=b",
    "/%5cevil.example", "/%2f/evil.example", "/.//evil.example", "/..//evil.example", "@evil.example",
    "/@evil.example", ".evil.example", "\uff0f\uff0fevil.example", "/\uff0fevil.example", "/\u2028/evil.example",
    "/x\x00", "", "?next=//evil.example", "#//evil.example", "/" + "a" * 5000,
)  # fmt: skip


async def test_signing_in_leads_nowhere_else(api: Api, admin: User) -> None:
    """Whatever ``next`` says, the browser stays on this host: in the form, and where it leads."""
    made = await member(admin)
    for then in ELSEWHERE:
        for path in ("/sign-in", "/sign-in/link"):
            shown = await ask(api, "GET", f"{path}?next={quote(then)}")
            kept = re.findall(r'name="next" value="([^"]*)"', shown.text)
            assert kept, path
            for one in kept:
                _stays(api, unescape(one))
        typed = then.replace("\x00", "")  # no form with such a character is taken at all
        form = {"email": made["email"], "password": PASSWORD, "next": typed}
        signed = await ask(api, "POST", "/sign-in", form=form)
        assert signed.status == 303, then
        _stays(api, signed.location)


def _stays(api: Api, where: str) -> None:
    """Hold a location to this host, as browsers read it: backslashes are slashes, blanks around and in it nothing."""
    read = re.sub(r"[\t\r\n]", "", where.strip("\x00\x20")).replace("\\", "/")
    to = urlsplit(urljoin(f"{api.url}/sign-in", read))
    assert f"{to.scheme}://{to.netloc}" == api.url, where
    assert not re.search(r"[\x00-\x20\x7f-\uffff]", where), where


async def test_the_cookie_is_for_this_host_and_for_no_script(api: Api, admin: User, visit: Visit) -> None:
    """HttpOnly, SameSite=Lax; by TLS with ``__Host-`` and Secure, for no domain; gone after signing out."""
    made = await member(admin)
    form = {"email": made["email"], "password": PASSWORD}
    by_tls = (await ask(api, "POST", "/sign-in", form=form, X_Forwarded_Proto="https")).headers["Set-Cookie"]
    assert by_tls.startswith(f"__Host-{SESSION}=")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(by_tls.split("; "))
    assert "Domain" not in by_tls
    async with visit() as window:
        await window.go("/sign-in?next=/settings/profile")
        await window.page.get_by_label("E-mail").fill(made["email"])
        await window.page.get_by_label("Password", exact=True).fill(PASSWORD)
        await window.page.get_by_role("button", name="Sign in", exact=True).click()
        await expect(window.page.get_by_role("heading", level=1)).to_have_text("Your profile")
        (kept,) = await window.context.cookies()
        assert (kept["name"], kept["httpOnly"], kept["sameSite"], kept["path"]) == (SESSION, True, "Lax", "/")
        assert await window.page.evaluate("document.cookie") == ""
        await window.page.get_by_role("button", name="Sign out").click()
        await expect(window.page.get_by_role("heading", level=1)).to_have_text("Sign in")
        assert await window.context.cookies() == []


async def test_a_session_ends_in_an_open_window(
    api: Api, somebody: SignIn, api_database: str, admin: User, visit: Visit
) -> None:
    """Signed out elsewhere, another password, another role, its time, no use: the next click leads to sign in."""
    who: SignedIn = await somebody()
    path = f"/api/v1/users/{who.id}"

    async def sign_out(token: str) -> None:
        other = {"Cookie": f"{SESSION}={token}"}
        seen = await ask(api, "POST", "/sign-out", form={"csrf_token": csrf_token(token)}, **other)
        assert seen.status == 303

    async def password(_: str) -> None:
        assert (await admin.call("POST", f"{path}/password", {"password": PASSWORD})).status == 204

    async def role(_: str) -> None:
        assert (await admin.call("PATCH", path, {"role": "admin"}, headers={"If-Match": "*"})).status == 200

    async def sql(statement: str) -> None:
        async with await psycopg.AsyncConnection.connect(api_database) as connection:
            await connection.execute(statement.encode(), (who.id,))

    async def expire(_: str) -> None:
        await sql("UPDATE sessions SET expires_at = now() WHERE user_id = %s")

    async def leave(_: str) -> None:
        await sql("UPDATE sessions SET seen_at = now() - interval '25 hours' WHERE user_id = %s")

    async with visit() as window:
        for end in (sign_out, password, role, expire, leave):
            _, token = await session_of(api.settings, who.id)
            await window.context.add_cookies([{"name": SESSION, "value": token, "url": api.url, "httpOnly": True}])
            await window.go("/settings")
            await expect(window.page.get_by_role("heading", level=1)).to_have_text("Settings")
            await end(token)
            api.now[0] += FRESH_S
            await window.page.get_by_role("link", name="Your profile").click()
            await expect(window.page.get_by_role("heading", level=1)).to_have_text("Sign in")
            assert "next=/settings/profile" in window.page.url, end.__name__


# What could only come from a text: the tripwire, elements, attributes and addresses that no page of ours has.
_FOUND: Final = """() => {
  const found = window.__xss === undefined ? [] : ["window.__xss"];
  for (const one of document.querySelectorAll("*")) {
    const name = one.localName;
    if (["xss-mark", "marquee", "object", "embed", "base", "math", "plaintext", "style"].includes(name))
      found.push(name);
    if (name === "script" && !one.src && one.type !== "application/json") found.push("script");
    if (name === "iframe" && !one.hasAttribute("sandbox")) found.push("iframe");
    for (const { name: attribute, value } of one.attributes) {
      if (attribute.startsWith("on") || attribute === "srcdoc") found.push(`${name}[${attribute}]`);
      const leads = ["href", "xlink:href", "src", "action", "formaction", "data", "http-equiv"].includes(attribute);
      const elsewhere = /^[\\s\\u0000-\\u0020]*(j\\s*a\\s*v\\s*a|vbscript|data:text|\\/\\/|https?:\\/\\/evil|refresh)/i;
      if (leads && elsewhere.test(value))
        found.push(`${name}[${attribute}=${value.slice(0, 40)}]`);
    }
  }
  return found;
}"""
_MOST_PAGES: Final = 12
_TRIPWIRE: Final = "window.__xss"
# Where somebody's HTML is shown as it is, in a sandbox: what the browser says of having stopped it is as it should be.
_IN_SANDBOX: Final = re.compile(r"/settings/messages/|/outbox/")


async def test_what_people_write_is_text_on_every_page(
    browser: Browser, with_outbox: str, there: Attacked, who: SignedIn
) -> None:
    """Dozens of attacks in names, notes, tags, events, answers and texts: each page shows them, and none acts."""
    assert len(set(PAYLOADS)) >= 50
    async with opened(browser, with_outbox, session=who.token) as window:
        dialogs: list[str] = []
        window.page.on("dialog", lambda dialog: dialogs.append(dialog.message))
        for one, path in looked_at(there):
            texts, pages = [await _harmless(window, path)], 1
            wanted = there.shown.get(one.path, ())
            while wanted and pages < _MOST_PAGES and (after := await _next(window)):
                texts, pages = [*texts, await _harmless(window, after)], pages + 1
            assert [each for each in wanted if each not in "".join(texts)] == [], one.path
        assert dialogs == []
        window.wrong[:] = [said for said in window.wrong if not _IN_SANDBOX.search(said)]


async def _harmless(window: Window, path: str) -> str:
    """Open a page, hold it to what no text may do, and return its text."""
    response = await window.page.goto(window.url + path)
    assert response is not None
    assert response.status < 400, (path, response.status)
    found = await window.page.evaluate(_FOUND)
    if response.headers["content-security-policy"] == SANDBOX:  # what they write is all that there is
        found = [each for each in found if each == _TRIPWIRE]
    assert found == [], path
    return str(await window.page.evaluate("document.body.textContent"))


async def _next(window: Window) -> str:
    """Return where a list goes on; empty where it does not."""
    link = window.page.get_by_role("link", name="Next page")
    return str(await link.get_attribute("href")) if await link.count() else ""
