"""The routing slip's way from step to step."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest

from app.domain.errors import PoisonError
from app.execution.routing import Router, read_command
from app.ports import Refusal
from app.topics import Topics
from schemas.command import Command
from schemas.execution import Execution
from schemas.incoming import MAX_NESTING, decode_event
from schemas.result import MAX_RESULT_BYTES, ActionResult
from tests.support.records import FakeRecord, cloud_event
from tests.support.slips import NOW, action, command, command_record

ROUTER = Router(Topics("t."), frozenset({"apply_tag", "webhook"}))


def result(step: int, status: str = "success", **more: object) -> ActionResult:
    """Return a step's result."""
    return ActionResult.model_validate(
        {"step": step, "action_type": "apply_tag", "status": status, "executed_at": NOW, **more}
    )


def test_a_command_comes_back_as_it_was_written() -> None:
    """Encoding and reading a slip loses nothing."""
    made = command(action(tag="vip"), action("webhook", 2, url="http://x.example"), lane="high")
    assert read_command(command_record(made), "apply_tag") == made


def test_an_event_as_deep_as_events_may_be_comes_through() -> None:
    """The slip holds the event a level down; nobody who takes the event may refuse the slip."""
    deep = orjson.loads(b'{"a":' * (MAX_NESTING - 2) + b"1" + b"}" * (MAX_NESTING - 2))
    event = cloud_event(data={"deep": deep})
    decode_event(FakeRecord(orjson.dumps(event)))
    assert read_command(command_record(command(action(tag="vip"), event=event)), "apply_tag").event == event


def test_the_slip_goes_to_the_next_steps_topic_and_lane_with_the_result() -> None:
    """After step 0 the slip stands in the topic of step 1's action type, same lane, same key, one result longer."""
    made = command(action(tag="vip"), action("webhook", 2), lane="high")
    record = ROUTER.after(made, result(0))
    assert (record.topic, record.key) == ("t.actions.webhook.high", b"c1")
    assert record.value is not None
    following = read_command(FakeRecord(record.value), "webhook")
    assert following.step == 1
    assert following.results == [result(0)]


def test_after_the_last_step_the_execution_goes_to_the_log() -> None:
    """The finished execution keeps its ids, its event, every result, and when it was matched."""
    made = command(action(tag="vip"))
    record = ROUTER.after(made, result(0, "failed", error="boom"))
    assert record.topic == "t.executions"
    execution = Execution.model_validate_json(record.value or b"")
    assert (execution.status, execution.attempt, execution.executed_at) == ("failed", 1, NOW)
    assert execution.error == "step 0 (apply_tag): boom"
    assert execution.conditions_met


def test_stop_ends_the_execution_and_says_which_steps_were_left_out() -> None:
    """stop_workflow: status stopped, the steps behind it are listed as skipped with the reason."""
    made = command(action(tag="a"), action(tag="b", order=2), action(tag="c", order=3))
    record = ROUTER.after(made, result(0, stop=True))
    execution = Execution.model_validate_json(record.value or b"")
    assert execution.status == "stopped"
    assert [(r.status, r.error) for r in execution.results[1:]] == [("skipped", "stopped by step 0")] * 2


def ended(made: Command, came_to: ActionResult) -> Execution:
    """Return the execution that has ended with a step's result."""
    record = ROUTER.after(made, came_to)
    assert record.topic == "t.executions"
    return Execution.model_validate_json(record.value or b"")


def test_an_execution_that_waited_for_a_month_is_one_that_the_log_takes() -> None:
    """Its time in milliseconds is more than the column holds; Postgres refused the row."""
    made = command(action(tag="a"))
    made.matched_at = datetime.now(UTC) - timedelta(days=31)
    assert ended(made, result(0)).duration_ms == 2**31 - 1


def test_a_failed_step_that_says_so_ends_the_execution_as_failed() -> None:
    """on_error stop: failed, whatever had succeeded; the error is that step's, the rest is listed as not run."""
    actions = [
        action(tag="a"),
        action(tag="b", order=2, on_error="stop"),
        action("webhook", 3),
        action(tag="d", order=4),
    ]
    made = command(*actions, step=1, results=[result(0, "failed", error="early")])
    execution = ended(made, result(1, "failed", error="boom"))
    assert (execution.status, execution.error) == ("failed", "step 1 (apply_tag): boom")
    why = "not run, because step 1 failed and its on_error is stop"
    assert [(r.status, r.error) for r in execution.results[2:]] == [("skipped", why)] * 2
    succeeded = command(*actions, step=1, results=[result(0)])
    assert ended(succeeded, result(1, "failed", error="boom")).status == "failed"


