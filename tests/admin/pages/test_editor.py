"""The editor as a person uses it: by keyboard alone, with mistakes, beside a colleague, and read without scripts."""

import re
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from tests.admin.conftest import Api, draft
from tests.admin.log import Log
from tests.admin.pages.conftest import EACH_LOOK, Visit
from tests.admin.pages.looks import looked_at_by_all
from tests.admin.test_publish_preview import order
from tests.support.chromium import SCREENSHOTS
from tests.support.sessions import SignedIn

MARKUP = '<img src=x onerror="alert(1)"> & <b>co</b>'


async def asked(api: Api, who: SignedIn, method: str, path: str, body: Any = None, **headers: str) -> Any:
    """Call the API as somebody who is signed in, and return what it answers."""
    url = f"/api/v1/workflows{path}"
    async with api.client.request(method, url, json=body, headers={**who.headers, **headers}) as answer:
        assert answer.status < 300, await answer.text()
        return await answer.json()


async def made(api: Api, who: SignedIn, *, on: bool = True, **changes: Any) -> str:
    """Make a workflow, switch it on, and return where it is edited."""
    workflow = await asked(api, who, "POST", "", draft(**changes))
    if on:
        await asked(api, who, "POST", f"/{workflow['id']}/activate")
    return f"/workflows/{workflow['id']}"


def comparisons(count: int, field: str = "order.field") -> list[dict[str, Any]]:
    """So many conditions, each of a field of its own."""
    return [{"field": f"{field}{one}", "operator": ">", "value": one} for one in range(count)]


def notes(count: int) -> list[dict[str, Any]]:
    """So many steps, each of which writes a note."""
    return [{"type": "create_note", "order": one, "config": {"text": f"Note {one}"}} for one in range(1, count + 1)]


async def drafted(api: Api, who: SignedIn, path: str) -> Any:
    """Return the draft as it is kept."""
    return (await asked(api, who, "GET", f"{path.removeprefix('/workflows')}/draft"))["workflow"]


async def tab_to(page: Page, wanted: Locator, *, back: bool = False) -> None:
    """Go to a control as somebody without a mouse does."""
    for _ in range(120):
        if await wanted.count() and await wanted.evaluate("one => one === document.activeElement"):
            return
        await page.keyboard.press("Shift+Tab" if back else "Tab")
    raise AssertionError(f"the keyboard does not reach {wanted}")


def state(page: Page) -> Locator:
    """Return the state line."""
    return page.get_by_text("Live: version")


async def saved(page: Page) -> None:
    """Wait until all is saved."""
    await expect(state(page)).to_contain_text(", saved ")


async def test_without_scripts_it_is_read_as_a_sentence_and_can_be_switched(
    api: Api, visit: Visit, somebody: Any
) -> None:
    """What somebody wrote shows as text; the switch is a form."""
    who = await somebody()
    conditions = [{"field": "customer.name", "operator": "==", "value": MARKUP, "logic": "OR"}]
    path = await made(api, who, on=False, name=MARKUP, conditions=conditions)
    async with visit(who, scripts=False) as window:
        await window.go(path)
        assert await window.heading() == MARKUP
        sentence = f"When an order is paid, if customer name is “{MARKUP}”, do:"
        await expect(window.page.get_by_text(sentence)).to_be_visible()
        await expect(window.page.get_by_role("button", name="Publish")).to_be_hidden()
        await window.page.get_by_role("button", name="Switch on").click()
        await expect(window.page.get_by_text("Switched on.", exact=True)).to_be_visible()
        await window.page.screenshot(path=SCREENSHOTS / "editor-without-scripts.png")
        await window.page.get_by_role("button", name="Switch off").click()
        await expect(window.page.get_by_text("Switched off: version 3")).to_be_visible()


async def name_and_trigger(page: Page) -> None:
    """Give a workflow its name and its trigger, by keyboard alone."""
    press = page.keyboard.press
    await tab_to(page, page.get_by_role("button", name="Rename"))
    await press("Enter")
    await page.keyboard.type("Thank the VIPs")
    await press("Enter")
    await tab_to(page, page.get_by_role("button", name="Change", exact=True))
    await press("Enter")
    await page.keyboard.type("tag")
    await tab_to(page, page.get_by_role("button", name="A tag is applied", exact=True))
    async with page.expect_response("**/event-types/tag.applied"):
        await press("Enter")
    await tab_to(page, page.get_by_label("Which tag"))
    await page.keyboard.type("VIP")


