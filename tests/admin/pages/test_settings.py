"""The settings as administrators and users use them: by what is written on buttons and fields."""

import re
from collections.abc import Callable
from typing import Any, Final
from uuid import UUID, uuid4

import orjson
import pytest
from playwright.async_api import Page, expect

from app.admin.cookies import SESSION
from app.domain.api_keys import PREFIX
from app.services.access.sessions import FRESH_S
from app.services.messages.channel_tests import TYPE
from app.settings import Settings
from tests.admin.conftest import Api, User
from tests.admin.log import Log
from tests.admin.pages.conftest import EACH_LOOK, Visit
from tests.admin.test_sign_in import PASSWORD, member
from tests.support.chromium import Window
from tests.support.sessions import SignedIn, session_of

SignIn = Callable[..., Any]
ROOT: Final = "/settings"
_PAGES: Final = (
    "",
    "/profile",
    "/sessions",
    "/messages/new",
    "/channels/new",
    "/secrets/new",
    "/users/new",
    "/keys/new",
)
_LISTS: Final = ("/messages", "/channels", "/secrets", "/users", "/keys", "/audit")


async def go(window: Window, path: str) -> Page:
    """Open one of the settings."""
    await window.go(f"{ROOT}{path}")
    return window.page


async def says(page: Page, words: str) -> None:
    """Wait until the page says something."""
    await expect(page.get_by_role("main")).to_contain_text(words)


async def agree(page: Page, name: str) -> None:
    """Press a button, and say yes to what it asks."""
    await page.get_by_role("main").get_by_role("button", name=name, exact=True).click()
    await page.get_by_role("dialog").get_by_role("button", name=name, exact=True).click()


async def filled(admin: User, who: SignedIn) -> None:
    """Have something in every list, also what has a long word for its name."""
    await admin.call(
        "PUT", "/api/v1/secrets/SHOP_TOKEN", {"value": "a-token-of-the-shop", "owners": [str(who.id)], "hosts": ["*"]}
    )
    channel = {"name": f"sales-{uuid4().hex[:6]}", "url": "json://hooks.example.com/x", "owners": ["*"]}
    await admin.call("POST", "/api/v1/channels", channel)
    await admin.call("POST", "/api/v1/api-keys", {"name": "Web shop", "permissions": ["events:write", "crm:read"]})
    one_word = "W" * 60
    await admin.call("POST", "/api/v1/api-keys", {"name": one_word, "permissions": ["events:write"]})
    await admin.call("POST", "/api/v1/users", {"email": f"{uuid4().hex}@example.com", "name": one_word})
    text = {"name": f"thanks-{uuid4().hex[:6]}", "kind": "email", "subject": "Thank you", "text": "Hello"}
    await admin.call("POST", "/api/v1/message-templates", text)


@pytest.mark.parametrize("look", EACH_LOOK)
async def test_everybody_can_use_every_page(admin: User, somebody: SignIn, visit: Visit, look: dict[str, bool]) -> None:
    """By keyboard, by a screen reader, dark, light and on a phone; each has a heading and says where one is."""
    who: SignedIn = await somebody("admin")
    await filled(admin, who)
    async with visit(who, **look) as window:
        for path in (*_PAGES, *_LISTS):
            page = await go(window, path)
            await expect(page.get_by_role("heading", level=1)).to_have_count(1)
            await window.looked_at(f"settings{path.replace('/', '-')}")


async def test_a_user_finds_what_is_theirs(somebody: SignIn, visit: Visit) -> None:
    """Profile, sessions, message templates: what they may not do is not offered, and refused where it is sent for."""
    who: SignedIn = await somebody()
    async with visit(who, scripts=False) as window:
        page = await go(window, "")
        listed = page.get_by_role("main").get_by_role("navigation", name="Settings").get_by_role("link")
        names = [text.split("\n")[0] for text in await listed.all_inner_texts()]
        assert [name.strip() for name in names] == ["Your profile", "Sessions", "Message templates"]
        await go(window, "/secrets")
        assert await window.heading() == "You may not do this"
        window.wrong.clear()


