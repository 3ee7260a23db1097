"""Message templates on their way to the steps that use them: no query a command, and never older than a second."""

import asyncio
from uuid import UUID

from app.actions.steps import resolve
from app.ports import MessageText
from app.services.messages.message_text import MAX_KEPT, RecentTexts, TemplateTexts
from tests.support.memory_texts import MemoryTexts
from tests.support.slips import action, command

OWNER = UUID(int=9)  # of the commands that slips makes
FIRST, SECOND = (MessageText("", text, "") for text in ("first {{ order.id }}", "second"))


class World:
    """Templates in memory under a clock that stands still."""

    def __init__(self) -> None:
        self.now = 0.0
        self.source = MemoryTexts()
        self.source.stored[OWNER, "sms", "welcome"] = FIRST
        self.recent = RecentTexts(self.source, lambda: self.now)

    async def ask(self) -> MessageText | None:
        """Look the template up."""
        return await self.recent.find(OWNER, "sms", "welcome")


async def test_many_commands_cost_one_query_a_second() -> None:
    """A thousand at once, and a thousand within the second after: one look."""
    world = World()
    for now in (0.0, 0.99):
        world.now = now
        assert set(await asyncio.gather(*(world.ask() for _ in range(1000)))) == {FIRST}
    assert world.source.asked == ["welcome"]


async def test_an_edit_is_seen_after_a_second() -> None:
    """So is a template that was not there, and one that went away."""
    world = World()
    assert await world.ask() == FIRST
    world.source.stored[OWNER, "sms", "welcome"] = SECOND
    world.now = 1.0
    assert await world.ask() == SECOND
    del world.source.stored[OWNER, "sms", "welcome"]
    world.now = 2.0
    assert await world.ask() is None
    world.source.stored[OWNER, "sms", "welcome"] = FIRST
    assert await world.ask() is None
    world.now = 3.0
    assert await world.ask() == FIRST


async def test_what_is_kept_is_bounded() -> None:
    """Of more names than are kept those that were used last stay."""
    world = World()
    await world.ask()
    for number in range(MAX_KEPT):
        await world.recent.find(OWNER, "sms", f"n{number}")
        if number < MAX_KEPT - 2:
            await world.ask()
    await world.ask()
    assert world.source.asked.count("welcome") == 1
    await world.recent.find(OWNER, "sms", "n0")
    assert world.source.asked.count("n0") == 2


async def test_owner_and_kind_are_part_of_the_name() -> None:
    """Neither another's template nor one of another kind is taken."""
    world = World()
    assert await world.recent.find(UUID(int=1), "sms", "welcome") is None
    assert await world.recent.find(OWNER, "whatsapp", "welcome") is None


async def test_actions_get_the_words_of_their_templates() -> None:
    """Those that name one that is there; the others stay as they are, the very same objects."""
    world = World()
    named, missing, own, other = (
        action("send_sms", to="+4930123456", template="welcome"),
        action("send_sms", template="gone"),
        action("send_sms", text="own"),
        action("webhook", url="http://a.example", template="welcome"),
    )
    first, *rest = await TemplateTexts(world.recent).of(OWNER, [named, missing, own, other])
    assert first.config == {"to": "+4930123456", "text": FIRST.text}
    assert named.config == {"to": "+4930123456", "template": "welcome"}
    assert [one is as_it_was for one, as_it_was in zip(rest, (missing, own, other), strict=True)] == [True] * 3


async def test_a_step_that_is_worded_leaves_the_slip_as_it_was() -> None:
    """The words are for preparing the step; what travels on still names the template."""
    world = World()
    slip = command(action("send_sms", template="welcome"), action("send_sms", 2, template="welcome"))
    encoded = slip.encode()
    made = resolve(slip, await TemplateTexts(world.recent).one(OWNER, slip.action))
    assert made.action.config == {"text": FIRST.text}
    assert made.command is slip
    assert slip.encode() == encoded