async def pressed(page: Page, keys: list[str]) -> None:
    """Press keys, one after the other."""
    for key in keys:
        await page.keyboard.press(key)


async def two_conditions(page: Page) -> None:
    """Write a condition, and a second one in a group, by keyboard alone."""
    await tab_to(page, page.get_by_role("button", name="Add a condition"))
    first: tuple[str | list[str], ...] = (["Enter"], "ltv", ["ArrowDown", "Enter", "Tab"], "is more", ["Tab"], "1000")
    for keys in first:
        await (page.keyboard.type(keys) if isinstance(keys, str) else pressed(page, keys))
    await expect(page.get_by_text("It runs if customer ltv is more than 1,000.")).to_be_visible()
    await tab_to(page, page.get_by_role("button", name="Add a group"))
    second: tuple[str | list[str], ...] = (
        ["Enter"],
        "customer.state",
        ["Tab"],
        "is one of",
        ["Tab"],
        "SP,RJ",
        ["Enter"],
    )
    for keys in second:
        await (page.keyboard.type(keys) if isinstance(keys, str) else pressed(page, keys))
    await expect(page.get_by_text("and customer state is one of “SP” or “RJ”.")).to_be_visible()


async def test_a_workflow_is_made_by_keyboard_alone(api: Api, visit: Visit, somebody: Any) -> None:
    """Name, trigger, conditions in a group; kept by itself two seconds later, and published with a preview."""
    who = await somebody()
    path = await made(api, who, conditions=[])
    async with visit(who) as window:
        await window.go(path)
        page, press = window.page, window.page.keyboard.press
        await name_and_trigger(page)
        await two_conditions(page)
        await looked_at_by_all(window, "editor-conditions")
        await press("Alt+ArrowUp")
        await press("Alt+ArrowUp")
        await saved(page)
        kept = await drafted(api, who, path)
        vip = {"field": "customer.state", "operator": "in", "value": ["SP", "RJ"]}
        rich = {"field": "customer.ltv", "operator": ">", "value": 1000}
        assert (kept["name"], kept["trigger"]) == ("Thank the VIPs", {"type": "tag.applied", "config": {"tag": "VIP"}})
        assert kept["conditions"] == [vip, rich]  # the group that was left behind is no more
        await tab_to(page, page.get_by_role("button", name="Publish"), back=True)
        await press("Enter")
        dialog = page.get_by_role("dialog", name="Publish the changes?")
        await expect(dialog).to_contain_text("Starts with tag.applied instead of order.paid")
        await tab_to(page, dialog.get_by_role("button", name="Publish", exact=True))
        await press("Enter")
        await expect(page.get_by_text("Live: version 3, published")).to_be_visible()


@pytest.mark.parametrize("look", EACH_LOOK)
async def test_a_mistake_is_said_at_its_field(api: Api, visit: Visit, somebody: Any, look: dict[str, bool]) -> None:
    """In every kind of field, in words, with a list on top that leads to each."""
    who = await somebody()
    path = await made(api, who, trigger={"type": "temporal.weekly", "config": {"at": "09:00", "days": ["mon"]}})
    async with visit(who, **look) as window:
        await window.go(path)
        page = window.page
        await expect(page.get_by_text("Next: ")).to_contain_text(";")
        await page.get_by_role("button", name="Rename").click()
        await page.get_by_label("Name", exact=True).fill("")
        await page.get_by_label("Time zone").fill("Berlin")
        await page.get_by_label("Monday").uncheck()
        await page.get_by_label("Field", exact=True).fill("order..total")
        await page.get_by_label("Value", exact=True).fill("")
        await page.get_by_text("How often, priority, description").click()
        await page.get_by_label("A customer may enter").select_option("not again before")
        await page.get_by_label("How long").fill("")
        await page.get_by_role("button", name="Publish", exact=True).click()
        await page.get_by_role("button", name="Not yet").click()
        await expect(page.get_by_role("heading", name="things keep this from being published")).to_be_visible()
        for label, said in (
            ("Name", "Give it a name"), ("Time zone", "Choose a time zone"), ("Monday", "Choose at least one day"),
            ("Field", "between and after its dots"), ("Value", "Enter a value"),
            ("How long", "Say for how long"),
        ):  # fmt: skip
            await expect(page.get_by_label(label, exact=True)).to_have_accessible_description(re.compile(said))
        await window.looked_at("editor-mistakes")
        await page.get_by_role("button", name="If, condition 1").first.click()
        await expect(page.get_by_label("Field", exact=True)).to_be_focused()
        await page.get_by_role("button", name="Change", exact=True).click()
        await window.looked_at("editor-triggers")