async def test_a_message_is_written_previewed_and_stored(somebody: SignIn, visit: Visit) -> None:
    """Without scripts too; what is wrong is said at its field, and in a summary that leads there."""
    who: SignedIn = await somebody()
    name = f"thanks-{uuid4().hex[:8]}"
    async with visit(who, scripts=False) as window:
        page = await go(window, "/messages/new")
        await page.get_by_role("textbox", name="Name", exact=True).fill("Thanks!")
        await page.get_by_label("Subject or title").fill("Thank you, {{ customer.name }}")
        await page.get_by_label("Text", exact=True).fill("Order {{ order.id }} {% if %}")
        await page.get_by_role("button", name="Store the template").click()
        await expect(page.get_by_role("alert").get_by_role("link")).to_have_text(["Name", "Text"])
        assert await page.get_by_role("textbox", name="Name", exact=True).get_attribute("aria-invalid") == "true"
        await page.get_by_role("textbox", name="Name", exact=True).fill(name)
        await page.get_by_label("Text", exact=True).fill("Order {{ order.id }} is paid.")
        await page.get_by_label("HTML").fill(
            "<b>Hi {{ customer.name }}</b><script>parent.document.title = 'x'</script>"
        )
        await page.get_by_role("button", name="Show the preview").click()
        frame = page.frame_locator("iframe")
        await expect(frame.get_by_text("Thank you, Ana Lima")).to_be_visible()
        await expect(frame.get_by_text("Order o-5001 is paid.")).to_be_visible()
        await expect(frame.locator("b")).to_have_text("Hi Ana Lima")
        subject = page.get_by_label("Subject or title")
        for wrong, said in (("{{ customer.nick }}", "Subject: there is no customer nick"), ("", "Subject is needed")):
            await subject.fill(wrong)
            await page.get_by_role("button", name="Show the preview").click()
            await expect(frame.get_by_text("This cannot be sent as it is:")).to_be_visible()
            await expect(frame.get_by_role("listitem")).to_have_text(said)
        await subject.fill("Thank you, {{ customer.name }}")
        await page.get_by_role("button", name="Store the template").click()
        await says(page, "The template is stored")
        await page.get_by_role("link", name=name).click()
        await expect(page.get_by_label("HTML")).to_have_value(re.compile("<script>"))
        window.wrong[:] = [said for said in window.wrong if "preview" not in said and "422" not in said]


async def test_a_preview_runs_nothing_and_reaches_nothing(somebody: SignIn, visit: Visit, api: Api) -> None:
    """With scripts on, of the page and of the mail: the mail's do not run, its forms are not sent, it has no origin."""
    who: SignedIn = await somebody()
    evil = (
        "<p id=here>Hello</p><script>parent.__xss = 1</script><img src=x onerror='parent.__xss = 1'>"
        "<form action='/sign-out' method=post><button>Click me</button></form>"
    )
    async with visit(who) as window:
        page = await go(window, "/messages/new")
        await page.get_by_label("Subject or title").fill("S")
        await page.get_by_label("HTML").fill(evil)
        for _ in range(2):  # and once more: it is no form that is sent once
            await page.get_by_role("button", name="Show the preview").click()
            await expect(page.frame_locator("iframe").get_by_text("Hello")).to_be_visible()
        await page.frame_locator("iframe").get_by_role("button", name="Click me").click()
        assert await page.evaluate("window.__xss") is None
        await expect(page.get_by_role("heading", level=1)).to_have_text("A new message template")
        assert (await api.client.get(f"{ROOT}/profile", headers=who.cookie)).status == 200
        assert window.wrong
        window.wrong[:] = [said for said in window.wrong if "sandbox" not in said and "Content Security" not in said]


async def test_a_secret_goes_in_and_never_comes_out(somebody: SignIn, visit: Visit, admin: User) -> None:
    """Stored for one's own workflows, replaced, given to everybody, deleted: no page ever holds the value."""
    who: SignedIn = await somebody("admin")
    name, value = f"S{uuid4().hex[:8].upper()}", f"hunter2-{uuid4().hex}"
    async with visit(who) as window:
        page = await go(window, "/secrets/new")
        await page.get_by_role("textbox", name="Name", exact=True).fill(name)
        await page.get_by_label("Value").fill("sh0rter")
        await page.get_by_role("button", name="Store the secret").click()
        await says(page, "Must have at least 8 characters")
        await window.looked_at("settings-secret-wrong")
        assert "sh0rter" not in await page.content()
        await page.get_by_label("Value").fill(value)
        await page.get_by_role("button", name="Store the secret").click()
        await says(page, "Nothing shows its value again")
        await page.get_by_role("link", name=name).click()
        assert value not in await page.content()
        await page.get_by_label("Everybody's").check()
        await page.get_by_label("Where may it be sent?").fill("api.example.com")
        await page.get_by_role("button", name="Save").click()
        row = page.get_by_role("row").filter(has_text=name)
        await expect(row).to_contain_text("Everybody's workflows")
        await expect(row).to_contain_text("api.example.com")
        await row.get_by_role("link", name=name).click()
        await agree(page, "Delete the secret")
        await says(page, "The secret is gone")
        window.wrong[:] = [said for said in window.wrong if "422" not in said]
    listed = await admin.call("GET", "/api/v1/secrets")
    assert name not in str(listed.json)


