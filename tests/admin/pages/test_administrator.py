"""What an administrator comes to do, as docs/pages.md counts it: a click, and a field that is filled, are steps."""

import re
from uuid import uuid4

from playwright.async_api import Page, expect

from tests.admin.conftest import Api
from tests.admin.log import Log
from tests.admin.pages.conftest import Somebody, Visit
from tests.admin.pages.people import person
from tests.admin.pages.test_marketer import Counted
from tests.admin.test_dead_letters import letter
from tests.support.chromium import Window


async def begun(window: Window, place: str) -> tuple[Page, Counted]:
    """Begin at the first page, and go to a setting: two steps."""
    do = Counted()
    await window.go("/")
    await do.click(window.page.get_by_role("link", name="Settings", exact=True))
    await do.click(window.page.get_by_role("link", name=re.compile(f"^{place}")))
    return window.page, do


async def test_somebody_is_let_in_and_kept_out_and_seen_to_have_changed_what(
    visit: Visit, api: Api, somebody: Somebody
) -> None:
    """Six steps to a link that signs them in; five to keep them out; two to who changed what."""
    who, _ = await person(api, somebody, "admin")
    name, email = f"Sam {uuid4().hex[:8]}", f"{uuid4()}@example.com"
    async with visit(who) as window:
        page, do = await begun(window, "Users")
        await do.click(page.get_by_role("link", name="New user"))
        await do.fill(page.get_by_label("Name", exact=True), name)
        await do.fill(page.get_by_label("E-mail"), email)
        await do.click(page.get_by_role("button", name="Make the user"))
        await expect(page.get_by_role("heading", level=1)).to_have_text(f"A link for {name}")
        assert do.steps == 6
        page, do = await begun(window, "Users")
        await do.click(page.get_by_role("link", name=name))
        await do.click(page.get_by_role("button", name="Disable"))
        await do.click(page.get_by_role("dialog").get_by_role("button", name="Disable"))
        await expect(page.get_by_text("Disabled", exact=True)).to_be_visible()
        assert do.steps == 5
        page, do = await begun(window, "Audit trail")
        await expect(page.get_by_role("row").filter(has_text=email).first).to_be_visible()
        assert do.steps == 2


async def test_a_channel_is_mended_and_dead_letters_are_replayed(
    visit: Visit, api: Api, log: Log, somebody: Somebody
) -> None:
    """Six steps to a channel that was tried with its new address; five to all open letters sent again."""
    who, user = await person(api, somebody, "admin")
    channel = f"a-{uuid4().hex[:8]}"
    made = await user.call(
        "POST", "/api/v1/channels", {"name": channel, "url": "json://old.example.com/x", "owners": ["*"]}
    )
    assert made.status == 201, made
    await log.connection.execute("UPDATE dead_letters SET discarded_at = now() WHERE replayed_at IS NULL")
    await letter(log, reason="internal_error")
    async with visit(who) as window:
        page, do = await begun(window, "Channels")
        await do.click(page.get_by_role("link", name=channel))
        await do.fill(page.get_by_label("Address"), "json://new.example.com/x")
        await do.click(page.get_by_role("button", name="Save"))
        row = page.get_by_role("row").filter(has_text=channel)
        await do.click(row.get_by_role("button", name="Send a test"))
        await expect(page.get_by_text("A message is on its way")).to_be_visible()
        assert do.steps == 6
        do = Counted()
        api.now[0] += 10  # so that the queue is looked at anew
        await do.click(page.get_by_role("link", name="Queue", exact=True))
        await do.click(page.get_by_role("link", name="1 dead letter is open"))
        await do.click(page.get_by_role("checkbox", name="Choose all on this page"))
        await do.click(page.get_by_role("button", name="Replay the chosen"))
        await do.click(page.get_by_role("dialog").get_by_role("button", name="Replay the chosen"))
        await expect(page.get_by_text("1 record was replayed.")).to_be_visible()
        assert do.steps == 5
