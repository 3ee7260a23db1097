"""Customers as a person looks them up: found, shown with all that is known, changed by forms; and an outside CRM."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import orjson
import pytest
from playwright.async_api import Browser, expect
from pydantic import SecretStr

from app.adapters.http.client import open_http_client
from app.admin.auth import mint_token
from app.settings import Settings
from tests.admin.conftest import Api, User, serving
from tests.admin.log import Log
from tests.admin.pages.conftest import EACH_LOOK, Somebody, Visit
from tests.support.chromium import Window, window
from tests.support.crm_http import served_crm
from tests.support.sessions import SignedIn

CRM = "/api/v1/crm"
MARKUP = "<script>alert(1)</script>"


def user_of(api: Api, who: SignedIn) -> User:
    """Return who is signed in as one who calls the API."""
    return User(api.client, mint_token(api.settings, who.id, "user", 600), who.id)


async def customer(user: User) -> str:
    """Enter a customer with one of everything; returns the id."""
    one = f"c-{uuid4().hex[:10]}"
    body = {
        "id": one,
        "name": f"Ada {one}",
        "email": f"{one}@example.com",
        "spent": 1240,
        "vip": True,
        "tags": ["newsletter"],
    }
    for path, sent in (
        (f"{CRM}/customers", body),
        (f"{CRM}/customers/{one}/notes", {"text": f"Prefers to be called in the afternoon {MARKUP}"}),
        (f"{CRM}/tasks", {"title": "Call Ada back", "customer_id": one, "assignee": "sam"}),
        (f"{CRM}/appointments", {"title": "Fitting", "customer_id": one, "starts_at": "2027-03-04T14:00:00Z"}),
        (
            f"{CRM}/conversations",
            {"id": f"v-{one}", "customer_id": one, "subject": "Where is my parcel?", "channel": "chat"},
        ),
        ("/api/v1/sales/orders", {"id": f"o-{one}", "customer_id": one, "total": "199.00"}),
    ):
        assert (await user.call("POST", path, sent)).status == 201, path
    return one


@pytest.mark.parametrize("look", EACH_LOOK)
async def test_a_customer_is_found_and_shown_with_all_there_is(
    visit: Visit, api: Api, log: Log, somebody: Somebody, look: dict[str, bool]
) -> None:
    """By how a name begins; profile, tags, what was noted, bought, said and agreed, and what ran for them and why."""
    who = await somebody()
    user = user_of(api, who)
    one = await customer(user)
    await log.add(
        await user.create(name=f"Thanks {MARKUP}"), entity=one, event_id="e-1", status="failed", error="no answer"
    )
    event = {"specversion": "1.0", "id": f"e-{one}", "source": "/shop", "type": "order.delivered", "subject": one}
    api.event_topics.put("t.events.order", one.encode(), orjson.dumps({**event, "data": {}}), at=time.time())
    async with visit(who, **look) as win:
        page = win.page
        await win.go("/customers")
        await page.get_by_label("Id, e-mail or name").fill(f"ada {one}")
        await page.get_by_role("button", name="Find").click()
        await expect(page.get_by_text("Shown are those whose id, e-mail or name begins")).to_be_visible()
        await win.looked_at("customers")
        await page.get_by_role("link", name=f"Ada {one}").click()
        assert await win.heading() == f"Ada {one}"
        for section, text in (
            ("Profile", "1,240"), ("Tags", "newsletter"), ("Notes", MARKUP), ("Orders", "199.00 EUR"),
            ("Conversations", "Where is my parcel?"), ("Tasks", "Call Ada back"), ("Appointments", "Fitting"),
            ("What ran lately", f"Thanks {MARKUP}"),
        ):  # fmt: skip
            await expect(page.get_by_role("region", name=section, exact=True)).to_contain_text(text)
        await win.looked_at("customer")
        await page.get_by_role("link", name="Timeline", exact=True).click()
        newest, older = await page.get_by_role("region", name="What happened").get_by_role("heading", level=3).all()
        await expect(newest).to_contain_text("An order is delivered")
        await expect(older).to_contain_text("An order is paid")
        await expect(page.get_by_text("no answer")).to_be_visible()
        await win.looked_at("customer-timeline")
        if look:
            return
        await page.get_by_role("link", name="Profile", exact=True).click()
        await page.get_by_text("Set a field").click()
        await page.get_by_label("Field", exact=True).fill("id")
        await page.get_by_role("button", name="Set the field").click()
        await expect(page.get_by_role("alert")).to_contain_text("Field: id cannot be set")
        await win.looked_at("customer-wrong")
        win.wrong[:] = [said for said in win.wrong if "status of 422" not in said]


async def test_a_customer_is_changed_by_forms_without_scripts(visit: Visit, api: Api, somebody: Somebody) -> None:
    """A tag put on and taken back, a note, a field; what is wrong is said at its field, and nothing is kept."""
    who = await somebody()
    one = await customer(user_of(api, who))
    async with visit(who, scripts=False) as win:
        page = win.page
        await win.go(f"/customers/{one}")
        await page.get_by_label("Add a tag").fill("VIP")
        await page.get_by_role("button", name="Add", exact=True).click()
        await expect(page.get_by_text("“VIP” is put on")).to_be_visible()
        await expect(page.get_by_role("region", name="Tags")).to_contain_text("VIP")
        await page.get_by_role("button", name="Undo").click()
        await expect(page.get_by_text("“VIP” is taken off")).to_be_visible()
        await page.get_by_label("Write a note").fill("Rang back")
        await page.get_by_role("button", name="Add the note").click()
        await expect(page.get_by_role("region", name="Notes")).to_contain_text("Rang back")
        await page.get_by_text("Set a field").click()
        await page.get_by_label("Field", exact=True).fill("visits")
        await page.get_by_label("Kind").select_option("Number")
        await page.get_by_label("Value").fill("many")
        await page.get_by_role("button", name="Set the field").click()
        await expect(page.get_by_role("alert")).to_contain_text("Value: must be a number")
        await expect(page.get_by_label("Value")).to_have_attribute("aria-invalid", "true")
        await expect(page.get_by_label("Value")).to_have_value("many")
        await page.get_by_label("Kind").select_option("A list or group (JSON)")
        for entered, said in (
            ('{"a": 1, "a": 2}', "a is given more than once"),
            ("[123456789012345678901]", "64 bits"),
        ):
            await page.get_by_label("Value").fill(entered)
            await page.get_by_role("button", name="Set the field").click()
            await expect(page.get_by_role("alert")).to_contain_text(said)
        await page.get_by_label("Kind").select_option("Number")
        await page.get_by_label("Value").fill("12")
        await page.get_by_role("button", name="Set the field").click()
        await expect(page.get_by_text("“visits” is changed")).to_be_visible()
        await page.get_by_text("Change visits").click()
        await page.get_by_role("button", name="Remove visits").click()
        await expect(page.get_by_text("Remove “visits” (12) from the profile of")).to_be_visible()
        await page.get_by_role("button", name="Yes, go on").click()
        await expect(page.get_by_text("“visits” is removed")).to_be_visible()
        await expect(page.get_by_role("region", name="Profile")).not_to_contain_text("visits")
        win.wrong[:] = [said for said in win.wrong if "status of 422" not in said]
    fields = (await user_of(api, who).call("GET", f"{CRM}/customers/{one}")).json
    assert (fields["tags"], "visits" in fields, fields["spent"]) == (["newsletter"], False, 1240)


async def test_who_may_only_read_is_offered_no_changes(
    browser: Browser, strict_api: Api, api: Api, somebody: Somebody
) -> None:
    """The page has no form that changes anything; an id that nobody has is said to be unknown."""
    reader, one = await somebody("user", "crm:read"), await customer(api.user())
    async with window(browser, strict_api.url, session=reader.token) as win:
        page = win.page
        await win.go(f"/customers/{one}")
        await expect(page.get_by_role("region", name="Tags")).to_contain_text("newsletter")
        for label in ("Add a tag", "Write a note", "Field"):
            await expect(page.get_by_label(label, exact=True)).to_have_count(0)
        await win.go("/customers/no%2Fbody")
        await expect(page.get_by_text("The CRM knows nobody with the id “no/body”")).to_be_visible()
        win.wrong[:] = [said for said in win.wrong if "status of 404" not in said]


@asynccontextmanager
async def with_outside_crm(
    browser: Browser, settings: Settings, who: SignedIn, url: str, token: str
) -> AsyncIterator[Window]:
    """Open a window on an API whose customers are kept by another CRM."""
    told = settings.model_copy(update={"crm_url": url, "crm_token": SecretStr(token)})
    async with (
        open_http_client(allow_private=True) as http,
        serving(told, http) as api,
        window(browser, api.url, session=who.token) as opened,
    ):
        yield opened


async def test_an_outside_crm_is_named_and_asked_by_id(
    browser: Browser, api: Api, api_database: str, settings: Settings, somebody: Somebody
) -> None:
    """It cannot be searched: the page says which it is and what can be done; a profile is shown, nothing changed."""
    who = await somebody()
    one = await customer(user_of(api, who))
    async with (
        served_crm(api_database, "t.") as crm,
        with_outside_crm(browser, settings, who, crm.url, crm.token) as win,
    ):
        page = win.page
        await win.go("/customers")
        await expect(page.get_by_text("Customers are in your own CRM")).to_be_visible()
        await win.looked_at("customers-outside")
        await page.get_by_label("Customer id").fill(one)
        await page.get_by_role("button", name="Open").click()
        assert await win.heading() == f"Ada {one}"
        await expect(page.get_by_text("Kept in your own CRM at 127.0.0.1")).to_be_visible()
        await expect(page.get_by_label("Add a tag")).to_have_count(0)


async def test_an_execution_leads_to_its_customer_whatever_the_id_holds(
    visit: Visit, api: Api, log: Log, somebody: Somebody
) -> None:
    """By a link that a browser follows; and their tags are changed there."""
    who = await somebody()
    user = user_of(api, who)
    workflow = await user.create()
    async with visit(who) as win:
        for odd in ("a{b", "a/b?c#d", ".", ".."):
            name = await api.user("admin").enter_customer(odd)
            row = await log.add(workflow, entity=odd, event_id=f"e-{uuid4()}")
            await win.go(f"/executions/{row['id']}")
            await win.page.get_by_role("link", name="profile").click()
            assert await win.heading() == name
            await win.page.get_by_label("Add a tag").fill("VIP")
            await win.page.get_by_role("button", name="Add", exact=True).click()
            await expect(win.page.get_by_text("“VIP” is put on")).to_be_visible()
            await win.page.get_by_role("link", name="Timeline", exact=True).click()
            assert await win.heading() == name
