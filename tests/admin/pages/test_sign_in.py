"""Signing in and out as a person does it; what is wrong is said, and where one wanted to go is not forgotten."""

from typing import Any

import pytest
from playwright.async_api import expect

from tests.admin.conftest import Api
from tests.admin.pages.conftest import EACH_LOOK, Somebody, Visit

PASSWORD = "four words nobody guesses"


async def invited(api: Api) -> dict[str, Any]:
    """Somebody with a link that signs them in once."""
    name = f"{api.user().id}@example.com"
    answer = await api.user("admin").call("POST", "/api/v1/users", {"email": name, "name": "Sam", "role": "user"})
    assert answer.status == 201, answer
    user: dict[str, Any] = answer.json
    return user


async def added(api: Api) -> dict[str, Any]:
    """Somebody with a password."""
    admin, user = api.user("admin"), await invited(api)
    path = f"/api/v1/users/{user['id']}/password"
    assert (await admin.call("POST", path, {"password": PASSWORD})).status == 204
    return user


@pytest.mark.parametrize("look", EACH_LOOK)
async def test_the_form_can_be_used_by_everybody(visit: Visit, look: dict[str, bool]) -> None:
    """Dark, light and on a phone axe finds nothing, and the first field has the focus."""
    async with visit(**look) as window:
        await window.go("/sign-in")
        assert await window.heading() == "Sign in"
        await expect(window.page.get_by_label("E-mail")).to_be_focused()
        await window.looked_at("sign-in")


@pytest.mark.parametrize("scripts", [True, False])
async def test_one_signs_in_with_a_password_and_gets_where_one_wanted(api: Api, visit: Visit, *, scripts: bool) -> None:
    """A wrong one is said, and the e-mail kept; then the page that was asked for is there; signing out ends it."""
    user = await added(api)
    async with visit(scripts=scripts) as window:
        page = window.page
        await window.go("/executions?last=24h")
        assert await window.heading() == "Sign in"
        await page.get_by_label("E-mail").fill(user["email"])
        await page.get_by_label("Password").fill("wrong")
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_role("alert")).to_contain_text("The e-mail or the password is wrong")
        await expect(page.get_by_label("E-mail")).to_have_value(user["email"])
        window.wrong.clear()  # Chromium puts every 401 into the console
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Executions")
        assert page.url.endswith("/executions?last=24h")
        await page.get_by_role("button", name="Sign out").click()
        assert await window.heading() == "Sign in"
        await window.go("/executions")
        assert await window.heading() == "Sign in"


@pytest.mark.parametrize("scripts", [True, False])
async def test_a_link_leads_where_one_wanted(api: Api, visit: Visit, *, scripts: bool) -> None:
    """Pasted where one was asked to sign in; a wrong one does not forget where that was."""
    user = await invited(api)
    wanted = "/executions?last=24h"
    async with visit(scripts=scripts) as window:
        page = window.page
        for token in ("used", user["link_token"]):
            await window.go(wanted)
            await page.get_by_text("No password yet?").click()
            await page.get_by_label("The link").fill(f"{api.url}/sign-in/link?token={token}")
            await page.get_by_role("button", name="Use the link").click()
            await page.get_by_role("button", name="Sign in").click()
            if token == "used":
                await page.get_by_role("link", name="Sign in with a password").click()
                await page.wait_for_url(f"{api.url}/sign-in?next=/executions%3Flast%3D24h")
        await expect(page.get_by_role("heading", level=1)).to_have_text("Executions")
        assert page.url == f"{api.url}{wanted}"
        window.wrong.clear()  # Chromium puts every 401 into the console


@pytest.mark.parametrize(
    ("then", "ends"),
    [("/executions", "/executions"), ("//evil.example", "/"), ("https://evil.example/", "/"), ("/\\evil.example", "/")],
)
async def test_a_link_leads_to_no_other_host(api: Api, then: str, ends: str) -> None:
    """As the password's form: a path here, or the first page; what is sent is checked as what is shown."""
    token = (await invited(api))["link_token"]
    async with api.client.get("/sign-in/link", params={"token": token, "next": then}) as shown:
        assert f'name="next" value="{ends}"' in await shown.text()
    sent = {"token": token, "next": then}
    async with api.client.post("/sign-in/link", data=sent, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, ends)


async def test_a_page_that_is_not_there_says_so(visit: Visit, somebody: Somebody) -> None:
    """What happened, what to do next, and the id to quote; no matter whether somebody is signed in."""
    async with visit(await somebody()) as window:
        for path in ("/nothing", "/executions/00000000-0000-0000-0000-000000000001"):
            await window.go(path)
            assert await window.heading() == "There is nothing here"
            await expect(window.page.get_by_text("404 · id")).to_be_visible()
            await window.page.get_by_role("link", name="To the overview").click()
            assert await window.heading() == "Overview"
        window.wrong.clear()  # Chromium puts every 404 into the console


async def test_the_keyboard_finds_the_search_box_and_the_list_of_shortcuts(visit: Visit, somebody: Somebody) -> None:
    """``/`` and ``?``, unless somebody is typing; Escape closes."""
    async with visit(await somebody()) as window:
        page = window.page
        await window.go("/executions")
        await page.keyboard.press("/")
        box = page.get_by_role("searchbox", name="Search")
        await expect(box).to_be_focused()
        await page.keyboard.press("?")
        await expect(box).to_have_value("?")
        await page.get_by_role("heading", level=1).click()
        await page.keyboard.press("?")
        dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
        await expect(dialog).to_be_visible()
        await window.looked_at("shortcuts")
        await page.keyboard.press("Escape")
        await expect(dialog).to_be_hidden()


@pytest.mark.parametrize("scripts", [True, False])
async def test_a_phone_finds_every_place(visit: Visit, somebody: Somebody, *, scripts: bool) -> None:
    """Four in the bar, the others and the way out behind More; none hangs over the edge."""
    async with visit(await somebody("admin"), phone=True, scripts=scripts) as window:
        page = window.page
        await window.go("/workflows")
        for name in ("Settings", "Sign out"):
            await expect(page.get_by_text(name, exact=True)).to_have_count(2)
        bar = page.get_by_role("banner")
        assert await bar.get_by_role("link").all_inner_texts() == ["Overview", "Workflows", "Executions", "Events"]
        await bar.get_by_text("More", exact=True).click()
        await bar.get_by_role("link", name="Settings").click()
        assert await window.heading() == "Settings"
        if scripts:
            assert await page.evaluate("document.documentElement.scrollWidth") <= 390
        await bar.get_by_text("More", exact=True).click()
        await bar.get_by_role("button", name="Sign out").click()
        assert await window.heading() == "Sign in"
