"""The dry run and the matcher say the same of the same event and workflow."""

from collections.abc import Collection, Mapping
from typing import Any, Final
from uuid import UUID

from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from app.actions.registry import REGISTRY
from app.adapters.http.reach import GuardJudge
from app.domain.callers import Caller
from app.domain.causation import Link
from app.domain.grants import Use
from app.execution.preparation import DryRunPreparer
from app.ports.channels import KnownChannel
from app.services.ingest.emitter import event_key
from app.services.operations.dry_run import DryRunner
from app.services.operations.explanations import explain
from app.settings import Settings
from schemas.command import Command
from schemas.event import Event
from schemas.execution import Execution
from schemas.workflow import WorkflowDraft
from tests.execution.test_matching import TOPICS, World
from tests.execution.test_transactional import now
from tests.support.addresses import addresses_of
from tests.support.current import current_over
from tests.support.fake_secrets import MemorySecrets
from tests.support.records import cloud_event, own_record
from tests.support.slips import action

NUMBER: Final = 7
OWNER: Final = UUID(int=9)
AT: Final = "2026-03-01T13:00:00+01:00"
TRIGGERS: Final[list[dict[str, Any]]] = [
    {"type": "order.paid"},
    {"type": "tag.applied", "config": {"tag": "VIP"}},
    {"type": "customer.updated", "config": {"fields": ["email"]}},
]
CONDITIONS: Final[list[list[dict[str, Any]]]] = [
    [],
    [{"field": "order.total", "operator": ">", "value": 100}],
    [{"field": "event.subject", "operator": "==", "value": "c1"}],
    [
        {"field": "event.time", "operator": "in", "value": [AT]},
        {"field": "event.subject", "operator": "==", "value": "c1"},
    ],
]
REENTRIES: Final[list[Any]] = ["always", "once", {"once": True, "key": "cart.id"}]
DATA: Final = st.fixed_dictionaries(
    {"order": st.fixed_dictionaries({"total": st.sampled_from([None, 50, 120, "120"])})},
    optional={
        "tag": st.sampled_from(["VIP", "new"]),
        "changed": st.sampled_from([["email"], ["name"], []]),
        "cart": st.sampled_from([{"id": 17}, {"id": ""}, {}]),
        "customer": st.just({"id": "c2"}),
    },
)
CHAINS: Final = st.integers(1, 4).map(
    lambda runs: ",".join(str(Link(UUID(int=NUMBER), UUID(int=run))) for run in range(runs))
)
EVENTS: Final = st.fixed_dictionaries(
    {"type": st.sampled_from([trigger["type"] for trigger in TRIGGERS]), "data": DATA},
    optional={
        "subject": st.sampled_from(["c1", None]),
        "time": st.sampled_from([AT, "2026-03-01T12:00:00Z"]),
        "workflowid": st.sampled_from([str(UUID(int=NUMBER)), str(UUID(int=8))]),
        "causation": CHAINS,
    },
)
WORKFLOWS: Final = st.fixed_dictionaries(
    {
        "trigger": st.sampled_from(TRIGGERS),
        "conditions": st.sampled_from(CONDITIONS),
        "reentry": st.sampled_from(REENTRIES),
    }
)
# Whether the trigger asks for the event, how the execution ends (None: it starts), whether the conditions hold, their
# verdicts, and, where it does not start, why not.
Said = tuple[bool, str | None, bool, list[dict[str, Any]], str | None]


@examples(max_examples=200, deadline=None)
@given(written=WORKFLOWS, attributes=EVENTS)
async def test_the_dry_run_says_what_the_matcher_does(written: dict[str, Any], attributes: dict[str, Any]) -> None:
    """Whether the event is turned away, starts the workflow, or what keeps it from that; and each verdict."""
    event = cloud_event(**attributes)
    earnest, tried = await _matched(written, event), await _tried(written, event)
    if earnest is None:
        assert not tried[0]
    else:
        assert tried == earnest


async def _matched(written: dict[str, Any], event: dict[str, Any]) -> Said | None:
    world = World()
    world.workflow(NUMBER, **written, actions=[_tag()])
    await world.process([own_record(event_key(Event.model_validate(event)).encode(), **event)])
    assert not world.sender.on("t.dead-letters")
    if not world.sender.records:
        return None
    (record,) = world.sender.records
    if record.topic != TOPICS.executions:
        return True, None, True, Command.model_validate_json(record.value or b"").verdicts, None
    ended = Execution.model_validate_json(record.value or b"")
    met, verdicts = ended.conditions_met, ended.verdicts
    why = explain(ended.status, conditions_met=met, verdicts=verdicts, results=[], error=ended.error)
    return True, ended.status, met, verdicts, why


class NoChannels:
    """Implements ``app.ports.channels.ChannelDirectory`` where there are none."""

    async def of(self, names: Collection[str]) -> Mapping[str, KnownChannel]:
        """Return none."""
        del names
        return {}


async def _tried(written: dict[str, Any], event: dict[str, Any]) -> Said:
    kind, secrets = REGISTRY.find("apply_tag"), MemorySecrets()
    assert kind is not None
    preparers = {"apply_tag": DryRunPreparer(kind, timeout=5, clock=now)}
    runner = DryRunner(preparers, current_over(), secrets, NoChannels(), GuardJudge(Settings(), addresses_of))
    draft = WorkflowDraft.model_validate({"name": "w", **written, "actions": [_tag()]})
    use, caller = Use(OWNER, UUID(int=NUMBER)), Caller(OWNER, "user")
    report = await runner.run(draft, event, {}, {}, use, caller=caller)
    starts = report.steps[0].runs
    status, why = (None, None) if starts else (report.status, report.explanation)
    return report.matched, status, report.conditions_met, report.verdicts, why


def _tag() -> dict[str, Any]:
    return action(tag="x").written()
