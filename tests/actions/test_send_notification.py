"""``send_notification``: to a channel or to a user, what is refused, and what follows where an answer got lost."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from app.actions.base import ActionContext, Ports
from app.actions.registry import REGISTRY
from app.domain.errors import ActionFailedError
from tests.support.commands import COMMAND_ID, context_of, failure_of, prepared, wrong_paths
from tests.support.fake_http import FakeHttp
from tests.support.fake_mailer import FakeMailer
from tests.support.fake_notifier import FakeNotifier, MemoryInbox

ANA = "5f0e0f7a-0000-4000-8000-00000000000a"
CHANNEL: dict[str, Any] = {"channel": "sales-team", "title": "Order {{ order.id }}", "body": "By {{ customer.name }}"}
INBOX: dict[str, Any] = {"user": ANA, "title": "Order {{ order.id }}", "body": "By {{ customer.name }}"}
LOST = ActionFailedError("no end within 5 s", effect_unknown=True)


class World:
    """A notifier and an inbox."""

    def __init__(self) -> None:
        self.notifier = FakeNotifier()
        self.inbox = MemoryInbox()
        self.action: Any = REGISTRY.find("send_notification")

    async def perform(self, config: dict[str, Any], context: ActionContext | None = None) -> dict[str, Any]:
        """Make one attempt."""
        ports = Ports(FakeHttp(), FakeMailer(), "", notifier=self.notifier, inbox=self.inbox)
        request = prepared("send_notification", config)
        done: dict[str, Any] = await self.action.perform(request, ports, context or context_of())
        return done

    async def failure(self, config: dict[str, Any], context: ActionContext | None = None) -> ActionFailedError:
        """Make one attempt, which must fail."""
        with pytest.raises(ActionFailedError) as failure:
            await self.perform(config, context)
        return failure.value


@pytest.mark.parametrize(
    ("changes", "paths"),
    [
        ({}, []),
        ({"channel": None, "user": "{{ customer.manager }}"}, []),
        ({"channel": None}, ["config.channel"]),
        ({"user": ANA}, ["config.channel"]),
        ({"channel": "Sales team"}, ["config.channel"]),
        ({"channel": "slack://token"}, ["config.channel"]),
        ({"title": ""}, ["config.title"]),
        ({"body": None}, ["config.body"]),
        ({"template": "alert"}, ["config.title", "config.body"]),
        ({"url": "slack://token"}, ["config.url"]),
        ({"body": "{{ oops"}, ["config.body"]),
    ],
)
def test_what_is_wrong_is_refused_on_save(changes: dict[str, Any], paths: list[str]) -> None:
    """A channel or a user, a title and a body or a template; URLs have no place in a workflow."""
    assert wrong_paths("send_notification", CHANNEL | changes) == paths


@pytest.mark.parametrize(
    ("config", "field"),
    [
        (INBOX | {"user": "{{ customer.name }}"}, "user"),
        (INBOX | {"user": "{{ customer.none | default('') }}"}, "user"),
        (CHANNEL | {"title": "{{ customer.name }}\nx"}, "title"),
        (CHANNEL | {"title": "{{ 'x' * 251 }}"}, "title"),
        (CHANNEL | {"body": "{{ ' ' }}"}, "body"),
        (CHANNEL | {"body": "{{ 'x' * 9000 }}{{ 'x' * 9000 }}"}, "body"),
    ],
)
def test_what_renders_badly_fails_by_field(config: dict[str, Any], field: str) -> None:
    """No user's id, a title of two lines or too long, an empty or endless body."""
    assert failure_of("send_notification", config).startswith(f"{field}: ")


async def test_a_channel_gets_title_and_body() -> None:
    """Rendered, as plain text; the output names the channel."""
    world = World()
    assert await world.perform(CHANNEL) == {"channel": "sales-team"}
    assert world.notifier.sent == [("sales-team", "Order 42", "By Ada <b>")]
    assert not world.inbox.notices


async def test_a_user_gets_it_once_however_often_it_is_tried() -> None:
    """The row's id is the command's, so a second attempt changes nothing; it says which execution it comes from."""
    world = World()
    context = context_of()
    for uncertain in (False, True):
        done = await world.perform(INBOX, replace(context, uncertain=uncertain))
        assert done == {"notification_id": str(COMMAND_ID)}
    (notice,) = world.inbox.notices
    assert (notice.user, notice.title, notice.body) == (UUID(ANA), "Order 42", "By Ada <b>")
    assert (str(notice.workflow_id), str(notice.execution_id)) == (
        context.scope["workflow"]["id"],
        context.scope["execution"]["id"],
    )
    assert not world.notifier.sent


def test_each_channel_is_a_destination_of_its_own() -> None:
    """One that fails has its breaker opened, and none else; only the inbox may be asked twice without a doubt."""
    action: Any = REGISTRY.find("send_notification")
    for config, destination, repeatable in ((CHANNEL, "channel sales-team", False), (INBOX, "inbox", True)):
        request = prepared("send_notification", config)
        assert (action.destination(request), action.repeatable(request)) == (destination, repeatable)


async def test_what_may_have_been_sent_is_sent_again_unless_told_otherwise() -> None:
    """A second message in a chat is better than none; ``fail`` says the opposite."""
    world = World()
    again = replace(context_of(), uncertain=True)
    world.notifier.failures = [LOST]
    assert not (await world.failure(CHANNEL)).permanent
    await world.perform(CHANNEL, again)
    world.notifier.failures = [LOST]
    assert (await world.failure(CHANNEL | {"on_uncertain": "fail"})).permanent
    failed = await world.failure(CHANNEL | {"on_uncertain": "fail"}, again)
    assert (failed.permanent, failed.effect_unknown) == (True, True)
    assert len(world.notifier.sent) == 1


@pytest.mark.parametrize("config", [CHANNEL, INBOX])
async def test_where_nothing_is_set_up_it_fails_for_good(config: dict[str, Any]) -> None:
    """A process without channels or an inbox says so."""
    action: Any = REGISTRY.find("send_notification")
    with pytest.raises(ActionFailedError, match="not set up") as failure:
        await action.perform(prepared("send_notification", config), Ports(FakeHttp(), FakeMailer(), ""), context_of())
    assert failure.value.permanent
