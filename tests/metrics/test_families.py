"""Metric families: names, units and labels follow Prometheus's rules, each role has its own, and the page says all."""

import ast
import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

import app.metrics
from app.metrics.delivery import REASONS
from app.metrics.families import Families, Family, Histogram, Reading
from app.metrics.reference import ALL, MARK, PAGE, tables
from app.metrics.roles import GROUPS, groups_of, registry_of

ROOT = Path(__file__).parents[2]
FAMILIES = [family for group in ALL for family in group]
NAME = re.compile(r"headrace_[a-z][a-z_]*[a-z]")
AN_ID = re.compile(r"(^|_)id$|execution|event_id|command|workflow|entity|user|owner|key")
# What may ask for metrics as such: those who serve them.
SERVES = {
    "app.services.operations.figures",
    "app.admin.state",
    "app.admin.api.health",
    "app.processes.vitals",
    "app.processes.worker_page",
    "app.processes.worker",
}


def sources() -> Iterator[tuple[str, ast.AST]]:
    """Yield the product's modules, parsed."""
    for package in ("app", "agents", "tables", "schemas"):
        for path in (ROOT / package).rglob("*.py"):
            yield ".".join(path.relative_to(ROOT).with_suffix("").parts), ast.parse(path.read_text())


def exported(role: str) -> set[str]:
    """What a role shows, by family; the counters' without their ending, as the client has them."""
    return {family.name for family in registry_of(role, action_type=["webhook"]).collect()}


def own(role: str) -> set[str]:
    """What is declared for a role."""
    return {family.name.removesuffix("_total") for group in groups_of(role) for family in group}


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_names_and_labels_follow_the_rules(family: Family) -> None:
    """A prefix, a unit where it has one, ``_total`` for counters alone, a meaning, and no label that is an id."""
    assert NAME.fullmatch(family.name)
    assert family.name.endswith("_total") == (family.kind == "counter")
    assert family.kind != "histogram" or family.name.endswith("_seconds")
    assert family.meaning[0].isupper() or family.meaning[0].isdigit()
    assert not family.meaning.endswith(".")
    assert not [label for label in family.labels if AN_ID.search(label)]
    assert all(values for values in family.labels.values()), "says which values it has, or what bounds them"


def test_every_family_is_declared_and_listed() -> None:
    """Nothing outside of ``app.metrics`` declares one, and each group of it is in the reference, once."""
    modules = [import_module(f"app.metrics.{one.name}") for one in pkgutil.iter_modules(app.metrics.__path__)]
    groups = [found for module in modules if isinstance(found := getattr(module, "FAMILIES", None), Families)]
    assert sorted(map(id, groups)) == sorted(map(id, ALL))
    assert len({family.name for family in FAMILIES}) == len(FAMILIES)
    importers = {
        module
        for module, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("prometheus_client")
    }
    assert {module for module in importers if not module.startswith("app.metrics.")} <= SERVES


@pytest.mark.parametrize("role", [*GROUPS, "executor-crm"])
def test_a_role_exports_its_own_families_and_the_processs(role: str) -> None:
    """A sink shows nothing of matchers; what every Python process shows stays."""
    found = exported(role)
    assert {name for name in found if name.startswith("headrace_")} == own(role)
    assert {"process_resident_memory_bytes", "python_gc_collections", "python_info"} <= found
    assert all(name.startswith(("headrace_", "process_", "python_")) for name in found)


def test_roles_share_only_what_they_all_run() -> None:
    """Of any two roles' components only those of workers, and of processes, are the same."""
    assert not own("sink") & {"headrace_events", "headrace_plans", "headrace_workflow_table_age_seconds"}
    assert not own("matcher") & {"headrace_actions", "headrace_breaker_state", "headrace_executions"}
    assert not own("scheduler") & {"headrace_consumer_lag", "headrace_actions"}


def test_what_is_counted_is_shown_from_the_start() -> None:
    """What has labels of known values has samples at 0, so that rate() sees the first increase."""
    registry = registry_of("executor-notification", action_type=["send_sms", "webhook"])
    shown = generate_latest(registry).decode()
    for sample in (
        'headrace_dead_letters_total{reason="invalid_command",role="executor-notification"}',
        'headrace_actions_total{action_type="webhook",outcome="failed"}',
        'headrace_step_seconds_count{action_type="send_sms"}',
        'headrace_walls_total{outcome="reached",what="step"}',
        "headrace_unexpected_duplicates_total",
    ):
        assert re.search(rf"^{re.escape(sample)} [0-9.]+$", shown, re.MULTILINE), sample
    assert "_created{" not in shown, "twice the samples, for no use of ours"


def test_the_reference_is_current() -> None:
    """`python -m app.metrics.reference` was run after the last change of a family."""
    assert PAGE.read_text().partition(MARK)[2] == tables(), "run `python -m app.metrics.reference`"


def test_every_reason_of_a_dead_letter_is_known() -> None:
    """The values of the label ``reason`` are those that the code gives."""
    constants: dict[str, str] = {}
    used: set[str] = set()
    for _, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.AnnAssign) and ast.unparse(node.target).isupper():
                constants.setdefault(ast.unparse(node.target), ast.unparse(node.value) if node.value else "")
            elif isinstance(node, ast.Call) and ast.unparse(node.func) in {"PoisonError", "PoisonError.naming"}:
                used.add(ast.unparse(node.args[0]))
    literal = {constants.get(one, one).strip("'") for one in used} - {"reason", "error.reason"}
    assert literal | {"not_json", "too_deep"} == set(REASONS)


def test_a_batch_is_observed_as_one_by_one() -> None:
    """Counts by bucket and the sum are the same, at the bounds too."""
    amounts = [0.0, 0.005, 0.0051, 0.25, 600.0, 601.0, 0.25]
    singly, together, repeated = (
        Histogram(f"test_{name}_seconds", "x", buckets=(0.005, 0.25, 600), registry=None)
        for name in ("singly", "together", "repeated")
    )
    for amount in amounts:
        singly.observe(amount)
        repeated.observe_times(amount, 1)
    together.observe_all(amounts)
    values = [
        [
            (sample.name.partition("_seconds")[2], sample.labels, sample.value)
            for family in one.collect()
            for sample in family.samples
        ]
        for one in (singly, together, repeated)
    ]
    assert values[0] == values[1] == values[2]


def test_a_reading_shows_what_there_is_when_it_is_asked() -> None:
    """What is gone has no sample any more; nothing is kept of it."""
    values: dict[tuple[str, ...], float] = {("a",): 1.0}
    reading = Reading("test_reading", "x", ("name",))
    registry = CollectorRegistry()
    registry.register(reading)
    assert registry.get_sample_value("test_reading", {"name": "a"}) is None
    reading.watch(lambda: values)
    assert registry.get_sample_value("test_reading", {"name": "a"}) == 1.0
    values.clear()
    assert registry.get_sample_value("test_reading", {"name": "a"}) is None
