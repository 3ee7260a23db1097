"""A marketer's first workflow in a browser, from the link that ``headrace up`` prints to the note at the customer.

By what stands on the pages alone, labels and roles; each click, choice and filled field until it is published counts.
"""

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from playwright.async_api import Locator, Page, expect

from tests.support.chromium import Window

NAME: Final = "Thank a VIP of the two cities"
_TAG: Final = "Thanked"
_NOTE: Final = "Thanked by e-mail for a big order."
_BEGINNING: Final = ("bia", "Bia Souza", "São Paulo", 1500)
_FITTING: Final = ("rui", "Rui Lima", "Rio de Janeiro", 2500)

Emit = Callable[..., Awaitable[str]]


@dataclass
class Marketer:
    """Somebody in front of a window; ``did`` counts what they do."""

    window: Window
    did: int = 0

    @property
    def page(self) -> Page:
        """The page in front of them."""
        return self.window.page

    async def click(self, what: Locator) -> None:
        """Click something."""
        self.did += 1
        await what.click()

    async def fill(self, what: Locator, text: str) -> None:
        """Fill a field, and go on to the next."""
        self.did += 1
        await what.fill(text)
        await what.press("Tab")

    async def choose(self, what: Locator, option: str) -> None:
        """Choose from a list."""
        self.did += 1
        await what.select_option(option)

    async def go(self, name: str) -> None:
        """Go to one of the places in the rail."""
        await self.click(self.page.get_by_role("navigation", name="Main").get_by_role("link", name=name, exact=True))


async def make_first_workflow(window: Window, link: str, emit: Emit) -> int:
    """Do it all, looking at each page.

    Args:
        window: An empty one.
        link: What ``headrace up`` printed.
        emit: Sends an event with the words of ``headrace emit``.

    Returns:
        How much they did until the workflow was published.
    """
    ana = Marketer(window)
    await _send(emit, *_BEGINNING)
    await _sign_in(ana, link)
    await _begin(ana)
    await _say_when(ana)
    await _say_what(ana)
    await _try(ana)
    await _publish(ana)
    published = ana.did
    await _watch(ana, emit)
    await _find_what_it_did(ana)
    return published


async def _send(emit: Emit, customer: str, name: str, city: str, total: int) -> None:
    who = {"id": customer, "name": name, "email": f"{customer}@example.com", "city": city, "tags": ["new", "VIP"]}
    data: dict[str, Any] = {"order": {"id": f"o-{customer}", "total": total}, "customer": who}
    await emit("--type", "order.paid", "--subject", customer, "--data", json.dumps(data))


async def _sign_in(ana: Marketer, link: str) -> None:
    await ana.page.goto(link)
    await ana.click(ana.page.get_by_role("button", name="Sign in"))
    await expect(ana.page.get_by_role("heading", name="Overview", level=1)).to_be_visible()
    await ana.window.looked_at("first-overview")


async def _begin(ana: Marketer) -> None:
    page = ana.page
    await ana.go("Workflows")
    await ana.click(page.get_by_role("link", name="New workflow"))
    await ana.fill(page.get_by_label("Name", exact=True), NAME)
    await ana.click(page.get_by_role("button", name="Go on"))
    await expect(page.get_by_text("Still to do before it can be published: add at least one step")).to_be_visible()


async def _say_when(ana: Marketer) -> None:
    """An order of more than 1,000, a VIP, one of two cities."""
    await _condition(ana, "order", "total number", "is more than")
    await ana.fill(_last(ana).get_by_label("Value", exact=True), "1,000")
    await _condition(ana, "customer", "tags list", "contains")
    await ana.fill(_last(ana).get_by_label("Value", exact=True), "VIP")
    # By hand: what events hold beside what their sample does is learnt within a minute, and this one has just come.
    await ana.click(ana.page.get_by_role("button", name="Add a condition"))
    await ana.fill(_last(ana).get_by_label("Field", exact=True), "customer.city")
    await ana.choose(_last(ana).get_by_label("Comparison"), "is one of")
    await ana.fill(_last(ana).get_by_label("Add a value"), "São Paulo, Rio de Janeiro")
    await expect(ana.page.get_by_role("region", name="If", exact=True)).to_contain_text(
        "It runs if order total is more than 1,000 and customer tags contains “VIP”"
        " and customer city is one of “São Paulo” or “Rio de Janeiro”."
    )


async def _condition(ana: Marketer, group: str, field: str, comparison: str) -> None:
    await ana.click(ana.page.get_by_role("button", name="Add a condition"))
    await ana.click(_last(ana).get_by_label("Field", exact=True))
    fields = _last(ana).get_by_role("listbox").get_by_role("group", name=group, exact=True)
    await ana.click(fields.get_by_role("option", name=re.compile(f"^{field}")))
    await ana.choose(_last(ana).get_by_label("Comparison"), comparison)


