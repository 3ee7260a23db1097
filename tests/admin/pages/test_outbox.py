"""The outbox: what went out as its receiver has it, and nothing in a mail that can act."""

import smtplib
from asyncio import to_thread
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email.message import EmailMessage

import aiohttp
import pytest
from playwright.async_api import Browser, expect

from app.adapters.http.client import open_http_client
from app.admin.pages.rendering import environment
from app.embedded.mail import Mailbox
from app.embedded.message_providers import MessageProviders
from app.embedded.webhook_receiver import WebhookReceiver
from app.ports.sent_messages import SentMessage
from app.settings import Settings
from tests.admin.conftest import Api, serving
from tests.admin.pages.conftest import EACH_LOOK, Somebody, Visit
from tests.support.chromium import window
from tests.support.deadlines import scaled
from tests.support.providers import LOGIN

HOSTILE = """<!doctype html><title>Thanks</title><base target="_top">
<meta http-equiv="refresh" content="0;url=/customers">
<style>p { color: rgb(120, 20, 20) } body { background: url(https://style.example/bg.png) }</style>
<p>Thank you, Ada</p>
<script>document.body.append("a script ran"); top.location = "/customers"; fetch("/api/v1/session");</script>
<img src="https://pixel.example/open.png" alt="a picture">
<img src="x" onerror="document.body.append('a handler ran')" alt="">
<form action="/sign-out" method="post" target="_top"><input name="csrf_token" value="x"><button>Confirm</button></form>
<p><a href="/customers" target="_top">To the top</a> <a href="https://elsewhere.example/">Elsewhere</a>
<a href="javascript:document.body.append('a link ran')">Script</a></p>
<svg onload="document.body.append('a drawing ran')"></svg><iframe src="/customers" title="inner"></iframe>"""


