"""How an upgrade is judged: what waited over it, what it retried, and in which order processes are exchanged."""

import re
from collections import Counter
from pathlib import Path
from typing import Final
from uuid import uuid4

from tests.deployment.compose import ROOT
from tests.faults.judge import Verdict
from tests.support.stack import ROLES
from tests.upgrade.found import Exchange, Found, Ran, parts, waited_over
from tests.upgrade.refusing import judge_retries
from tests.upgrade.run import ORDER, table
from tests.upgrade.versions import place_of

_BEGAN: Final = {"old": 0.0, "upgrade": 10.0, "new": 20.0, "rollback": 30.0, "old again": 40.0, "end": 50.0}


_EXCHANGED: Final = (
    ("executor-workflow", "new", 8.0),
    ("executor-system", "new", 10.0),
    ("executor-system", "new", 15.0),
    ("executor-system", "old", 30.0),
    ("executor-workflow", "old", 35.0),
)


def retried(times: int, *, uncertain: bool = False) -> Verdict:
    """The verdict on a command that is to be refused once and then taken, and came ``times``."""
    verdict, command = Verdict("upgrade", 1), uuid4()
    judge_retries(verdict, Counter({str(command): times}), [command], [command] if uncertain else [])
    return verdict


def test_only_what_waited_while_all_processes_of_its_role_were_exchanged_counts() -> None:
    """It began before the first of them, it ended after the last, and it is of those that wait there."""
    exchanges = [Exchange(role, role, code, began, began + 5) for role, code, began in _EXCHANGED]
    over = Ran(5, 21, "executor-system")
    within, too_soon, elsewhere = Ran(11, 21, "executor-system"), Ran(5, 19, "executor-system"), Ran(5, 21)
    assert waited_over([over, within, too_soon, elsewhere], exchanges) == {
        "executor-workflow became new": 0,
        "executor-system became new": 1,
        "executor-workflow became old": 0,
        "executor-system became old": 0,
    }
    assert waited_over([Ran(25, 41, "executor-workflow")], exchanges)["executor-workflow became old"] == 1


def test_a_part_has_the_executions_whose_events_were_made_in_it() -> None:
    """How long they took is told of those that do not wait on purpose."""
    found = parts([Ran(10, 11), Ran(12, 15), Ran(13, 19, "executor-workflow")], _BEGAN)
    assert found["upgrade"] == {"seconds": 10.0, "executions": 3, "p50_s": 1.0, "slowest_s": 3}
    assert found["new"]["executions"] == 0
    assert "end" not in found


def test_a_retry_is_refused_once_and_taken_once() -> None:
    """Less is lost; more is a repeat, which is bad only where the log does not say so."""
    assert retried(2).good
    assert retried(1).lost == 1
    assert retried(3).duplicated_unmarked == 1
    marked = retried(3, uncertain=True)
    assert marked.good
    assert marked.duplicated_marked == 1


def test_a_retry_that_nobody_asked_for_is_bad() -> None:
    """A key that belongs to no command of the job."""
    verdict = Verdict("upgrade", 1)
    judge_retries(verdict, Counter({str(uuid4()): 2}), [], [])
    assert not verdict.good


def test_a_dead_letter_is_a_loss_and_an_upgrade_over_which_nothing_waited_shows_nothing() -> None:
    """Old code that cannot read what new code wrote would give it up so."""
    verdict = Verdict("upgrade", 1)
    Found({}, {"x became new": 1, "x became old": 0}, set(), ["malformed: what is it"]).blame(verdict)
    assert verdict.lost == 1
    assert [re.sub(r":.*", "", said) for said in verdict.wrong] == [
        "a dead letter",
        "nothing waited while x became old",
    ]


def test_processes_are_exchanged_in_the_order_that_the_page_says() -> None:
    """Every role, once; sink, executors, matcher, scheduler, admin (no sources run here)."""
    page = (ROOT / "docs" / "upgrading.md").read_text()
    said = re.search(r"Exchange the roles in this order.*?\*\*(.*?)\*\*", page, re.DOTALL)
    assert said
    kinds = dict.fromkeys("executors" if role.startswith("executor-") else role for role in ORDER)
    assert [one for one in re.split(r",\s+", said[1]) if one != "sources"] == list(kinds)
    assert sorted(ORDER) == sorted(ROLES)


def test_another_lock_has_another_folder() -> None:
    """And the same one is found again."""
    assert place_of(b"a", Path("x")) == place_of(b"a", Path("x")) != place_of(b"b", Path("x"))


def test_the_table_says_bad_and_why() -> None:
    """Each thing that is wrong has its line."""
    verdict = Verdict("upgrade", 1, lost=1, wrong=["no row for execution 5"])
    said = {
        "parts": {"old": {"seconds": 12.0, "executions": 3, "p50_s": 0.1, "slowest_s": 1.5}},
        "waited_over": {"x became new": 2},
        "dead_letters": [],
        "exchanges": [{"process": "sink-1", "code": "new", "s": 3.0}],
        "verdict": verdict.as_json(),
        "good": verdict.good,
    }
    shown = table(said)
    assert "lost 1" in shown
    assert "BAD\n    no row for execution 5" in shown
