"""What is logged of a record, a command, an execution or a workflow names it, in a field of its own (docs/logs.md)."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# Where records are worked on.
FOLDERS = ("agents", "tables", "app/execution", "app/services", "app/adapters/kafka", "app/adapters/postgres")
LEVELS = frozenset({"debug", "info", "warning", "error", "exception", "critical", "log"})
LOGGERS = frozenset({"log", "logger", "_LOG", "_log", "LOG", "_logger"})
IDS = (
    "execution_id",
    "event_id",
    "workflow_id",
    "command_id",
    "outbox_id",
    "'topic'",
    "of_record",
    "of_event",
    "of_command",
    "of_value",
)
# Lines about the process as a whole, and why they name nothing.
OF_THE_PROCESS = {
    "app/adapters/postgres/identities.py:_give_role": "a user who signs in, by their id: no record of theirs",
    "app/services/operations/following.py:_look_on": "one look serves all who follow",
    "app/services/operations/queue_watch.py:_look_on": "one look serves all who follow",
    "app/services/operations/event_types.py:_looked": "one look serves all who ask",
    "app/adapters/kafka/consumer.py:wait_empty": "how many records are unfinished as the worker ends",
    "app/adapters/kafka/consumer.py:_review_budget": "a partition, not a record of it: the fetcher's memory",
    "app/adapters/kafka/crash_guard.py:let_go": "the end of the process's hold on all of its partitions",
    "app/adapters/kafka/crash_guard.py:hold": "Postgres, asked when partitions are assigned",
    "app/adapters/kafka/permissions.py:denied": "what a role may do on Kafka, asked at its start",
    "app/adapters/kafka/producer.py:_renew": "a producer, which serves all records of the process",
    "app/adapters/kafka/watchdog.py:end_process": "the process ends; the reason names topic and partition",
    "app/services/operations/shared_clock.py:_compare": "this machine's clock, by which all records here are judged",
    "app/adapters/postgres/database_roles.py:check_login": "the database's user",
    "app/adapters/postgres/log_partitions.py:_say": "days of the log",
    "app/adapters/postgres/api_engine.py:_refused": "the request around it, whose id is added by itself",
    "app/execution/breakers.py:see": "a destination's breaker",
    "app/execution/breakers.py:_say": "a destination's breaker, and its owner",
    "app/services/operations/alerts.py:_say": "an alert",
    "app/services/operations/alerts.py:_tell": "a channel of alerts",
    "app/services/operations/background.py:note": "what its caller names",
    "app/services/operations/background.py:note_failure": "what its caller names",
    "app/services/operations/background.py:keep_running": "a background task as a whole",
    "app/services/operations/outages.py:failed": "an outage",
    "app/services/operations/outages.py:served": "an outage",
    "app/services/operations/outages.py:said_to_lead": "a duty of the scheduler",
    "app/services/scheduling/periodic_tasks.py:_round": "a periodic task as a whole",
    "tables/workflows.py:on_recovery_completed": "the whole table",
}


@dataclass(frozen=True)
class Said:
    """A call that writes a line, and the functions around it, outermost first."""

    file: str
    call: ast.Call
    within: tuple[ast.FunctionDef | ast.AsyncFunctionDef, ...]
    module: ast.Module

    @property
    def place(self) -> str:
        """Where it is said: file and function."""
        return f"{self.file}:{self.within[-1].name if self.within else ''}"

    def names_something(self) -> bool:
        """Tell whether an id is among its fields, or the function says what it is about."""
        if any("about(" in ast.unparse(function) for function in self.within):
            return True
        given = [word.value for word in self.call.keywords if word.arg in {"extra", None}]
        own = [word.arg or "" for word in self.call.keywords]
        return any(one in IDS for one in own) or any(self._has_id(node, 0) for node in given)

    def _has_id(self, node: ast.expr, depth: int) -> bool:
        if any(one in ast.unparse(node) for one in IDS):
            return True
        named = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
        named |= {one.attr for one in ast.walk(node) if isinstance(one, ast.Attribute)}
        return depth < 3 and any(self._has_id(value, depth + 1) for value in self._meaning(named))

    def _meaning(self, names: set[str]) -> Iterator[ast.expr]:
        """Yield what names stand for: what is assigned to them around the call, what functions of the module return."""
        for function in self.within:
            for node in ast.walk(function):
                if isinstance(node, ast.Assign) and any(ast.unparse(to) in names for to in node.targets):
                    yield node.value
        for node in ast.walk(self.module):
            if isinstance(node, ast.FunctionDef) and node.name in names:
                yield from (one.value for one in ast.walk(node) if isinstance(one, ast.Return) and one.value)


def writes_a_line(call: ast.Call) -> bool:
    """Tell whether a call writes to the log: of a logger, or by ``note_failure``."""
    called = call.func
    if isinstance(called, ast.Name):
        return called.id == "note_failure"
    if not isinstance(called, ast.Attribute) or called.attr not in LEVELS | {"note"}:
        return False
    of = ast.unparse(called.value).removeprefix("self.")
    return of in {"failures", "PROCESS"} if called.attr == "note" else of in LOGGERS


def lines_said(tree: ast.Module, file: str) -> Iterator[Said]:
    """Yield every call of a module that writes a line."""

    def walk(node: ast.AST, within: tuple[ast.FunctionDef | ast.AsyncFunctionDef, ...]) -> Iterator[Said]:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            within = (*within, node)
        if isinstance(node, ast.Call) and writes_a_line(node):
            yield Said(file, node, within, tree)
        for child in ast.iter_child_nodes(node):
            yield from walk(child, within)

    yield from walk(tree, ())


def all_lines() -> list[Said]:
    """Return every line that is written where records are worked on."""
    files = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
    return [
        said for path in files for said in lines_said(ast.parse(path.read_text()), path.relative_to(ROOT).as_posix())
    ]


def test_every_line_names_what_it_is_about() -> None:
    """By a field; or it is about the process as a whole, and stands in the list above with the reason."""
    nameless = {said.place for said in all_lines() if not said.names_something()}
    assert nameless - OF_THE_PROCESS.keys() == set()


def test_the_list_of_lines_about_the_process_is_current() -> None:
    """What is not said any more does not stand in it."""
    assert OF_THE_PROCESS.keys() - {said.place for said in all_lines()} == set()


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ("log.error('failed')", False),
        ("log.error('failed', extra={'why': 'x'})", False),
        ("log.error('failed %s', record.topic)", False),
        ("log.error('failed', extra={'execution_id': 1})", True),
        ("said = {'why': 1, **of_record(record)}\n    log.error('failed', extra=said)", True),
        ("note_failure('records', error)", False),
        ("note_failure('records', error, workflow_id=1)", True),
        ("note_failure('records', error, **of_record(record))", True),
        ("about(of_record, record)\n    log.error('failed')", True),
        ("self.log.warning('failed')", False),
    ],
)
def test_this_check_sees_a_line_without_ids(body: str, names: bool) -> None:  # noqa: FBT001 - a table of cases
    """Of each way to say something, with and without them."""
    (said,) = lines_said(ast.parse(f"def f(record, error):\n    {body}\n"), "x.py")
    assert said.names_something() is names