@pytest.mark.parametrize("status", ["success", "skipped"])
def test_a_step_that_did_not_fail_never_ends_the_execution(status: str) -> None:
    """Whatever its on_error: what succeeded or was skipped by its own conditions goes on."""
    made = command(action(tag="a", on_error="stop"), action("webhook", 2))
    assert ROUTER.after(made, result(0, status)).topic == "t.actions.webhook"


@pytest.mark.parametrize(
    ("action_type", "on_error", "topic"),
    [
        ("delay", None, "t.executions"),
        ("delay", "stop", "t.executions"),
        ("delay", "continue", "t.actions.webhook"),
        ("apply_tag", None, "t.actions.webhook"),
        ("apply_tag", "continue", "t.actions.webhook"),
    ],
)
def test_where_nothing_is_said_a_delay_stops_and_all_others_go_on(
    action_type: str, on_error: str | None, topic: str
) -> None:
    """A revision from before there was on_error has none, and so its type's default."""
    made = command(action(action_type, on_error=on_error), action("webhook", 2))
    fields = orjson.loads(made.encode())
    assert ("on_error" in fields["workflow"]["actions"][0]) == (on_error is not None)
    made = read_command(FakeRecord(orjson.dumps(fields)), action_type)
    assert ROUTER.after(made, result(0, "failed", error="x")).topic == topic


def test_a_used_up_time_is_told_even_where_the_step_would_stop() -> None:
    """timed_out says more than failed, and is retried all the same."""
    made = command(action(tag="a", on_error="stop"), action(tag="b", order=2))
    assert ended(made, result(0, "failed", error="late", timed_out=True)).status == "timed_out"


def test_a_step_of_an_unknown_type_that_stops_ends_the_execution() -> None:
    """It fails as any other, so it ends the execution as any other."""
    record = ROUTER.first(command(action("teleport", on_error="stop"), action("webhook", 2)))
    assert record.topic == "t.executions"
    execution = Execution.model_validate_json(record.value or b"")
    assert (execution.status, [r.status for r in execution.results]) == ("failed", ["failed", "skipped"])


def test_a_retry_that_is_broken_off_keeps_what_had_succeeded() -> None:
    """What was a success before stays one; the execution is failed."""
    actions = [action(tag="a", on_error="stop"), action(tag="b", order=2), action(tag="c", order=3)]
    execution = ended(command(*actions, attempt=2, kept=[result(1)]), result(0, "failed", error="again"))
    assert (execution.status, [r.status for r in execution.results]) == ("failed", ["failed", "success", "skipped"])


def test_a_used_up_time_ends_the_execution() -> None:
    """timed_out is an execution's own status; what did not run is listed."""
    record = ROUTER.after(command(action(tag="a"), action(tag="b", order=2)), result(0, "failed", timed_out=True))
    execution = Execution.model_validate_json(record.value or b"")
    assert execution.status == "timed_out"
    assert [r.status for r in execution.results] == ["failed", "skipped"]


def test_a_step_of_an_unknown_type_fails_and_the_rest_goes_on() -> None:
    """A type that this installation lacks has no topic: its step fails by name, the next one still runs."""
    record = ROUTER.first(command(action("teleport"), action("webhook", 2)))
    assert record.topic == "t.actions.webhook"
    following = read_command(FakeRecord(record.value), "webhook")
    assert following.results[0].error == "this installation has no action type teleport"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "tombstone"),
        (b"{", "not_json"),
        (b"{}", "invalid_command"),
        (command(action(tag="a"), step=1).encode(), "invalid_command"),
        (command(action("webhook")).encode(), "invalid_command"),
    ],
)
def test_what_is_no_command_of_this_topic_is_refused(value: bytes | None, reason: str) -> None:
    """Poison on an action topic has a reason, never another exception."""
    with pytest.raises(PoisonError) as caught:
        read_command(FakeRecord(value), "apply_tag")
    assert caught.value.reason == reason


def test_readers_ignore_fields_they_do_not_know() -> None:
    """A newer writer's field does not stop an older reader (docs/design.md#11-contracts)."""
    newer = orjson.dumps({**orjson.loads(command(action(tag="a")).encode()), "colour": "red"})
    assert read_command(FakeRecord(newer), "apply_tag").step == 0


