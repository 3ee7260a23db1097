"""Prometheus's own tool on the rules that ship: each alert fires by its cause, not early, and is over again."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from app.domain.alert_rules import ALERTS, BY_NAME, ROLES
from deploy.prometheus.rules import FILE, rules
from tests.support.deadlines import scaled
from tests.support.prometheus import NoPrometheusError, program

RUNBOOK: Final = Path(__file__).parents[2] / "docs/alerts.md"
STEP_S: Final = 30
# Half an hour of nothing wrong comes first, at the threshold where there is one; then what is wrong.
QUIET: Final = 60
BEGINS_S: Final = QUIET * STEP_S


@dataclass(frozen=True)
class Case:
    """One alert's cause, in samples every half minute.

    Attributes:
        series: Names of series and their samples: quiet, wrong, right again.
        labels: What the alert's labels are, beside the severity.
        summary: What it says then.
        fires_s: Seconds after what is wrong began, at which it fires.
        over_s: The same for when it is over.
    """

    alert: str
    series: Mapping[str, str]
    summary: str
    fires_s: int
    over_s: int
    labels: Mapping[str, str] = field(default_factory=dict)


def level(alert: str, series: str, *, at: float, above: float, summary: str, **labels: str) -> Case:
    """Return the case of a value that stands at the threshold, is above it for a while, and comes back to it."""
    found = BY_NAME[f"Headrace{alert}"]
    wrong = found.hold_s // STEP_S + 2
    samples = f"{at}+0x{QUIET - 1} {above}+0x{wrong - 1} {at}+0x40"
    return Case(alert, {series: samples}, summary, found.hold_s, wrong * STEP_S + found.keep_s + STEP_S, labels)


def increase(alert: str, series: str, *, summary: str, before: str, **labels: str) -> Case:
    """Return the case of a counter that goes up once, or comes to be."""
    found = BY_NAME[f"Headrace{alert}"]
    after = "6+0x80" if before != "_" else "1+0x80"
    samples = f"{before}+0x{QUIET - 1} {after}" if before != "_" else f"_x{QUIET} {after}"
    return Case(alert, {series: samples}, summary, 0, found.window_s + found.keep_s + 2 * STEP_S, labels)


def up(role: str, samples: str) -> dict[str, str]:
    """Return the series of all roles, of which one has other samples."""
    return {f'up{{job="headrace",role="{one}",instance="{one}-0"}}': "1+0x120" for one in ROLES} | {
        f'up{{job="headrace",role="{role}",instance="{role}-0"}}': samples
    }


CASES: Final = (
    level(
        "ExecutionFailureRate",
        'headrace_success_rate{role="admin"}',
        at=0.9,
        above=0.8,
        summary="20% of the executions of the last five minutes failed",
    ),
    level(
        "QueueDepth",
        'headrace_queue_depth{role="sink",topic="executions"}',
        at=1000,
        above=1050,
        summary="sink has 1050 records to do",
        role="sink",
    ),
    level(
        "ExecutionTime",
        "headrace_execution_seconds_average",
        at=10,
        above=11,
        summary="Executions take 11s on average",
    ),
    Case(
        "BreakerOpen",
        # Half open between probes that fail, which is no recovery; then half open with nothing that would probe it.
        {
            'headrace_breaker_state{destination="https://crm.example.com"}': f"0+0x{QUIET - 1} 2 1 2 1+0x80",
            'headrace_breaker_state{destination="half-open"}': f"0+0x{QUIET - 1} 1+0x80",
        },
        "https://crm.example.com is left alone, because it failed",
        fires_s=60,
        over_s=60 + 60 + 120 + 2 * STEP_S,
        labels={"destination": "https://crm.example.com"},
    ),
    Case(
        "LagGrowing",
        # At 5 a step it grows by just 100 in ten minutes, for half an hour; then at 6.
        {'headrace_queue_depth{role="matcher",topic="events.order"}': f"0+5x{QUIET - 1} 301+6x60 661+0x60"},
        "matcher has 120 records more to do than ten minutes ago",
        fires_s=600,
        over_s=60 * STEP_S + 600 + 120 + 2 * STEP_S,
        labels={"role": "matcher"},
    ),
    level(
        "PartitionStuck",
        'headrace_partition_still_seconds{role="sink",topic="executions",partition="0"}',
        at=60,
        above=90,
        summary="A partition of sink has not moved for 1m 30s",
        role="sink",
    ),
    level(
        "CrashLoop",
        'headrace_process_starts_recent{role="executor-crm",instance="a"}',
        at=2,
        above=3,
        summary="executor-crm was started 3 times within ten minutes",
        role="executor-crm",
    ),
    level(
        "ProcessDied",
        'headrace_process_starts_recent{role="sink",instance="a"}',
        at=1,
        above=2,
        summary="A sink died, and was started anew",
        role="sink",
    ),
    increase(
        "DeadLetters",
        'headrace_dead_letters_total{role="matcher",reason="not_json",instance="a"}',
        before="_",
        summary="matcher could not process 1 records",
        role="matcher",
    ),
    increase(
        "DeadLetters",
        'headrace_dead_letters_total{role="sink",reason="refused",instance="a"}',
        before="5",
        summary="sink could not process 1 records",
        role="sink",
    ),
    level(
        "WorkflowTableStale",
        'headrace_workflow_table_age_seconds{instance="a"}',
        at=900,
        above=960,
        summary="A matcher's workflows have not been compared with Postgres for 16m 0s",
    ),
    level(
        "OutboxOld",
        'headrace_outbox_oldest_seconds{role="scheduler"}',
        at=60,
        above=61,
        summary="A record has waited in the outbox for 1m 1s",
    ),
    increase(
        "UnexpectedDuplicates",
        'headrace_unexpected_duplicates_total{role="executor-crm"}',
        before="_",
        summary="1 effects happened twice without being marked as uncertain",
    ),
    level(
        "RecordsSetAside",
        "headrace_records_set_aside",
        at=0,
        above=4,
        summary="Kafka does not take 4 records of outbox and timers",
    ),
    level(
        "PartitionOnTrial",
        'headrace_partitions_on_trial{role="matcher",instance="a"}',
        at=0,
        above=1,
        summary="1 partitions of matcher are tried record by record",
        role="matcher",
    ),
    Case(
        "RoleDown",
        up("matcher", f"1+0x{QUIET - 1} 0+0x9 1+0x40"),
        "No matcher runs",
        fires_s=60,
        over_s=300 + 120 + STEP_S,
        labels={"role": "matcher"},
    ),
    Case(
        "RoleDown",
        up("sink", f"1+0x{QUIET - 1} stale _x9 1+0x40"),
        "No sink runs",
        fires_s=60,
        over_s=300 + 120 + STEP_S,
        labels={"role": "sink"},
    ),
    increase(
        "InternalErrors",
        'headrace_http_errors_total{role="admin",instance="a"}',
        before="_",
        summary="1 errors in the code of admin itself",
        role="admin",
    ),
    increase(
        "InternalErrors",
        'headrace_background_failures_total{role="scheduler",task="relay"}',
        before="_",
        summary="1 errors in the code of scheduler itself",
        role="scheduler",
    ),
)


def looks(case: Case) -> Sequence[dict[str, Any]]:
    """Return what is seen when: nothing at the threshold and before its time, the alert, nothing once it is over."""
    alert = BY_NAME[f"Headrace{case.alert}"]
    annotations = {"summary": case.summary, "description": alert.description, "runbook": alert.runbook}
    firing = [{"exp_labels": {"severity": str(alert.severity), **case.labels}, "exp_annotations": annotations}]
    moments = {
        BEGINS_S - STEP_S: [],
        **({BEGINS_S + case.fires_s - STEP_S: []} if case.fires_s else {}),
        BEGINS_S + case.fires_s: firing,
        BEGINS_S + case.over_s: [],
    }
    return [{"eval_time": f"{at}s", "alertname": alert.full_name, "exp_alerts": seen} for at, seen in moments.items()]


def trial(case: Case) -> dict[str, Any]:
    """Return a case as promtool reads it."""
    series = [{"series": name, "values": samples} for name, samples in case.series.items()]
    return {"interval": f"{STEP_S}s", "input_series": series, "alert_rule_test": list(looks(case))}


def promtool(*arguments: str) -> str:
    """Run it; returns what it said. Fails the test where it fails."""
    done = subprocess.run(  # noqa: S603 - our own command, no shell
        [str(program("promtool")), *arguments], capture_output=True, text=True, check=False, timeout=scaled(60)
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("case", CASES, ids=[f"{case.alert}-{place}" for place, case in enumerate(CASES)])
def test_an_alert_fires_by_its_cause_and_is_over_after_it(case: Case, tmp_path: Path) -> None:
    """At the threshold it is silent; above it, it fires when it has held; it says so; and it ends."""
    trials = {"rule_files": [str(FILE)], "evaluation_interval": f"{STEP_S}s", "tests": [trial(case)]}
    file = tmp_path / "trials.yml"
    file.write_text(json.dumps(trials))
    promtool("test", "rules", str(file))


def test_every_alert_has_a_case() -> None:
    """No rule ships that was never seen to fire."""
    assert {f"Headrace{case.alert}" for case in CASES} == {alert.full_name for alert in ALERTS}


def test_the_file_is_what_the_alerts_say() -> None:
    """Prometheus and the scheduler judge by one definition: the file is written from it."""
    assert FILE.read_text() == rules(ALERTS), "run python -m deploy.prometheus.rules"
    promtool("check", "rules", str(FILE))


def test_each_alert_has_its_section() -> None:
    """The runbook that an alert names is there, and says what it means, how to see it and what to do."""
    sections = {part.partition("\n")[0]: part for part in RUNBOOK.read_text().split("\n## ")[1:]}
    for alert in ALERTS:
        section = sections[alert.full_name]
        assert all(word in section for word in ("**Means**", "**See**", "**Do**")), alert.full_name
        assert str(alert.severity) in section.splitlines()[2]
    assert {name for name in sections if name.startswith("Headrace")} == set(BY_NAME)


def test_without_prometheus_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is neither on PATH nor to be got the tests fail with the command that helps; they never pass over it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoPrometheusError, match="apt-get install prometheus"):
        program("promtool", tmp_path / "cache")