async def test_a_channel_is_tested_as_a_workflow_would_use_it(
    somebody: SignIn, visit: Visit, api: Api, log: Log
) -> None:
    """A workflow of one's own is run by hand, its execution says what became of it, and both go with the channel."""
    who: SignedIn = await somebody("admin")
    name = f"sales-{uuid4().hex[:8]}"
    async with visit(who) as window:
        page = await go(window, "/channels/new")
        await page.get_by_role("textbox", name="Name", exact=True).fill(name)
        await page.get_by_label("Address").fill("json://ada:T0PSECRET@hooks.example.com/x")
        await page.get_by_role("button", name="Make the channel").click()
        await says(page, "Send a test to see whether it works")
        row = page.get_by_role("row").filter(has_text=name)
        await row.get_by_role("button", name="Send a test").click()
        await says(page, "A message is on its way")
        await window.looked_at("settings-channel-tested")
        sent = UUID(page.url.partition("execution=")[2])
        (record,) = api.sender.records
        event = orjson.loads(record.value or b"")
        assert (event["type"], event["data"]) == (TYPE, {"channel": name})
        await log.add({"id": event["workflowid"]}, id=sent, status="failed", error="the service answered 404")
        await page.get_by_role("link", name="Look again").click()
        await page.get_by_role("link", name="See what happened").click()
        await says(page, f"Test of the channel {name}")
        page = await go(window, "/channels")
        assert "T0PSECRET" not in await page.content()
        await row.get_by_role("link", name=name).click()
        await page.get_by_role("textbox", name="Name", exact=True).fill(f"{name}-2")
        await page.get_by_role("button", name="Save").click()
        await says(page, "The channel is changed")
        await page.get_by_role("link", name=f"{name}-2").click()
        await agree(page, "Delete the channel")
        await says(page, "The channel is gone")


async def test_an_administrator_lets_people_in_and_out(somebody: SignIn, visit: Visit, api: Api) -> None:
    """Made with a link shown once that signs in, given another role, disabled, let in again: all on the trail."""
    who: SignedIn = await somebody("admin")
    email = f"{uuid4().hex}@example.com"
    async with visit(who) as window, visit() as theirs:
        page = await go(window, "/users/new")
        await page.get_by_role("textbox", name="Name", exact=True).fill("Grace Lima")
        await page.get_by_label("E-mail").fill(email)
        await page.get_by_label("See customers").check()
        await page.get_by_role("button", name="Make the user").click()
        link = await page.get_by_label("Sign-in link").input_value()
        assert link.startswith(f"{api.url}/sign-in/link?token=hrl_")
        await theirs.page.goto(link)
        await theirs.page.get_by_role("button", name="Sign in").click()
        await expect(theirs.page.get_by_role("heading", level=1)).to_have_text("Overview")
        await page.get_by_role("link", name="To the user").click()
        await expect(page.get_by_label("See customers")).to_be_checked()
        await page.get_by_label("Role").select_option("Administrator")
        await page.get_by_role("button", name="Save").click()
        await says(page, "The user is changed")
        await window.looked_at("settings-user")
        await agree(page, "Disable")
        await says(page, "every session has ended")
        api.now[0] += FRESH_S
        await theirs.go("/settings/profile")
        await expect(theirs.page.get_by_role("heading", level=1)).to_have_text("Sign in")
        await page.get_by_role("button", name="Let them in again").click()
        await says(page, "The user may sign in again")
        page = await go(window, "/audit")
        await page.get_by_label("Who").select_option(str(who.id))
        await page.get_by_label("What").select_option("User")
        await page.get_by_role("button", name="Show").click()
        await says(page, "role from User to Administrator")
        await says(page, f"made the user “{email}”")
        await page.get_by_role("link", name="made the user").click()
        await says(page, "of the id")


