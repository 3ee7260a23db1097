"""The report holds what came of it, asks for nothing from elsewhere, and shows what it is told as text."""

import json
import re
from dataclasses import replace
from typing import Final

import pytest

from app.services.proving.judge import Verdict, judge
from app.services.proving.ledger import Harm
from app.services.proving.page import page
from app.services.proving.report import Report, outcome, summary
from tests.services.proving.made import BEGAN, EVENTS, found, ledger, load

_HOSTILE: Final = "<script>alert('x')</script>&\"<img src=x>"


def report() -> Report:
    """Return the report of a run that went well, with a fault of each kind."""
    ours, book = load(), ledger(load())
    book.harms = [
        Harm("kill", "matcher", BEGAN + 1, BEGAN + 1, BEGAN + 2),
        Harm("freeze", "sink", BEGAN + 2, BEGAN + 3),
    ]
    verdict = judge(ours, book, found(ours))
    return Report(
        ours.run, "2026-03-04T00:00:00Z", "1.0", 4, 10, 4, crm=True, faults=("kill",), left_out=[], verdict=verdict
    )


def test_it_asks_for_nothing() -> None:
    """No address, no script, no picture from a file: it can be sent around, and opens anywhere."""
    text = page(report())
    assert not re.findall(r"https?:|src=|href=|url\(|@import|<script|<link", text)
    assert "default-src 'none'" in text
    assert "prefers-color-scheme: dark" in text


def test_everything_is_escaped() -> None:
    """What an installation says of itself, names among it, is text."""
    one = report()
    verdict = replace(one.verdict, wrong=[_HOSTILE], lost=1)
    verdict.timing.recoveries[0] = replace(verdict.timing.recoveries[0], role=_HOSTILE, kind=_HOSTILE)
    hostile = replace(
        one, run=_HOSTILE, began=_HOSTILE, version=_HOSTILE, left_out=[_HOSTILE], faults=[_HOSTILE], verdict=verdict
    )
    text = page(hostile)
    assert "<script" not in text
    assert "<img" not in text
    assert text.count("&lt;script&gt;alert(") >= 7


def test_both_forms_say_the_same() -> None:
    """The figures of the page are those of the JSON, which any program reads."""
    one = report()
    told = json.loads(json.dumps(one.as_json()))
    assert told["good"] is True
    assert told["verdict"]["events"] == EVENTS
    assert [fault["role"] for fault in told["verdict"]["timing"]["recoveries"]] == ["matcher", "sink"]
    for words in summary(one)["outcome"], "matcher", "sink", "100 ms":
        assert words in page(one)


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        (Verdict(5), "nothing lost, nothing done twice unmarked, order kept"),
        (Verdict(5, twice_marked=3), "nothing lost, nothing done twice unmarked, order kept"),
        (Verdict(5, lost=2, disordered=1), "NOT as promised: 2 lost, 1 customers out of order"),
        (Verdict(5, twice_unmarked=1, failed=4), "NOT as promised: 1 twice, unmarked, 4 not as they must end"),
        (Verdict(0), "nothing was sent, so nothing is shown"),
    ],
)
def test_the_outcome_in_words(verdict: Verdict, words: str) -> None:
    """What is good is called so, and nothing else; of no events nothing follows."""
    assert outcome(verdict) == words
    assert verdict.good == words.startswith("nothing lost")


def test_a_run_without_a_webhook_has_a_report() -> None:
    """It is the one that matters most."""
    ours, book = load(), ledger(load())
    book.arrivals.clear()
    text = page(replace(report(), verdict=judge(ours, book, found(ours))))
    assert "NOT as promised" in text
    assert "<svg" not in text