async def test_a_group_of_none_is_said_at_it_and_goes_with_its_last_condition(
    api: Api, visit: Visit, somebody: Any
) -> None:
    """A draft may hold one, as the API may write it; a condition that is removed takes its groups along."""
    who = await somebody()
    path = await made(api, who)
    body = draft(conditions=[{"any": []}, {"not": {"any": [{"all": comparisons(1)}]}}])
    await asked(api, who, "PUT", f"{path.removeprefix('/workflows')}/draft", body, **{"If-Match": "*"})
    async with visit(who) as window:
        await window.go(path)
        page = window.page
        group = page.get_by_role("listitem").filter(has=page.get_by_role("group", name="Group of conditions"))
        await expect(group.first).to_contain_text("Choose a condition for the group, or remove it")
        await window.looked_at("editor-empty-group")
        await page.get_by_role("button", name="Remove the group").first.click()
        await page.get_by_role("button", name="Remove the condition").click()
        await saved(page)
        assert (await drafted(api, who, path))["conditions"] == []


async def test_of_two_who_save_neither_loses_anything(api: Api, visit: Visit, somebody: Any) -> None:
    """Who comes second sees both, part by part, chooses, and can take the choice back."""
    who = await somebody()
    path = await made(api, who)
    async with visit(who) as window, visit(who) as other:
        await window.go(path)
        await other.go(path)
        await window.page.get_by_label("Value", exact=True).fill("700")
        await saved(window.page)
        await other.page.get_by_role("button", name="Rename").click()
        await other.page.get_by_label("Name", exact=True).fill("Of the other window")
        await other.page.get_by_label("Value", exact=True).fill("900")
        dialog = other.page.get_by_role("dialog", name="Two versions of this draft")
        rows = dialog.get_by_role("row")
        await expect(rows.filter(has_text="Name")).to_contain_text("Of the other window")
        await expect(rows.filter(has_text="order total is more than 700")).to_contain_text(
            "order total is more than 900"
        )
        await looked_at_by_all(other, "editor-conflict")
        await dialog.get_by_role("button", name="Not now").click()
        await expect(other.page.get_by_text("Not saved: somebody else has saved this draft.")).to_be_visible()
        async with other.page.expect_event("dialog") as asking:
            await other.page.evaluate("setTimeout(() => location.reload())")
        leaving = await asking.value
        assert leaving.type == "beforeunload"
        await leaving.dismiss()
        await other.page.get_by_role("button", name="Look at both").click()
        await rows.filter(has_text="700").get_by_label("Theirs").check()
        await dialog.get_by_role("button", name="Save what is chosen").click()
        await saved(other.page)
        kept = await drafted(api, who, path)
        assert (kept["name"], kept["conditions"][0]["value"]) == ("Of the other window", 700)
        await other.page.get_by_role("button", name="Undo").click()
        await expect(other.page.get_by_label("Value", exact=True)).to_have_value("900")
        other.wrong.clear()  # the browser's console tells of every answer that is an error, 412 among them


async def test_what_publishing_changes_is_said_before(api: Api, visit: Visit, somebody: Any, log: Log) -> None:
    """In words, and for the events that came last; a draft that is let go comes back for ten seconds."""
    who = await somebody()
    path = await made(api, who)
    workflow = await asked(api, who, "GET", path.removeprefix("/workflows"))
    await log.add(workflow, event=order(1, 600), event_id="e-1")
    async with visit(who) as window:
        page = window.page
        await window.go(path)
        await page.get_by_label("Value", exact=True).fill("1000")
        await page.get_by_role("button", name="Publish").click()
        dialog = page.get_by_role("dialog", name="Publish the changes?")
        await expect(dialog).to_contain_text("Condition now order total is more than 1,000 instead of 500")
        await expect(dialog).to_contain_text("e-1: runs as it is, conditions not met with the draft")
        await looked_at_by_all(window, "editor-publish")
        await dialog.get_by_role("button", name="Not yet").click()
        await page.get_by_role("button", name="Discard draft").click()
        await expect(state(page)).to_contain_text("No changes since.")
        await expect(page.get_by_label("Value", exact=True)).to_have_value("500")
        await page.get_by_role("button", name="Undo").click()
        await saved(page)
        await expect(page.get_by_label("Value", exact=True)).to_have_value("1000")
        await page.get_by_label("Field", exact=True).fill("")
        await page.get_by_role("button", name="Publish").click()
        await dialog.get_by_role("button", name="If, condition 1").click()
        await expect(page.get_by_label("Field", exact=True)).to_be_focused()


