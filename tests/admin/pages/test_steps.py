"""The steps of a workflow, as a person puts them together: by their names, with the keyboard, with the mouse."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from playwright.async_api import Page, expect

from tests.admin.conftest import Api
from tests.admin.pages.bench import on_bench, value_of
from tests.admin.pages.conftest import EACH_LOOK, Visit
from tests.admin.pages.looks import looked_at_by_all
from tests.admin.pages.test_editor import WATCH, drafted, made

TYPES = [
    "send_email", "send_notification", "send_sms", "send_whatsapp", "apply_tag", "remove_tag", "create_note",
    "update_customer", "create_appointment", "assign_conversation", "create_task", "webhook", "delay", "stop_workflow",
]  # fmt: skip
MAIL = {
    "subject": "Thank you, {{ customer.name }}",
    "text": "Order {{ order.id }}",
    "html": "<p>Dear {{ customer.name }}</p>",
}

OUTSIDE = """(input) => window.rebuilt.filter((one) => !input.closest("action-card").contains(one)
  && !one.closest("[role=status]")).map((one) => one.outerHTML.slice(0, 200))"""


def steps(*actions: tuple[str, dict[str, Any]]) -> str:
    """Properties of a list with these steps, as JavaScript."""
    value = [
        {"type": kind, "order": at, "config": config, "conditions": []} for at, (kind, config) in enumerate(actions, 1)
    ]
    return f"{{ value: {orjson.dumps(value).decode()} }}"


async def add(page: Page, button: str, words: str) -> None:
    """Add a step: press a button, look for the step by words, take the first that is found."""
    await page.get_by_role("button", name=button, exact=True).click()
    await page.get_by_role("searchbox", name="Search the steps").fill(words)
    await page.keyboard.press("Enter")


async def types_of(page: Page) -> list[str]:
    """The steps' names, as they are read, in order."""
    return [text.split("\n")[0] for text in await page.get_by_role("heading", level=3).all_inner_texts()]


async def test_steps_are_put_together(visit: Visit, somebody: Callable[..., Any]) -> None:
    """Found by words, added between two, moved by keys and by hand, duplicated, deleted and brought back."""
    who = await somebody()
    async with visit(who) as window:
        page = window.page
        await on_bench(window, who, "action-list")
        await add(page, "Add a step at the end", "note")
        await page.get_by_label("Note").fill("Big order {{ order.id }}")
        await expect(page.get_by_text("Big order o-5001")).to_be_visible()
        await add(page, "Add a step before step 1", "put tag")
        await page.get_by_label("Tag", exact=True).fill("VIP")
        await add(page, "Add a step at the end", "e-mail")
        await page.get_by_label("Subject").fill("Thank you")
        assert await types_of(page) == [
            "Step 1: Put a tag on the customer",
            "Step 2: Write a note",
            "Step 3: Send an e-mail",
        ]
        await page.keyboard.press("Alt+ArrowUp")
        await expect(page.get_by_label("Subject")).to_be_focused()
        assert (await types_of(page))[1] == "Step 2: Send an e-mail"
        await expect(page.get_by_text("Moved to place 2 of 3")).to_be_attached()
        for open_one in await page.get_by_role("button", expanded=True).all():
            await page.get_by_role("button", expanded=True).first.click()
            del open_one
        handle = page.get_by_role("button", name="Drag step 3")
        await handle.hover()
        await page.mouse.down()
        first = await page.get_by_role("heading", name="Step 1").bounding_box()
        assert first
        await page.mouse.move(first["x"], first["y"] + first["height"] / 2, steps=8)
        await page.mouse.move(first["x"], first["y"], steps=4)
        await page.mouse.up()
        assert (await types_of(page))[0] == "Step 1: Write a note"
        await page.get_by_role("button", name="Duplicate step 1").click()
        await page.get_by_role("button", name="Delete step 2").click()
        assert len(await types_of(page)) == 3
        await page.get_by_role("button", name="Undo").click()
        assert [one["type"] for one in await value_of(window, "action-list")] == [
            "create_note", "create_note", "apply_tag", "send_email",
        ]  # fmt: skip
        written = await value_of(window, "action-list")
        assert written[0]["config"] == {"text": "Big order {{ order.id }}"}
        assert [one["order"] for one in written] == sorted({one["order"] for one in written})
        assert await page.evaluate("window.edits") > 6