def _last(ana: Marketer) -> Locator:
    return ana.page.get_by_role("group", name="Condition", exact=True).last


async def _say_what(ana: Marketer) -> None:
    """An e-mail with the customer's name, a tag, a note."""
    page = ana.page
    await _step(ana, "Send an e-mail")
    await ana.fill(page.get_by_label("Subject", exact=True), "Thank you, ")
    await ana.click(page.get_by_role("group", name="The words").get_by_role("button", name="Insert a value").first)
    await ana.click(page.get_by_role("dialog").get_by_role("button", name="customer name"))
    await ana.fill(page.get_by_label("Text", exact=True), "Your order made our day.")
    await _step(ana, "Put a tag on the customer")
    await ana.fill(page.get_by_label("Tag", exact=True), _TAG)
    await _step(ana, "Write a note")
    await ana.fill(page.get_by_label("Note", exact=True), _NOTE)
    await expect(page.get_by_text("Subject: Thank you, ")).to_be_visible()
    await ana.window.looked_at("first-written")


async def _step(ana: Marketer, name: str) -> None:
    await ana.click(ana.page.get_by_role("button", name="Add a step at the end"))
    await ana.click(ana.page.get_by_role("dialog").get_by_role("button", name=name))


async def _try(ana: Marketer) -> None:
    """With an event that came, before anything is live."""
    trying = ana.page.get_by_role("region", name="Try it", exact=True)
    event = trying.get_by_label("Event", exact=True)
    came = event.get_by_role("option").filter(has_text=_BEGINNING[0])
    await ana.choose(event, await came.first.inner_text())
    await ana.click(trying.get_by_role("button", name="Try it"))
    await expect(trying.get_by_text("It would run: 3 of 3 steps would happen.")).to_be_visible()
    await expect(trying.get_by_text(f"Goes to {_BEGINNING[0]}@example.com")).to_be_visible()
    await expect(trying.get_by_text(f"Subject: Thank you, {_BEGINNING[1]}")).to_be_visible()


async def _publish(ana: Marketer) -> None:
    """What it changes is said in words; the step that stood in for those to come is not among them."""
    page = ana.page
    await ana.click(page.get_by_role("button", name="Publish", exact=True))
    dialog = page.get_by_role("dialog", name="Publish this workflow?")
    changes = dialog.get_by_role("listitem")
    await expect(changes.filter(has_text=" added: ")).to_have_count(6)
    await expect(dialog).not_to_contain_text("Stop here")
    await expect(changes.nth(2)).to_have_text(
        "Condition added: customer city is one of “São Paulo” or “Rio de Janeiro”"
    )
    await expect(changes.nth(4)).to_have_text(f"Step 2 added: Put a tag on the customer, Tag “{_TAG}”")
    await ana.click(page.get_by_role("button", name="Publish and switch on"))
    await expect(page.get_by_text("Switched on.", exact=True)).to_be_visible()


async def _watch(ana: Marketer, emit: Emit) -> None:
    """It comes into the list by itself, and opens to what every condition saw and every step did."""
    page = ana.page
    await ana.go("Executions")
    await expect(page.get_by_text("Live", exact=True)).to_be_visible()
    await _send(emit, *_FITTING)
    row = page.get_by_role("row").filter(has_text=NAME).filter(has_text=_FITTING[0])
    await expect(row).to_contain_text("Succeeded")
    await ana.click(row.get_by_role("link", name=NAME))
    await expect(page.get_by_role("region", name="What became of it")).to_contain_text("3 of 3 steps succeeded.")
    happened = page.get_by_role("region", name="What happened")
    await expect(happened).to_contain_text("order total is 2,500, more than 1,000")
    await ana.window.looked_at("first-execution")


async def _find_what_it_did(ana: Marketer) -> None:
    """The mail in the outbox; the tag and the note at the customer, and what wrote them."""
    page = ana.page
    customer, name, _, _ = _FITTING
    await ana.go("Outbox")
    sent = page.get_by_role("row").filter(has_text=f"{customer}@example.com").filter(has_text="made our day")
    await ana.click(sent.first.get_by_role("link"))
    await expect(page.get_by_role("main")).to_contain_text(f"Thank you, {name}")
    await expect(page.get_by_role("main")).to_contain_text("Your order made our day.")
    await page.get_by_role("searchbox", name="Search").fill(customer)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name=customer, level=1)).to_be_visible()
    await expect(page.get_by_role("region", name="Tags")).to_contain_text(_TAG)
    await expect(page.get_by_role("region", name="Notes")).to_contain_text(_NOTE)
    await expect(page.get_by_role("region", name="What ran lately")).to_contain_text(NAME)
    await ana.window.looked_at("first-customer")