def test_a_result_too_large_is_cut_with_a_mark() -> None:
    """One result has at most 4 KiB; what was cut says so."""
    large = result(0, output={"body": "x" * 10_000})
    made = command(action(tag="a"))
    (cut,) = Execution.model_validate_json(ROUTER.after(made, large).value or b"").results
    assert cut.output == {"cut": True}
    assert len(cut.encode()) <= MAX_RESULT_BYTES


def test_what_is_sent_instead_of_a_slip_follows_from_what_that_followed_from() -> None:
    """Should that be refused, too, the same record is the dead letter."""
    made, cause = command(action(tag="a"), action("webhook", 2)), FakeRecord(b"")
    slip = ROUTER.after(made, result(0), cause=cause)
    instead = ROUTER.refused(slip, Refusal("too_large", "so large"))
    assert instead is not None
    assert (slip.cause, instead.cause, instead.topic) == (cause, cause, "t.executions")


@pytest.mark.parametrize("character", ["x", "\x01", '"', "\u00fc", "\U0001f600"])
def test_a_long_error_is_cut_by_what_it_takes_in_json(character: str) -> None:
    """A control character takes six bytes: the result stays within 4 KiB whatever the error is made of."""
    cut = result(0, "failed", error=character * 10_000).bounded()
    assert len(cut.encode()) <= MAX_RESULT_BYTES
    assert cut.error


def test_a_wrong_revision_is_named_by_its_place_in_the_command() -> None:
    """The revision is checked on its own and remembered; its mistakes are still told as the command's."""
    fields = orjson.loads(command_record(command(action(tag="vip"))).value or b"")
    fields["workflow"]["actions"][0]["order"] = "first"
    with pytest.raises(PoisonError) as poison:
        read_command(FakeRecord(orjson.dumps(fields)), "apply_tag")
    assert poison.value.detail.startswith("workflow.actions[0].order: ")


@pytest.mark.parametrize("workflow", [None, [], "w"])
def test_a_command_without_a_workflow_is_poison(workflow: object) -> None:
    """What is no object at all is named too."""
    fields = orjson.loads(command_record(command(action(tag="vip"))).value or b"")
    with pytest.raises(PoisonError) as poison:
        read_command(FakeRecord(orjson.dumps({**fields, "workflow": workflow})), "apply_tag")
    assert "workflow" in str(poison.value)


def test_a_retry_passes_over_the_steps_that_it_has_kept() -> None:
    """Attempt 2 begins at the failed step; a later success goes into the results as it was, and is not sent again."""
    kept = [result(0, output={"n": 1}), result(2, output={"n": 3})]
    actions = [action(tag=name, order=order) for order, name in enumerate("abcd")]
    made = command(*actions, attempt=2, step=1, results=kept[:1], kept=kept)
    following = read_command(FakeRecord(ROUTER.after(made, result(1)).value), "apply_tag")
    assert (following.step, following.results) == (3, [kept[0], result(1), kept[1]])
    done = Execution.model_validate_json(ROUTER.after(following, result(3)).value or b"")
    assert (done.status, done.attempt, [r.step for r in done.results]) == ("success", 2, [0, 1, 2, 3])


def test_a_retry_that_ends_early_keeps_what_had_succeeded() -> None:
    """Steps behind the end that were successes before are not turned into skipped ones."""
    kept = [result(2)]
    actions = [action(tag=name, order=order) for order, name in enumerate("abcd")]
    record = ROUTER.after(command(*actions, attempt=2, kept=kept), result(0, "failed", error="late", timed_out=True))
    execution = Execution.model_validate_json(record.value or b"")
    assert [r.status for r in execution.results] == ["failed", "skipped", "success", "skipped"]


def test_a_retry_has_the_whole_time_and_a_duration_of_its_own() -> None:
    """What was kept does not count against the execution's time, nor do the hours before the retry."""
    kept = [result(0, duration_ms=29_000)]
    made = command(action(tag="a"), action(tag="b", order=2), attempt=2, step=1, results=kept, kept=kept)
    assert made.spent == 0
    assert command(action(tag="a"), results=kept).spent == 29
    made.retried_at = datetime.now(UTC)
    execution = Execution.model_validate_json(ROUTER.after(made, result(1)).value or b"")
    assert execution.executed_at == NOW
    assert execution.duration_ms < 60_000
