"""The gallery as a marketer uses it: found, read, filled in, put right, applied; made of a workflow, deleted, kept."""

import re
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from playwright.async_api import Page, expect

from app.adapters.postgres.starter_templates import store_starters
from app.admin.auth import mint_token
from app.domain.callers import Permission
from app.services.workflows.starter_templates import STARTERS, starter_id
from tests.admin.conftest import Api, User
from tests.admin.pages.conftest import EACH_LOOK, Somebody, Visit
from tests.admin.pages.looks import looked_at_by_all
from tests.support.sessions import SignedIn
from tests.support.waiting import eventually

STRANGE = "<img src=x onerror=alert(1)>{{ 7*7 }}"


def user_of(api: Api, who: SignedIn, *permissions: Permission) -> User:
    """Somebody signed in, as they call the API."""
    return User(api.client, mint_token(api.settings, who.id, "user", 600, permissions), who.id)


async def template(user: User, name: str = "Thank for a big order", **changes: Any) -> dict[str, Any]:
    """A built-in template as one of somebody's own."""
    (starter,) = (one for one in STARTERS if one["name"] == name)
    answer = await user.call("POST", "/api/v1/templates", {**starter, "is_public": False, **changes})
    assert answer.status == 201, answer
    made: dict[str, Any] = answer.json
    return made


@pytest.mark.parametrize("look", EACH_LOOK)
async def test_the_gallery_can_be_looked_at_by_everybody(
    api: Api, visit: Visit, somebody: Somebody, look: dict[str, bool]
) -> None:
    """Cards by category with what each does, its trigger and its steps; a template reads as a sentence."""
    who = await somebody()
    user = user_of(api, who)
    for starter in STARTERS:
        await template(user, starter["name"])
    async with visit(who, **look) as window:
        page = window.page
        await window.go("/templates?whose=mine")
        assert await window.heading() == "Templates"
        await expect(page.get_by_text("Shown are those that are your own")).to_be_visible()
        card = page.get_by_role("listitem").filter(has=page.get_by_role("link", name="Thank for a big order"))
        await expect(card).to_contain_text("When an order is paid")
        await expect(card.get_by_role("list", name="Steps")).to_contain_text("Send an e-mail")
        await window.looked_at("templates")
        await card.get_by_role("link").click()
        assert await window.heading() == "Thank for a big order"
        reads = page.get_by_role("region", name="As it reads")
        await expect(reads).to_contain_text("order total is at least 1,000")
        await expect(reads).to_contain_text("Put a tag on the customer “VIP”")
        await window.looked_at("template")


async def test_one_finds_by_words_and_category(api: Api, visit: Visit, somebody: Somebody) -> None:
    """What is found says by what; where nothing fits, the way back is there. Names are text, whatever they hold."""
    who, word = await somebody(), uuid4().hex
    user = user_of(api, who)
    await template(user, name="Thank for a big order", description=f"{word} {STRANGE}")
    await template(user, name="Welcome a new customer", description=word)
    async with visit(who, scripts=False) as window:
        page = window.page
        await window.go("/templates")
        await page.get_by_label("Words in name or description").fill(word)
        await page.get_by_label("Category").select_option("sales")  # with however many there are
        await page.get_by_role("button", name="Show", exact=True).click()
        await expect(page.get_by_text(f"in “Sales”, with “{word}” in name or description")).to_be_visible()
        await expect(page.get_by_role("link", name="Thank for a big order")).to_be_visible()
        await expect(page.get_by_text(STRANGE)).to_be_visible()
        await expect(page.get_by_role("link", name="Welcome a new customer")).to_have_count(0)
        await page.get_by_label("Words in name or description").fill("nothing has this")
        await page.get_by_role("button", name="Show", exact=True).click()
        await expect(page.get_by_role("heading", name="Nothing here")).to_be_visible()


KINDS: list[dict[str, Any]] = [
    {"name": "amount", "type": "money", "label": "From which total", "default": 500, "minimum": 1, "currency": "EUR"},
    {"name": "wait", "type": "duration", "label": "How long to wait", "default": "2d", "maximum": "30d"},
    {"name": "copy", "type": "email", "label": "Copy to", "default": "me@example.com"},
    {"name": "subject", "type": "text", "label": "Subject", "max_length": 20, "help": "What the customer reads first"},
    {"name": "plan", "type": "choice", "label": "Plan", "choices": [{"value": 1, "label": "One"}, {"value": 2}]},
    {"name": "loud", "type": "boolean", "label": "Say it loudly", "default": False},
]
ASKS_ALL: dict[str, Any] = {
    "conditions": [
        {"field": "order.total", "operator": ">", "value": "[[amount]]", "logic": "AND"},
        {"field": "plan", "operator": "==", "value": "[[plan]]", "logic": "AND"},
        {"field": "loud", "operator": "==", "value": "[[loud]]"},
    ],
    "actions": [
        {"type": "delay", "order": 1, "config": {"duration": "[[wait]]"}},
        {"type": "send_email", "order": 2, "config": {"subject": "[[subject]]", "text": "Hi", "cc": ["[[copy]]"]}},
    ],
    "placeholders": KINDS,
}


