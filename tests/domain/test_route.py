"""Where an execution goes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import route
from app.domain.route import End, Goto, NodeId, Outcome, Wait
from app.domain.statuses import ActionStatus, ExecutionStatus, conclude
from schemas.command import PinnedRevision
from schemas.result import ActionResult
from schemas.workflow import Action

LATER = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class CameTo:
    """What a node came to."""

    node: NodeId
    status: str = "success"
    stop: bool = False
    timed_out: bool = False
    resume_at: datetime | None = None


@dataclass(frozen=True)
class Branching:
    """A revision that is no list: each node says what follows its success and what its failure."""

    begins_at: NodeId | None
    ways: dict[NodeId, tuple[NodeId | None, NodeId | None]]

    def after(self, came_to: Outcome, /) -> NodeId | None:
        """Return what follows."""
        return self.ways[came_to.node][came_to.status == "failed"]

    def breaks_off(self, came_to: Outcome, /) -> bool:
        """Never."""
        return False


def in_a_row(*on_error: str | None) -> PinnedRevision:
    """Return a revision of so many actions."""
    actions = [
        Action.model_validate({"type": "webhook", "order": order, "on_error": one})
        for order, one in enumerate(on_error)
    ]
    return PinnedRevision(id=UUID(int=1), version=1, name="w", owner=UUID(int=2), actions=actions)


THREE = in_a_row(None, None, None)


def test_it_begins_at_the_first_node_and_goes_from_one_to_the_next() -> None:
    """By id; a list's nodes are its positions."""
    assert route.next(THREE, []) == Goto("0")
    assert route.next(THREE, [CameTo("0")]) == Goto("1")
    assert route.next(THREE, [CameTo("0"), CameTo("1", "failed")]) == Goto("2")
    assert route.next(THREE, [CameTo("0"), CameTo("1", "skipped")]) == Goto("2")


def test_it_ends_after_the_last_node_with_what_all_came_to() -> None:
    """Nothing is left out."""
    assert route.next(THREE, [CameTo("0", "failed"), CameTo("1"), CameTo("2")]) == End(conclude(["failed", "success"]))
    assert route.next(in_a_row(), []) == End(conclude([]))


@pytest.mark.parametrize("position", ["0", "2"])
def test_a_stop_ends_it_there(position: str) -> None:
    """Also at the last node, and whatever had failed before."""
    ended = route.next(THREE, [CameTo("0", "failed"), CameTo(position, stop=True)])
    assert ended == End(ExecutionStatus.STOPPED, f"stopped by step {position}")


def test_used_up_time_ends_it_and_wins_over_on_error() -> None:
    """timed_out says more than failed."""
    ended = route.next(in_a_row("stop", None), [CameTo("0", "failed", timed_out=True)])
    assert isinstance(ended, End)
    assert (ended.status, ended.left_out, ended.fault) == ("timed_out", route.TIMED_OUT, None)


def test_a_failure_that_says_so_ends_it_as_failed() -> None:
    """With its own error, even where others had failed before it; a success or a skipped step never does."""
    revision = in_a_row(None, "stop", None)
    ended = route.next(revision, [CameTo("0", "failed"), CameTo("1", "failed")])
    assert isinstance(ended, End)
    assert (ended.status, ended.fault) == ("failed", "1")
    assert ended.left_out == "not run, because step 1 failed and its on_error is stop"
    for status in ("success", "skipped"):
        assert route.next(revision, [CameTo("0"), CameTo("1", status)]) == Goto("2")


def test_a_wait_says_until_when_and_what_then() -> None:
    """The next node, or the end, where it is the last one that waits."""
    assert route.next(THREE, [CameTo("0", resume_at=LATER)]) == Wait(LATER, Goto("1"))
    only = in_a_row(None)
    assert route.next(only, [CameTo("0", resume_at=LATER)]) == Wait(LATER, End(conclude(["success"])))


def test_branches_need_nothing_of_it() -> None:
    """What follows is the revision's to say; ids are names, and no order is read from them."""
    revision = Branching("ask", {"ask": ("z", "a"), "z": (None, None), "a": ("z", None)})
    assert route.next(revision, []) == Goto("ask")
    assert route.next(revision, [CameTo("ask")]) == Goto("z")
    assert route.next(revision, [CameTo("ask", "failed")]) == Goto("a")
    assert route.next(revision, [CameTo("ask", "failed"), CameTo("a"), CameTo("z")]) == End(
        conclude(["failed", "success"])
    )


@pytest.mark.parametrize("node", ["3", "-1", "", "one", "\u0663"])
def test_a_node_that_the_revision_does_not_have_is_an_error(node: str) -> None:
    """Nothing goes to a place that is none."""
    with pytest.raises(KeyError):
        route.next(THREE, [CameTo(node)])


def test_a_position_of_an_old_slip_names_its_node() -> None:
    """What slips, receipts and timers hold as an index is the id of a list's node."""
    old = ActionResult.model_validate({"step": 1, "action_type": "webhook", "status": "success", "executed_at": LATER})
    assert old.node == "1"
    assert THREE.position(old.node) == 1
    assert route.next(THREE, [old]) == Goto("2")


outcomes = st.builds(
    CameTo,
    st.just("0"),
    st.sampled_from(list(ActionStatus)),
    stop=st.booleans(),
    timed_out=st.booleans(),
    resume_at=st.none() | st.just(LATER),
)
revisions = st.lists(st.sampled_from([None, "stop", "continue"]), max_size=8).map(lambda found: in_a_row(*found))


def walk(revision: PinnedRevision, coming: Sequence[CameTo]) -> tuple[list[CameTo], End]:
    """Follow the way to its end, each node coming to what is listed for its turn."""
    results: list[CameTo] = []
    way = route.next(revision, results)
    while True:
        if isinstance(way, Wait):
            assert results[-1].resume_at == way.until
            way = way.then
        if isinstance(way, End):
            return results, way
        results.append(replace(coming[len(results)], node=way.node))
        way = route.next(revision, results)


@given(revisions, st.lists(outcomes, min_size=8, max_size=8))
def test_every_way_ends_and_is_the_loop_that_it_stands_for(revision: PinnedRevision, coming: Sequence[CameTo]) -> None:
    """Each node once, in order, until one ends it: what a plain loop over the actions does."""
    results, end = walk(revision, coming)
    expected, ended = [], None
    for position, action in enumerate(revision.actions):
        expected.append(came := replace(coming[position], node=str(position)))
        broken = action.on_error == "stop" and came.status == "failed"
        ended = "stopped" if came.stop else "timed_out" if came.timed_out else "failed" if broken else None
        if ended:
            break
    assert results == expected
    assert end.status == (ended or conclude(result.status for result in expected))
    assert (end.left_out is not None) is bool(ended)


@given(revisions, st.lists(outcomes, min_size=8, max_size=8))
def test_the_same_results_always_lead_the_same_way(revision: PinnedRevision, coming: Sequence[CameTo]) -> None:
    """A slip that comes again goes where it went; a wait changes when, never where."""
    results, end = walk(revision, coming)
    assert walk(revision, coming) == (results, end)
    at_once = [replace(one, resume_at=None) for one in coming]
    assert walk(revision, at_once)[1] == end
