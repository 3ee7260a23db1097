"""The layout tells the truth: imports, sizes of functions and files, where ports stand (docs/design.md#14-layers)."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("app", "agents", "tables", "schemas")
MAX_FUNCTION_LINES = 40
MAX_FILE_LINES = 300

# What each layer may import of ours; the longest matching prefix decides. ``app.processes`` is where ports meet
# adapters.
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "app.domain": ("app.domain",),
    "schemas": ("schemas", "app.domain"),
    "app.ports": ("app.ports", "app.domain", "schemas"),
    "app.settings": ("app.settings", "app.domain"),
    "app.metrics": ("app.metrics",),
    "app.topics": ("app.settings", "schemas"),
    "app.processes.lifespan": (),
    "app.processes.blotting": ("app.domain",),
    "app.processes.log_values": (),
    "app.processes.structlog_alone": (),
    "app.processes.log_lines": (
        "app.domain",
        "app.processes.blotting",
        "app.processes.log_values",
        "app.processes.structlog_alone",
    ),
    "app.processes.logs": (
        "app.domain",
        "app.processes.blotting",
        "app.processes.log_lines",
        "app.processes.structlog_alone",
        "app.settings",
    ),
    "app.actions": ("app.actions", "app.domain", "app.ports", "schemas"),
    "app.services": (
        "app.services",
        "app.actions",
        "app.domain",
        "app.metrics",
        "app.ports",
        "app.settings",
        "app.topics",
        "schemas",
    ),
    "app.execution": (
        "app.execution",
        "app.services",
        "app.actions",
        "app.domain",
        "app.metrics",
        "app.ports",
        "app.topics",
        "schemas",
    ),
    "agents": (
        "agents",
        "app.execution",
        "app.ports",
        "schemas",
    ),
    "tables": ("tables", "app.adapters.kafka.faust_parts", "app.services", "app.domain", "app.metrics", "schemas"),
    "app.systems": ("app.systems", "app.domain", "app.ports", "schemas"),
    "app.admin": (
        "app.admin",
        "app.systems",
        "app.services",
        "app.actions",
        "app.domain",
        "app.metrics",
        "app.ports",
        "app.settings",
        "app.topics",
        "schemas",
    ),
    # What they import of the services is bounds, and what is done about an event, a failed task, an
    # outage: no use case.
    "app.adapters": (
        "app.adapters",
        "app.services.delivery",
        "app.services.ingest.announcer",
        "app.services.operations.background",
        "app.services.operations.outages",
        "app.domain",
        "app.metrics",
        "app.ports",
        "app.settings",
        "app.topics",
        "schemas",
        "deploy",
    ),
    "app.adapters.http.crm": ("app.actions.answers", "app.domain", "app.ports"),
}
# `headrace up` starts the embedded default. The command line loads it by name, so no other command comes by it.
EMBEDS = {"app.commands.up", "app.commands.up_run"}
# Where an interface is a port, and stands in app/ports: what is on both of its sides is ours, or it is an inner one of
# pure code (app/domain, app/actions) or of one adapter.
NO_PORTS_IN = ("agents", "tables", "app.execution", "app.services", "app.systems", "app.admin", "app.processes")
OURS = ("app", "agents", "tables", "schemas", "deploy", "tests")


def sources() -> Iterator[Path]:
    """Yield every source file of the product."""
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


def module_name(path: Path) -> str:
    """Return the dotted name of a source file."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> Iterator[str]:
    """Yield every module that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def within(name: str, prefixes: tuple[str, ...]) -> bool:
    """Tell whether a dotted name is one of ``prefixes`` or below one."""
    return any(name == prefix or name.startswith(f"{prefix}.") for prefix in prefixes)


def rule_for(module: str) -> tuple[str, ...] | None:
    """Return what a module may import of ours; None where it may import anything."""
    layers = [layer for layer in MAY_IMPORT if within(module, (layer,))]
    return MAY_IMPORT[max(layers, key=len)] if layers else None


@pytest.mark.parametrize("path", list(sources()), ids=module_name)
def test_imports_point_one_way(path: Path) -> None:
    """No layer imports one above it, and nothing of the product imports its tests."""
    module = module_name(path)
    ours = [name for name in imports(path) if within(name, OURS)]
    assert not [name for name in ours if within(name, ("tests",))]
    allowed = rule_for(module)
    if allowed is not None:
        assert not [name for name in ours if not within(name, allowed)]


def test_the_domain_needs_the_standard_library_only() -> None:
    """Pure rules have no dependencies, but for Jinja2 in templating."""
    foreign = {
        f"{module_name(path)} imports {name}"
        for path in (ROOT / "app/domain").rglob("*.py")
        for name in imports(path)
        if name.partition(".")[0] not in sys.stdlib_module_names | {"app", "jinja2", "markupsafe"}
    }
    assert not foreign


@pytest.mark.parametrize("path", list(sources()), ids=module_name)
def test_functions_fit_a_screen_and_files_hold_one_idea(path: Path) -> None:
    """A function has at most 40 lines, a file at most 300, and its docstring says what it is for."""
    text = path.read_text()
    tree = ast.parse(text)
    assert ast.get_docstring(tree), "no module docstring"
    assert text.count("\n") <= MAX_FILE_LINES
    long = [
        f"{node.name}: {node.end_lineno - node.lineno + 1} lines"
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > MAX_FUNCTION_LINES
    ]
    assert not long


def importers(package: str) -> set[str]:
    """Return the modules outside of a package that import something of it."""
    return {
        module_name(path)
        for path in sources()
        if not within(module_name(path), (package,)) and any(within(name, (package,)) for name in imports(path))
    }


def test_nothing_imports_the_agents_but_the_roles() -> None:
    """Agents are how a stream is read and acked; what others want of one stands in app/execution."""
    roles = {f"app.processes.roles.{name}" for name in ("matcher", "executor", "sink", "sources")}
    assert importers("agents") == {*roles, "app.processes.worker"}


def test_faust_is_imported_in_one_place() -> None:
    """It would bring in what no worker calls; that place keeps it out."""
    from_faust = {
        module_name(path) for path in sources() if any(within(name, ("faust", "mode")) for name in imports(path))
    }
    assert from_faust == {"app.adapters.kafka.faust_parts"}


def test_services_stand_in_folders() -> None:
    """Each service is in the folder of its use case."""
    assert [path.name for path in (ROOT / "app/services").glob("*.py")] == ["__init__.py"]


def test_production_does_not_import_the_embedded_default() -> None:
    """Only `headrace up` does, and nothing imports that: the command line finds it by its name."""
    assert importers("app.embedded") == EMBEDS
    assert not importers("app.commands.up")
    assert importers("app.commands.up_run") == {"app.commands.up"}


def test_ports_stand_in_one_place() -> None:
    """A Protocol that has a use case on one side stands in app/ports."""
    elsewhere = {
        f"{module_name(path)}.{node.name}"
        for path in sources()
        if within(module_name(path), NO_PORTS_IN)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef) and any(ast.unparse(base).startswith("Protocol") for base in node.bases)
    }
    assert not elsewhere
