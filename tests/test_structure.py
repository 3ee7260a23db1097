"""The layout tells the truth: imports point one way, functions fit a screen, files hold one idea (DESIGN 9, 10)."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("app", "agents", "tables", "schemas")
MAX_FUNCTION_LINES = 40
MAX_FILE_LINES = 300

# What each layer may import of ours; the longest matching prefix decides. ``app.processes.roles`` is where ports meet
# adapters.
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "app.domain": ("app.domain",),
    "schemas": ("schemas", "app.domain"),
    "app.ports": ("app.ports", "app.domain", "schemas"),
    "app.settings": ("app.domain",),
    "app.topics": ("app.settings", "schemas"),
    "app.processes.lifespan": (),
    "app.processes.logs": ("app.domain",),
    "app.actions": ("app.actions", "app.domain", "app.ports", "schemas"),
    "app.services": ("app.services", "app.actions", "app.domain", "app.ports", "app.settings", "app.topics", "schemas"),
    "app.adapters": (
        "app.adapters",
        "app.actions.answers",
        "app.services",
        "app.domain",
        "app.ports",
        "app.settings",
        "app.topics",
        "schemas",
        "deploy",
    ),
    "app.systems": (
        "app.systems",
        "app.adapters.postgres",
        "app.services",
        "app.domain",
        "app.ports",
        "app.topics",
        "schemas",
    ),
    "agents": (
        "agents",
        "app.execution",
        "app.adapters.kafka.batches",
        "app.adapters.kafka.messages",
        "app.services",
        "app.actions",
        "app.domain",
        "app.ports",
        "app.topics",
        "schemas",
    ),
    "tables": ("tables", "app.services", "app.domain", "schemas"),
}
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