@pytest.mark.parametrize("look", EACH_LOOK)
async def test_every_type_has_a_form_that_everybody_can_use(
    visit: Visit, somebody: Callable[..., Any], look: dict[str, bool]
) -> None:
    """All fourteen of them, opened; the menu; dark, light, on a phone."""
    who = await somebody()
    async with visit(who, **look) as window:
        page = window.page
        await on_bench(
            window, who, "action-list", steps(*((kind, MAIL if kind == "send_email" else {}) for kind in TYPES))
        )
        await page.get_by_role("button", name="Add a step before step 1", exact=True).click()
        await expect(page.get_by_role("dialog").get_by_role("listitem")).to_have_count(14)
        await window.looked_at("steps-menu")
        await page.keyboard.press("Escape")
        await window.looked_at("steps-closed")
        for at in range(len(TYPES)):
            await page.get_by_role("button", name=f"Step {at + 1}:").click()
        for more in await page.get_by_text("More options").all():
            await more.click()
        await expect(page.get_by_text("Subject: Thank you, Ana Lima")).to_be_visible()
        await page.frame_locator("iframe").get_by_text("Dear Ana Lima").wait_for()
        await window.looked_at("steps-open")
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_json_that_has_a_key_twice_stays_as_it_was_written(visit: Visit, somebody: Callable[..., Any]) -> None:
    """Nobody could tell which value counts: the API refuses the text by the key's path, as any body."""
    who = await somebody()
    async with visit(who) as window:
        page = window.page
        await on_bench(
            window, who, "action-list", steps(("webhook", {"url": "https://a.example"}), ("update_customer", {}))
        )
        for at in (1, 2):
            await page.get_by_role("button", name=f"Step {at}:").click()
        await page.get_by_label("What is sent").fill('{"a": {"b": 1, "b": 2}}')
        await page.get_by_role("textbox", name="Name", exact=True).last.fill("plan")
        await page.get_by_role("textbox", name="Value", exact=True).last.fill('{"c": 1, "c": 2}')
        webhook, customer = await value_of(window, "action-list")
        assert webhook["config"]["body"] == '{"a": {"b": 1, "b": 2}}'
        assert customer["config"]["set"] == {"plan": '{"c": 1, "c": 2}'}
        await page.get_by_label("What is sent").fill('{"a": {"b": 1, "c": {"b": 2}}}')
        webhook, _ = await value_of(window, "action-list")
        assert webhook["config"]["body"] == {"a": {"b": 1, "c": {"b": 2}}}


async def test_what_is_wrong_is_said_where_it_is(visit: Visit, somebody: Callable[..., Any]) -> None:
    """At the card, at the field, in a map's entry, above the form; of ways to choose from only the taken one counts."""
    who = await somebody()
    mixed = steps(("send_email", {"template": "thanks"}), ("webhook", {"url": "x", "headers": {"Host": "a"}}))
    async with visit(who) as window:
        page = window.page
        await on_bench(window, who, "action-list", mixed)
        await page.evaluate(
            """() => { const list = document.querySelector("action-list"); list.wrong = new Map([
              ["[0].config.subject", "is needed"], ["[0].config.template", "there is none of this name"],
              ["[1].config.headers.Host", "is set by Headrace"], ["[1].config.url", "must begin with http"]]);
              list.reveal("[1].config.url"); }"""
        )
        await expect(page.get_by_text("2 things to put right")).to_have_count(2)
        address = page.get_by_label("Address")
        await expect(address).to_be_focused()
        await expect(address).to_have_attribute("aria-invalid", "true")
        await expect(page.get_by_text("Host: is set by Headrace")).to_be_visible()
        await page.get_by_role("button", name="Step 1:").click()
        await expect(page.get_by_text("there is none of this name")).to_be_visible()
        await expect(page.get_by_text("Subject is needed")).to_be_visible()
        await page.get_by_role("radio", name="Write them here").check()
        await page.get_by_label("Subject").fill("Hello")
        assert (await value_of(window, "action-list"))[0]["config"] == {"subject": "Hello"}
        await page.get_by_role("radio", name="Use a message template").check()
        assert (await value_of(window, "action-list"))[0]["config"] == {"template": "thanks"}


