"""The sentence on top of the overview: every kind of trouble in words, leading to where it shows."""

from datetime import UTC, datetime
from typing import get_args
from uuid import UUID, uuid4

import pytest

from app.admin.pages.overview.sentence import as_list, parts_of
from app.domain.callers import Caller
from app.ports.overview import Failing, FailingWorkflow
from app.services.operations.overview import Trouble, TroubleKind

_ONE = UUID(int=7)
_MOST = FailingWorkflow(_ONE, "Big orders", 3, None, 0)
_FAILING = Failing([_MOST], 3, 1, is_whole=True)
_AT = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
_CASES = [
    (Trouble("away", "relay", "sent nothing for 40 s"), "the relay to Kafka is in trouble: sent nothing for 40 s"),
    (Trouble("away", "kafka", "does not answer"), "Kafka is in trouble: does not answer"),
    (Trouble("away", "postgres", "slow"), "the database is in trouble: slow"),
    (Trouble("away", "background", "ended"), "a task of this process is in trouble: ended"),
    (Trouble("away", "event_loop", "blocked"), "this process is in trouble: blocked"),
    (Trouble("failing", count=3, of=1), "“Big orders” is failing: 3 executions within the last hour"),
    (Trouble("failing", count=3, of=2), "2 workflows are failing: 3 executions within the last hour"),
    (Trouble("breaker", "smtp", count=2, until=_AT),
     "smtp is left alone until 09:30 UTC because it failed, 2 steps waiting for it"),
    (Trouble("breaker", "smtp", count=1), "smtp failed and is being tried again, 1 step waiting for it"),
    (Trouble("behind", count=1200), "1,200 records wait to be processed"),
    (Trouble("late", seconds=40), "changes have waited for Kafka for 40 s"),
    (Trouble("late", seconds=130), "changes have waited for Kafka for 2 minutes"),
    (Trouble("letters", count=1), "1 record could not be processed"),
    (Trouble("behind", count=1), "1 record waits to be processed"),
    (Trouble("set_aside", count=1), "1 record was not taken by Kafka"),
    (Trouble("set_aside", count=2), "2 records were not taken by Kafka"),
    (Trouble("alert", "The queue is long"), "The queue is long"),
]  # fmt: skip


def caller(role: str = "admin") -> Caller:
    """Somebody of a role."""
    return Caller(uuid4(), "admin" if role == "admin" else "user")


@pytest.mark.parametrize(("trouble", "words"), _CASES, ids=[words for _, words in _CASES])
def test_a_trouble_is_said_in_words(trouble: Trouble, words: str) -> None:
    """None in a name of ours."""
    (part,) = parts_of([trouble], _FAILING, caller())
    assert part.text == words


def test_every_kind_of_trouble_is_said() -> None:
    """So that none is left out above."""
    assert {one.kind for one, _ in _CASES} == set(get_args(TroubleKind))


def test_it_is_one_sentence_that_leads_to_each() -> None:
    """It begins with a capital; who may not see the queue is led to what waits of their own."""
    wrong = [Trouble("away", "relay", "sent nothing"), Trouble("failing", count=3, of=1)]
    (relay, first), (failing, last) = as_list(parts_of(wrong, _FAILING, caller()))
    assert (relay.text, first, last) == ("The relay to Kafka is in trouble: sent nothing", False, True)
    assert relay.path == "/queue"
    assert failing.path.endswith(f"&workflow_id={_ONE}")
    (users, _) = parts_of(wrong, _FAILING, caller("user"))
    assert users.path == "/executions/waiting"