def send_mail(port: int, subject: str, html: str) -> None:
    """Send a mail as an executor would."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Shop <shop@example.com>", "ada@example.com", subject
    message["Date"], message["Message-ID"] = "Mon, 23 Nov 2026 10:00:00 +0000", "<one@example.com>"
    message.set_content("Thank you, Ada\n\nYour shop")
    message.add_alternative(html, subtype="html")
    with smtplib.SMTP("127.0.0.1", port, timeout=scaled(5)) as client:
        client.send_message(message)


async def send_others(providers: MessageProviders, receiver: WebhookReceiver) -> None:
    """Send an SMS, a WhatsApp message and a webhook."""
    sms = {"To": "+4915112345678", "From": LOGIN.number, "Body": "Your parcel <b>is</b> on its way"}
    said = {"messaging_product": "whatsapp", "recipient_type": "individual", "to": "+4915112345678", "type": "text",
            "text": {"body": "It has arrived"}}  # fmt: skip
    basic = {"Authorization": aiohttp.encode_basic_auth(LOGIN.account_sid, LOGIN.auth_token)}
    bearer, key = {"Authorization": f"Bearer {LOGIN.access_token}"}, {"Idempotency-Key": "one"}
    twilio = f"{providers.url}/2010-04-01/Accounts/{LOGIN.account_sid}/Messages.json"
    meta = f"{providers.url}/v23.0/{LOGIN.phone_number_id}/messages"
    async with aiohttp.ClientSession() as client:
        assert (await client.post(twilio, data=sms, headers=basic)).status == 201
        assert (await client.post(meta, json=said, headers=bearer)).status == 200
        assert (await client.post(f"{receiver.url}/hook", json={"order": {"total": 40}}, headers=key)).status == 200


@pytest.fixture
async def with_outbox(
    settings: Settings, mailbox: Mailbox, providers: MessageProviders, receiver: WebhookReceiver
) -> AsyncIterator[Api]:
    """Return an API beside stand-ins, to which one of each was sent."""
    told = settings.model_copy(
        update={
            "stand_in_mail_url": mailbox.url,
            "stand_in_messages_url": providers.url,
            "stand_in_webhooks_url": receiver.url,
        }
    )
    await to_thread(send_mail, mailbox.smtp_port, "Thanks <b>a lot</b>", HOSTILE)
    await send_others(providers, receiver)
    async with open_http_client(allow_private=True) as http, serving(told, http) as api:
        yield api


@pytest.mark.parametrize("look", EACH_LOOK)
async def test_what_went_out_is_shown_as_it_arrived(
    browser: Browser, with_outbox: Api, somebody: Somebody, look: dict[str, bool]
) -> None:
    """Newest first; a mail as the customer sees it, and as text."""
    who = await somebody("admin")
    async with window(browser, with_outbox.url, session=who.token, **look) as win:
        page = win.page
        await win.go("/outbox")
        await expect(page.get_by_role("row")).to_have_count(5)
        await expect(page.get_by_role("row").nth(1)).to_contain_text("Webhook")
        await win.looked_at("outbox")
        await page.get_by_role("link", name="Thanks <b>a lot</b>").click()
        await expect(page.get_by_role("region", name="As text")).to_contain_text("Your shop")
        await expect(page.frame_locator("iframe").get_by_text("Thank you, Ada")).to_be_visible()
        win.wrong.clear()  # what is refused of that mail: see the test of it
        await win.looked_at("outbox-mail")
        win.wrong.clear()


async def test_messages_and_webhooks_are_shown_without_scripts(
    browser: Browser, with_outbox: Api, somebody: Somebody
) -> None:
    """By kind; markup in what is sent is text, JSON has its lines."""
    who = await somebody("admin")
    async with window(browser, with_outbox.url, session=who.token, scripts=False) as win:
        page = win.page
        for kind, name, text in (
            ("Webhook", '{"order": {"total": 40}}', '"total": 40'),
            ("SMS", "Your parcel <b>is</b> on its way", "Your parcel <b>is</b> on its way"),
            ("WhatsApp", "It has arrived", "It has arrived"),
        ):
            await win.go("/outbox")
            await page.get_by_label("Kind").select_option(kind)
            await page.get_by_role("button", name="Show").click()
            await expect(page.get_by_text(f"Shown are those of the kind {kind}")).to_be_visible()
            await expect(page.get_by_role("row")).to_have_count(2)
            await page.get_by_role("link", name=name).click()
            await expect(page.get_by_role("region", name="What it says")).to_contain_text(text)


async def test_nothing_in_a_mail_can_act(browser: Browser, with_outbox: Api, somebody: Somebody) -> None:
    """Scripts do not run, forms are not sent, links lead nowhere, nothing is loaded from elsewhere."""
    who = await somebody("admin")
    async with window(browser, with_outbox.url, session=who.token) as win:
        page, asked, refused = win.page, list[str](), dict[str, str | None]()
        page.on("requestfinished", lambda request: asked.append(request.url.removeprefix(with_outbox.url)))
        page.on("requestfailed", lambda request: refused.update({request.url: request.failure}))
        await win.go("/outbox/mail/1")
        mail = page.frame_locator("iframe[title^='The mail']")
        await expect(mail.get_by_text("Thank you, Ada")).to_be_visible()
        assert (
            await mail.get_by_text("Thank you, Ada").evaluate("one => getComputedStyle(one).color")
            == "rgb(120, 20, 20)"
        )
        for role, name in (("button", "Confirm"), ("link", "To the top"), ("link", "Elsewhere"), ("link", "Script")):
            await mail.get_by_role(role, name=name).click()  # type: ignore[arg-type]
        await expect(mail.get_by_text("Thank you, Ada")).to_be_visible()
        assert page.url == f"{with_outbox.url}/outbox/mail/1"
        assert (len(win.context.pages), await win.heading()) == (1, "Thanks <b>a lot</b>")
        assert "ran" not in (await mail.locator("body").inner_text()).split()
        assert [one for one in asked if not one.startswith("/static/")] == ["/outbox/mail/1", "/outbox/mail/1/html"]
        assert {"https://pixel.example/open.png", "https://style.example/bg.png"} <= set(refused)
        assert set(refused.values()) == {"csp"}
        win.wrong.clear()  # what Chromium says of each thing that it did not do
        await win.go("/outbox/mail/1/html")  # by itself, too, it runs nothing and sends nothing
        await page.get_by_role("button", name="Confirm").click()
        assert page.url == f"{with_outbox.url}/outbox/mail/1/html"
        assert set(refused.values()) == {"csp"}
        win.wrong.clear()


async def test_without_stand_ins_there_is_no_outbox(
    visit: Visit, with_outbox: Api, browser: Browser, somebody: Somebody
) -> None:
    """It is not among the places, and its address is none; with them it is an administrator's alone."""
    admin, user = await somebody("admin"), await somebody()
    async with visit(admin) as win:
        await win.go("/")
        await expect(
            win.page.get_by_role("navigation", name="Main").get_by_role("link", name="Executions")
        ).to_be_visible()
        await expect(win.page.get_by_role("navigation", name="Main").get_by_role("link", name="Outbox")).to_have_count(
            0
        )
        await win.go("/outbox")
        assert await win.heading() == "There is nothing here"
        win.wrong.clear()
    async with window(browser, with_outbox.url, session=user.token) as win:
        await win.go("/outbox/mail/1/html")
        assert await win.heading() == "You may not do this"
        win.wrong.clear()


def test_a_mail_that_does_not_say_from_whom_it_is_is_shown() -> None:
    """Whatever is known of a message, its page is there: every fact may be missing."""
    bare = SentMessage("mail", 1, datetime.now(UTC), "ada@example.com", "Bare", "Hello")
    frame = {"rail": [], "who": "", "csrf": "", "is_admin": True, "path": "/outbox", "here": "/outbox", "searched": ""}
    shown = environment().get_template("outbox/one.html")
    text = shown.render(
        frame={**frame, "now": datetime.now(UTC)}, one=bare, kind="Mail", html_path=None, text=bare.text
    )
    assert "<dt>From</dt><dd>It does not say</dd>" in text
