"""Whoever is signed out while a page is open loses nothing that they wrote: they sign in again, and go on."""

import re
from dataclasses import replace
from uuid import uuid4

from playwright.async_api import Page, expect

from app.admin.cookies import SESSION
from app.domain.sessions import csrf_token
from app.services.access.sessions import FRESH_S
from tests.admin.conftest import Api
from tests.admin.pages.conftest import Somebody, Visit
from tests.admin.pages.test_editor import drafted, made, saved, state
from tests.support.chromium import Window
from tests.support.sessions import SignedIn, session_of

NOTICE = "You are signed out. What you entered is still here"


async def sign_out_elsewhere(api: Api, who: SignedIn) -> None:
    """End a session, as another tab or an administrator does."""
    headers = {"Cookie": f"{SESSION}={who.token}"}
    form = {"csrf_token": csrf_token(who.token)}
    async with api.client.post("/sign-out", data=form, headers=headers, allow_redirects=False) as answer:
        assert answer.status == 303
    api.now[0] += FRESH_S


async def sign_in_elsewhere(api: Api, who: SignedIn, window: Window) -> SignedIn:
    """Sign in in another tab, and come back to this one; returns who that is now."""
    session, token = await session_of(api.settings, who.id)
    await window.context.add_cookies([{"name": SESSION, "value": token, "url": api.url, "httpOnly": True}])
    await window.page.evaluate("dispatchEvent(new Event('focus'))")
    return replace(who, session_id=session, token=token)


def told_of(window: Window) -> None:
    """Take note of what was refused meanwhile, of which Chromium tells in its console."""
    assert any("status of 401" in one for one in window.wrong), window.wrong
    window.wrong[:] = [one for one in window.wrong if "status of 401" not in one and "status of 403" not in one]


async def filled(page: Page) -> None:
    """Write a message template."""
    await page.get_by_role("textbox", name="Name", exact=True).fill(f"thanks-{uuid4().hex[:8]}")
    await page.get_by_label("Subject or title").fill("Thank you")
    await page.get_by_label("Text", exact=True).fill("Order {{ order.id }} is paid.")


async def ask_again(page: Page) -> None:
    """Have the page not know any more whether the session holds, as after half a minute."""
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


async def test_a_draft_is_kept_until_one_has_signed_in_again(api: Api, visit: Visit, somebody: Somebody) -> None:
    """The page stays, says so with a way to sign in, and saves by itself once that is done."""
    who = await somebody()
    path = await made(api, who)
    async with visit(who) as window:
        page = window.page
        await window.go(path)
        await expect(page.get_by_role("button", name="Step 1:")).to_be_visible()
        await sign_out_elsewhere(api, who)
        await page.get_by_label("Value", exact=True).fill("7000")
        await expect(page.get_by_text(NOTICE)).to_be_visible()
        await expect(page.get_by_role("link", name="Sign in")).to_have_attribute("target", "_blank")
        await expect(state(page)).to_contain_text("Not saved")
        await window.looked_at("signed-out-while-editing")
        now = await sign_in_elsewhere(api, who, window)
        await saved(page)
        await expect(page.get_by_text(NOTICE)).to_be_hidden()
        told_of(window)
    assert (await drafted(api, now, path))["conditions"][0]["value"] == 7000


async def test_who_has_signed_in_again_in_another_tab_goes_on_in_this_one(
    api: Api, visit: Visit, somebody: Somebody
) -> None:
    """The page's token is that of the session before: it takes the new one, and nobody notices."""
    who = await somebody()
    path = await made(api, who)
    async with visit(who) as window:
        page = window.page
        await window.go(path)
        await expect(page.get_by_role("button", name="Step 1:")).to_be_visible()
        await sign_out_elsewhere(api, who)
        await sign_in_elsewhere(api, who, window)
        await page.get_by_label("Value", exact=True).fill("7000")
        await saved(page)
        window.wrong[:] = [one for one in window.wrong if "status of 403" not in one]


async def test_a_form_is_not_sent_into_a_session_that_has_ended(api: Api, visit: Visit, somebody: Somebody) -> None:
    """What was entered stays in it; sent again after signing in it does what it is for, by its own button."""
    who = await somebody()
    async with visit(who) as window:
        page = window.page
        await window.go("/settings/messages/new")
        await filled(page)
        await sign_out_elsewhere(api, who)
        await ask_again(page)
        await page.get_by_role("button", name="Store the template").click()
        await expect(page.get_by_text(NOTICE)).to_be_visible()
        await expect(page.get_by_label("Text", exact=True)).to_have_value("Order {{ order.id }} is paid.")
        await sign_in_elsewhere(api, who, window)
        await expect(page.get_by_text(NOTICE)).to_be_hidden()
        await page.get_by_role("button", name="Store the template").click()
        await expect(page.get_by_role("main")).to_contain_text("The template is stored")
        told_of(window)


async def test_without_scripts_it_is_said_in_words(api: Api, visit: Visit, somebody: Somebody) -> None:
    """What has happened and what to do: of tokens and headers nobody is told."""
    who = await somebody()
    async with visit(who, scripts=False) as window:
        page, main = window.page, window.page.get_by_role("main")
        for now, said in (
            (sign_in_elsewhere, "perhaps you signed in again. Go back, load the page again"),
            (None, "Your session has ended, or you have not signed in yet. Sign in and do it again"),
        ):
            await window.go("/settings/messages/new")
            await filled(page)
            await sign_out_elsewhere(api, who)
            who = await now(api, who, window) if now else who
            await page.get_by_role("button", name="Store the template").click()
            await expect(main).to_contain_text(re.compile(said.replace(". ", r"\.?\s+")))
            await expect(main).not_to_contain_text(re.compile("csrf|bearer|header", re.IGNORECASE))
        told_of(window)