async def test_what_is_wrong_is_said_at_each_field_and_then_a_workflow_is_made(
    api: Api, visit: Visit, somebody: Somebody
) -> None:
    """All mistakes at once, each in words, with a summary that leads to the fields; what was entered is kept."""
    who = await somebody()
    user = user_of(api, who)
    made = await template(user, **ASKS_ALL)
    async with visit(who) as window:
        page = window.page
        await window.go(f"/templates/{made['id']}")
        await page.get_by_label("From which total").fill("a lot")
        await page.get_by_label("How long to wait").fill("90 days")
        await page.get_by_label("Copy to").fill("nobody")
        await page.get_by_label("Subject").fill("far more than twenty characters")
        await page.get_by_role("button", name="Make the workflow").click()
        summary = page.get_by_role("alert")
        await expect(summary).to_contain_text("5 things to put right")
        window.wrong.clear()  # Chromium puts every 422 into the console
        await looked_at_by_all(window, "template-wrong")
        await summary.get_by_role("link", name="Copy to").click()
        await expect(page.get_by_label("Copy to")).to_be_focused()
        for label, said in (
            ("From which total", "Must be an amount such as 49.90, with at most two decimals"),
            ("How long to wait", "Must be at most 30d"),
            ("Copy to", "Must be one e-mail address"),
            ("Subject", "Must have at most 20 characters"),
        ):
            await expect(page.get_by_label(label)).to_have_accessible_description(said_last(said))
        await expect(page.get_by_label("From which total")).to_have_value("a lot")
        await right(page)
        await page.get_by_role("button", name="Make the workflow").click()
        await page.wait_for_url("**/workflows/*")
        window.wrong.clear()
        (workflow,) = (await user.call("GET", "/api/v1/workflows?search=filled in")).json["items"]
    assert [one["value"] for one in workflow["conditions"]] == [49.9, 2, True]
    assert workflow["actions"][1]["config"]["cc"] == ["ada@example.com"]
    assert (workflow["actions"][0]["config"], workflow["active"]) == ({"duration": "36h"}, False)


async def right(page: Page) -> None:
    """Fill the form in as it should be."""
    await page.get_by_label("Name of the workflow").fill("filled in")
    await page.get_by_label("From which total").fill("49.90")
    await page.get_by_label("How long to wait").fill("36 hours")
    await page.get_by_label("Copy to").fill("ada@example.com")
    await page.get_by_label("Subject").fill("Thank you")
    await page.get_by_label("Plan").select_option(label="2")
    await page.get_by_label("Say it loudly").check()


def said_last(text: str) -> Any:
    """Match a description that ends with an error."""
    return re.compile(re.escape(text) + "$")


async def test_a_template_is_made_of_a_workflow_and_deleted_or_kept(api: Api, visit: Visit, somebody: Somebody) -> None:
    """Names become blanks; what is deleted comes back by Undo, and goes when the page is left."""
    who = await somebody()
    user = user_of(api, who)
    workflow = await user.create(name=f"Big {STRANGE}")
    async with visit(who) as window:
        page = window.page
        await window.go(f"/templates/new?workflow={workflow['id']}")
        await page.get_by_label("Category").fill("Not A Category")
        await page.get_by_role("button", name="Make the template").click()
        await expect(page.get_by_label("Category")).to_have_accessible_description(said_last("such as win-back"))
        window.wrong.clear()
        await looked_at_by_all(window, "template-new")
        await page.get_by_label("Category").fill("win-back")
        await page.get_by_label("Name").fill("Mine to keep")
        await page.get_by_role("button", name="Make the template").click()
        await expect(page.get_by_text("The template is there")).to_be_visible()
        await page.get_by_role("link", name="Delete").click()
        await expect(page.get_by_role("status").get_by_text("“Mine to keep” is deleted.")).to_be_visible()
        await expect(page.get_by_role("link", name="Mine to keep")).to_be_hidden()
        await page.get_by_role("button", name="Undo").click()
        await page.get_by_role("link", name="Mine to keep").click()
        await page.get_by_role("link", name="Delete").click()
        await expect(page.get_by_role("link", name="Mine to keep")).to_be_hidden()
        await page.get_by_role("link", name="Executions").click()
        await eventually(partial(has_none, user), within=10, what="the template is deleted")


async def has_none(user: User) -> bool:
    """Tell whether somebody has no template."""
    return not (await user.call("GET", "/api/v1/templates?mine=true")).json["items"]


async def test_without_scripts_it_is_asked_before_a_template_goes(api: Api, visit: Visit, somebody: Somebody) -> None:
    """A page asks, by its name; of somebody else's there is no such page."""
    who, other = await somebody(), await somebody()
    made = await template(user_of(api, who))
    async with visit(who, scripts=False) as window:
        page = window.page
        await window.go(f"/templates/{made['id']}")
        await page.get_by_role("link", name="Delete").click()
        assert await window.heading() == "Delete “Thank for a big order”?"
        await page.get_by_role("button", name="Delete the template").click()
        await expect(page.get_by_text("The template is deleted")).to_be_visible()
    async with visit(other) as window:
        await window.go(f"/templates/{made['id']}/delete")
        assert await window.heading() == "There is nothing here"
        window.wrong.clear()


async def test_a_built_in_template_is_nobodys_to_delete(api_database: str, visit: Visit, somebody: Somebody) -> None:
    """Also not an administrator's for whom it was stored: it says that it is built in, and offers no such thing."""
    who = await somebody("admin")
    built_in = starter_id(STARTERS[0])
    store_starters(api_database, {built_in: STARTERS[0]}, who.id)
    async with visit(who) as window:
        await window.go(f"/templates/{built_in}")
        await expect(window.page.get_by_text(" · Built in · ")).to_be_visible()
        await expect(window.page.get_by_role("link", name="Delete")).to_be_hidden()
        await window.go(f"/templates/{built_in}/delete")
        assert await window.heading() == "There is nothing here"
        window.wrong.clear()