WATCH = """() => {
  window.rebuilt = [];
  new MutationObserver((seen) => { for (const one of seen) if (one.type === "childList") rebuilt.push(one.target); })
    .observe(document.body, { childList: true, subtree: true });
}"""
# How long something is ago is written anew by the clock, not by a key.
ELSEWHERE = """(input) => {
  const touched = input.closest("[role=group]");
  const elsewhere = (one) => !touched.contains(one) && !one.closest("#state-line, [role=status], time");
  return window.rebuilt.filter(elsewhere).map((one) => one.outerHTML.slice(0, 200));
}"""


async def test_a_keystroke_draws_nothing_again_but_its_own_row(api: Api, visit: Visit, somebody: Any) -> None:
    """Also in a workflow of 50 actions and 100 conditions: it must answer at once, whatever it holds."""
    who = await somebody()
    path = await made(api, who, conditions=comparisons(100), actions=notes(50))
    async with visit(who) as window:
        page = window.page
        await window.go(path)
        value = page.get_by_label("Value", exact=True).nth(50)
        await expect(value).to_have_value("50")
        await page.evaluate(WATCH)
        await value.press("End")
        await page.keyboard.type("77")
        await expect(page.get_by_text("order field50 is more than 5,077 and")).to_be_visible()
        assert await value.evaluate(ELSEWHERE) == []
        await saved(page)


async def test_a_workflow_that_was_only_begun_is_finished_and_switched_on(
    api: Api, visit: Visit, somebody: Any
) -> None:
    """It says what it lacks; with a step and an audience it is published and on; nobody has to know what a draft is."""
    who = await somebody("user", "crm:read")
    async with visit(who) as window:
        page = window.page
        await window.go("/workflows/new")
        await page.get_by_label("Name", exact=True).fill("Birthdays")
        await page.get_by_label("Starts").select_option("Every day")
        await page.get_by_role("button", name="Go on").click()
        await expect(page.get_by_text("Not switched on yet.")).to_be_visible()
        await expect(page.get_by_role("button", name="Switch on", exact=True)).to_be_hidden()
        await page.get_by_label("It runs").select_option("once for each customer who fits")
        audience = page.get_by_role("region", name="When")
        await audience.get_by_role("button", name="Add a condition").click()
        await page.keyboard.type("customer.birthday")
        await audience.get_by_label("Comparison").select_option("is today")
        await expect(page.get_by_text("Once for every customer where customer birthday is today.")).to_be_visible()
        await expect(page.get_by_text("Still to do before it can be published")).to_be_visible()
        await page.get_by_role("button", name="Add a step at the end").click()
        await page.get_by_role("searchbox", name="Search the steps").fill("note")
        await page.keyboard.press("Enter")
        await page.get_by_label("Note").fill("Has a birthday")
        await expect(page.get_by_text("Your draft: ")).to_contain_text(", saved ")
        await looked_at_by_all(window, "editor-with-steps")
        await page.get_by_role("button", name="Publish").click()
        await page.get_by_role("button", name="Publish and switch on").click()
        await expect(page.get_by_text("Switched on.", exact=True)).to_be_visible()
        live = await asked(api, who, "GET", page.url.rpartition("/workflows")[2].partition("?")[0])
    assert live["active"]
    assert live["trigger"]["config"]["audience"] == [
        {"field": "customer.birthday", "operator": "==", "value": {"today": "0d"}}
    ]
    assert [one["type"] for one in live["actions"]] == ["create_note"]


async def test_what_is_missing_is_said_with_where_to_mend_it(api: Api, visit: Visit, somebody: Any) -> None:
    """A secret that is not there keeps a draft from being published, and nothing else of the page from working."""
    who = await somebody()
    path = await made(api, who)
    hook = {"url": "https://shop.example/in", "headers": {"Authorization": "Bearer {{ secrets.TOKEN_OF_NOBODY }}"}}
    body = draft(actions=[{"type": "webhook", "order": 1, "config": hook}])
    await asked(api, who, "PUT", f"{path.removeprefix('/workflows')}/draft", body, **{"If-Match": "*"})
    async with visit(who, dark=True) as window:
        page = window.page
        await window.go(path)
        await expect(page.get_by_role("heading", name="One thing keeps this from being published")).to_be_visible()
        await page.get_by_role("button", name="Publish").click()
        dialog = page.get_by_role("dialog", name="Publish the changes?")
        await expect(dialog.get_by_role("link", name="To the secrets")).to_have_attribute("href", "/settings/secrets")
        await expect(dialog.get_by_role("button", name="Publish", exact=True)).to_be_hidden()
        await looked_at_by_all(window, "editor-missing")
        await dialog.get_by_role("button", name="Not yet").click()
        await page.get_by_role("button", name="Show the fields").click()
        await expect(page.get_by_role("option", name="total number 199.00")).to_be_visible()
        await looked_at_by_all(window, "editor-fields")