async def test_values_of_the_event_are_put_into_texts(visit: Visit, somebody: Callable[..., Any]) -> None:
    """Found by words, written the way that was chosen, at the cursor; what cannot be filled in is said."""
    who = await somebody()
    async with visit(who) as window:
        page = window.page
        await on_bench(window, who, "action-list", steps(("create_note", {"text": "Paid "})))
        await page.get_by_role("button", name="Step 1:").click()
        await page.get_by_label("Note").press("End")
        await page.get_by_role("button", name="Insert a value").click()
        await page.get_by_label("How it is written").select_option("As an amount: 1,234.50")
        await page.get_by_label("Search the values").fill("order total")
        await page.keyboard.press("Enter")
        await expect(page.get_by_label("Note")).to_have_value("Paid {{ order.total | money }}")
        await expect(page.get_by_text("Paid 199.00", exact=True)).to_be_visible()
        await page.get_by_label("Note").fill("<img src=x onerror=alert(1)> {{ customer.nick }}")
        await expect(page.get_by_text("Cannot be filled in: ")).to_have_text(
            "Cannot be filled in: there is no customer nick"
        )
        await page.get_by_label("Note").fill("{{ customer.name")
        await expect(page.get_by_text("has no end yet")).to_be_visible()
        await page.get_by_label("Note").fill("{{ customer.name | shout }}")
        await expect(page.get_by_text("Cannot be filled in: ")).to_contain_text("shout")
        window.wrong = [one for one in window.wrong if "400 (Bad Request)" not in one]


async def test_a_key_touches_its_own_card_alone(visit: Visit, somebody: Callable[..., Any]) -> None:
    """Of fifty: how long that takes is ``make bench-pages``."""
    who = await somebody()
    async with visit(who) as window:
        page = window.page
        many = [("send_email", MAIL), *(("create_note", {"text": f"Note {at}"}) for at in range(49))]
        await on_bench(window, who, "action-list", steps(*many))
        for at in (1, 2, 50):
            await page.get_by_role("button", name=f"Step {at}:").click()
        await page.evaluate(WATCH)
        await page.get_by_label("Note").last.press("End")
        await page.keyboard.type("aaa")
        await expect(page.get_by_role("heading", name="Step 50").get_by_text("Note 48aaa")).to_be_visible()
        assert await page.get_by_label("Note").last.evaluate(OUTSIDE) == []


async def test_the_editor_keeps_what_is_written_and_leads_to_what_is_wrong(
    api: Api, visit: Visit, somebody: Callable[..., Any]
) -> None:
    """A step that is not finished is in the draft and on top; finished, with a condition of its own, it is tried."""
    who = await somebody()
    path = await made(api, who, conditions=[])
    async with visit(who) as window:
        page = window.page
        await window.go(path)
        await add(page, "Add a step at the end", "e-mail")
        to, subject = [await page.get_by_label(one, exact=True).bounding_box() for one in ("To", "Subject")]
        assert to
        assert subject
        assert to["y"] < subject["y"]
        await page.get_by_text("Still to do before it can be published: 2 things").click()
        await page.get_by_role("button", name="Do, step 2, text").click()
        await expect(page.get_by_label("Text", exact=True)).to_be_focused()
        await page.keyboard.type("Dear {{ customer.name }}")
        await page.get_by_label("Subject").fill("Thank you")
        await expect(page.get_by_text("Dear Ana Lima").last).to_be_visible()
        await page.get_by_text("Only if …").click()
        await page.get_by_role("group", name="Only if").get_by_role("button", name="Add a condition").click()
        await page.keyboard.type("order.total")
        await page.get_by_role("group", name="Only if").get_by_label("Value").fill("1000")
        await expect(page.get_by_text("Still to do before it can be published")).to_be_hidden()
        await expect(page.get_by_role("heading", name="Step 2")).to_contain_text("only if order total is 1,000")
        step = (await drafted(api, who, path))["actions"][1]
        assert step["config"] == {"subject": "Thank you", "text": "Dear {{ customer.name }}"}
        await page.get_by_role("radio", name="A sample").check()
        await page.get_by_role("button", name="Try it", exact=True).click()
        await expect(page.get_by_text("Would not happen")).to_be_visible()
        await looked_at_by_all(window, "editor-steps")