async def test_a_key_is_shown_once(somebody: SignIn, visit: Visit) -> None:
    """It calls as it may, its page can copy it, no other page has it, and once revoked it is refused."""
    who: SignedIn = await somebody("admin")
    name = f"Shop {uuid4().hex[:8]}"
    async with visit(who, permissions=["clipboard-read", "clipboard-write"]) as window:
        page = await go(window, "/keys/new")
        await page.get_by_role("textbox", name="Name", exact=True).fill(name)
        await page.get_by_role("button", name="Make the key").click()
        await says(page, "Name at least one")
        await page.get_by_label("See customers").check()
        await page.get_by_role("button", name="Make the key").click()
        key = await page.get_by_label("API key").input_value()
        assert key.startswith(PREFIX)
        await page.get_by_role("button", name="Copy").click()
        await expect(page.get_by_role("status").get_by_text("Copied")).to_be_visible()
        assert await page.evaluate("navigator.clipboard.readText()") == key
        await window.looked_at("settings-key-made")
        page = await go(window, "/keys")
        assert key not in await page.content()
        row = page.get_by_role("row").filter(has_text=name)
        await row.get_by_role("button", name="Revoke").click()
        await page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
        await expect(row).to_contain_text("Revoked")
        window.wrong[:] = [said for said in window.wrong if "422" not in said]


async def test_a_password_and_sessions_are_ones_own(visit: Visit, api: Api, admin: User, settings: Settings) -> None:
    """A new password needs the one before and ends the other sessions; others can be ended one by one, or all."""
    made = await member(admin)
    _, token = await session_of(settings, UUID(made["id"]))
    _, other = await session_of(settings, UUID(made["id"]))

    async def is_open(session: str) -> bool:
        api.now[0] += FRESH_S
        answer = await api.client.get("/api/v1/session", headers={"Cookie": f"{SESSION}={session}"})
        return answer.status == 200

    async with visit(scripts=False) as window:
        await window.context.add_cookies([{"name": SESSION, "value": token, "url": api.url, "httpOnly": True}])
        page = await go(window, "/profile")
        await page.get_by_label("The password you have").fill("not that one")
        await page.get_by_label("New password", exact=True).fill("short")
        await page.get_by_label("New password again").fill("shorter")
        await page.get_by_role("button", name="Change the password").click()
        await expect(page.get_by_role("alert").get_by_role("link")).to_have_count(3)
        await page.get_by_label("The password you have").fill(PASSWORD)
        for label in ("New password", "New password again"):
            await page.get_by_label(label, exact=True).fill("five more words nobody guesses")
        await page.get_by_role("button", name="Change the password").click()
        await says(page, "Your password is changed")
        assert [await is_open(one) for one in (token, other)] == [True, False]
        others = [(await session_of(settings, UUID(made["id"])))[1] for _ in range(2)]
        page = await go(window, "/sessions")
        await page.get_by_role("row").filter(has_not_text="This one").get_by_role("button", name="End").first.click()
        await says(page, "The session has ended")
        assert sorted([await is_open(one) for one in others]) == [False, True]
        await page.get_by_role("button", name="End all others").click()
        await says(page, "Sign you out everywhere but here?")
        assert await is_open(others[0])
        await page.get_by_role("button", name="Yes, go on").click()
        await says(page, "All other sessions have ended")
        assert [await is_open(one) for one in (token, *others)] == [True, False, False]
        window.wrong[:] = [said for said in window.wrong if "422" not in said]


async def test_an_administrator_ends_anothers_session(somebody: SignIn, visit: Visit) -> None:
    """Found from their page; nobody else sees them, whatever address they try."""
    who, other = await somebody("admin"), await somebody()
    async with visit(who, scripts=False) as window:
        page = await go(window, f"/users/{other.id}")
        await page.get_by_role("link", name="Sessions").last.click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Sessions of Somebody")
        await page.get_by_role("button", name="End").click()
        await says(page, "Signed in nowhere")
    async with visit(await somebody(), scripts=False) as window:
        page = await go(window, f"/sessions?user={who.id}")
        await expect(page.get_by_role("heading", level=1)).to_have_text("Your sessions")
