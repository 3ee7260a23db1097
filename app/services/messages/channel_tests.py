"""Tests of channels: a workflow of the administrator's own sends through one, as any workflow does.

Only executors may read a channel's URL, so that a test goes the way of every notification: what it finds (a wrong URL,
a grant that is missing, a breaker that is open, an executor that does not run) is what a workflow would find. Its
workflow is made at the first test, and goes with the channel.
"""

from typing import Any, Final
from uuid import UUID

from app.actions.send_notification import SendNotification
from app.domain.callers import Caller
from app.domain.errors import ConflictError
from app.domain.grants import Grant, Use
from app.ports.workflows import WorkflowFilter
from app.services.workflows.lifecycle import WorkflowService
from app.services.workflows.manual_runs import ManualRuns
from schemas.channel import Channel
from schemas.workflow import Workflow

TYPE: Final = "custom.channel_test"
_PAGE: Final = 200


class ChannelTests:
    """The use cases; who may call them is checked before.

    Args:
        workflows: Makes and removes the workflows of tests.
        runs: Runs them.
    """

    def __init__(self, workflows: WorkflowService, runs: ManualRuns) -> None:
        self._workflows = workflows
        self._runs = runs

    async def send(self, caller: Caller, channel: Channel) -> UUID:
        """Send a test, and return the id of the execution that will say what became of it.

        Raises:
            ConflictError: The channel is not for workflows of the caller.
            UnreachableError: Kafka or Postgres does not answer.
        """
        known = [one for one in await self._of(caller, channel.name) if one.created_by == caller.user_id]
        workflow = known[0] if known else await self._workflows.create(caller, _draft(channel.name))
        if not Grant(tuple(channel.owners), tuple(channel.workflows)).lets(Use(caller.user_id, workflow.id)):
            raise ConflictError("This channel is not for your workflows; let them use it first, then send a test")
        if not workflow.active:
            workflow = await self._workflows.set_active(caller, workflow.id, None, active=True)
        started = await self._runs.start(caller, workflow.id, {"channel": channel.name}, f"channel {channel.name}")
        return started.execution_id

    async def forget(self, caller: Caller, name: str) -> None:
        """Remove the workflows of a channel's tests, whosever they are, so that the channel can go, or be renamed."""
        for workflow in await self._of(caller, name):
            await self._workflows.delete(caller, workflow.id, None)

    async def _of(self, caller: Caller, name: str) -> list[Workflow]:
        wanted = WorkflowFilter(trigger_type=TYPE)
        page = await self._workflows.find(caller, wanted, None, _PAGE)
        return [one for one in page.items if one.actions and one.actions[0].config.get("channel") == name]


def _draft(channel: str) -> dict[str, Any]:
    config = {
        "channel": channel,
        "title": "A test from Headrace",
        "body": f"This is a test of the channel {channel}. If you read it, the channel works.",
    }
    return {
        "name": f"Test of the channel {channel}",
        "description": "Made by “Send a test” in the settings; it goes with the channel.",
        "trigger": {"type": TYPE, "config": {}},
        "conditions": [],
        "actions": [{"type": SendNotification.name, "order": 1, "config": config, "conditions": []}],
    }