async def test_what_could_not_be_looked_up_is_said(api: Api, visit: Visit, somebody: Any) -> None:
    """Fields of the events, and message templates: none are offered, but nobody is told that there are none."""
    who = await somebody()
    email = {"type": "send_email", "order": 1, "config": {"to": ["a@example.com"], "subject": "-", "text": "-"}}
    path = await made(api, who, actions=[email])
    gone = {"status": 503, "json": {"detail": "The database is away"}}
    async with visit(who) as window:
        page = window.page
        for one in ("event-types/**", "message-templates**"):
            await page.route(f"**/api/v1/{one}", lambda route: route.fulfill(**gone))
        await window.go(path)
        await expect(page.get_by_text("of “order.paid” hold could not be looked up: The database is")).to_be_visible()
        await page.get_by_role("button", name="Send an e-mail").click()
        await page.get_by_role("radio", name="Use a message template").check()
        await page.get_by_label("Message template", exact=True).focus()
        await expect(page.get_by_text("The message templates could not be loaded: The database")).to_be_visible()
        window.wrong[:] = [one for one in window.wrong if "status of 503" not in one]


async def test_a_key_changes_nothing_but_what_it_is_for(api: Api, visit: Visit, somebody: Any) -> None:
    """Of 50 steps and 100 conditions: the rest follows when there is time for it, once for all keys."""
    who = await somebody()
    conditions = [{"any": comparisons(49, f"order.field{group}")} for group in range(2)]
    path = await made(api, who, conditions=conditions, actions=notes(50))
    async with visit(who) as window:
        page = window.page
        await window.go(path)
        value = page.get_by_label("Value", exact=True).nth(60)
        await expect(value).to_have_value("11")
        changed = await value.evaluate(
            """(input) => {
              const seen = new MutationObserver(() => {});
              seen.observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
              for (const text of ["1", "12", "123"]) {
                input.value = text;
                input.dispatchEvent(new Event("input", { bubbles: true }));
              }
              return seen.takeRecords().map(({ target }) => target.outerHTML ?? target.data);
            }"""
        )
        assert not changed
        await expect(page.get_by_text("order field111 is more than 123")).to_be_visible()
        await saved(page)
        assert (await drafted(api, who, path))["conditions"][1]["any"][11]["value"] == 123


async def test_a_workflow_that_is_deleted_meanwhile_says_so_and_takes_the_draft_once_it_is_back(
    api: Api, visit: Visit, somebody: Any
) -> None:
    """What cannot work is off, what was written stays, and is kept as soon as the workflow is brought back."""
    who = await somebody()
    path = await made(api, who)
    async with visit(who) as window:
        page = window.page
        await window.go(path)
        url = f"/api/v1{path}"
        async with api.client.delete(url, headers=who.headers) as answer:
            assert answer.status == 204
        await page.get_by_label("Value", exact=True).first.fill("777")
        told = page.get_by_role("alert").filter(has_text="was deleted while it was open here")
        await expect(told).to_be_visible()
        for name in ("Publish", "Discard draft", "Switch off"):
            await expect(page.get_by_role("button", name=name)).to_be_disabled()
        await expect(told.get_by_role("link", name="Deleted workflows")).to_have_attribute(
            "href", "/workflows?deleted=true"
        )
        await window.looked_at("editor-deleted")
        await told.get_by_role("button", name="It is back: save").click()
        await expect(page.get_by_text("It is still deleted.")).to_be_visible()
        async with api.client.post(f"{url}/restore", headers=who.headers) as answer:
            assert answer.status < 300, await answer.text()
        await told.get_by_role("button", name="It is back: save").click()
        await expect(told).to_be_hidden()
        await expect(page.get_by_text(", saved ")).to_be_visible()
        assert (await drafted(api, who, path))["conditions"][0]["value"] == 777
        window.wrong[:] = [one for one in window.wrong if "status of 404" not in one]
