"""Going back: a migration only adds, so that the version before it runs on the new schema (docs/upgrading.md)."""

import ast
import re
from pathlib import Path
from typing import Final

import pytest

from tests.deployment.compose import ROOT

# The first that is held to it; what came before was contracted before there was a version to go back to.
_FIRST: Final = 47
_TAKES_AWAY: Final = re.compile(
    r"\b(?:DROP\s+(?:TABLE|COLUMN|FUNCTION|VIEW|SCHEMA|TYPE|CONSTRAINT)|RENAME\s+(?:TO|COLUMN)|SET\s+NOT\s+NULL"
    r"|ALTER\s+COLUMN\s+\w+\s+TYPE|REVOKE\b[^;]*\bFROM\s+(?:authenticated|headrace_\w+))",
    re.IGNORECASE,
)
_BODY: Final = re.compile(r"(\$\w*\$).*?\1", re.DOTALL)
MIGRATIONS: Final = [
    path for path in sorted((ROOT / "deploy/migrations/versions").glob("0*.py")) if int(path.name[:4]) >= _FIRST
]


def statements(source: str) -> list[str]:
    """Return the texts of a migration, but for those of its way back and the bodies of functions that it makes."""
    tree = ast.parse(source)
    tree.body = [node for node in tree.body if not (isinstance(node, ast.FunctionDef) and node.name == "downgrade")]
    texts = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))
    return [_BODY.sub("", text) for text in texts]


@pytest.mark.parametrize("path", MIGRATIONS, ids=lambda path: path.stem)
def test_a_migration_takes_nothing_from_the_version_before(path: Path) -> None:
    """Nothing is dropped, renamed, made narrower or revoked from a role: that is a later version's first migration."""
    taken = [found[0] for text in statements(path.read_text()) for found in _TAKES_AWAY.finditer(text)]
    assert not taken


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE timers DROP COLUMN owner",
        "ALTER TABLE timers RENAME COLUMN due TO at",
        "ALTER TABLE timers ALTER COLUMN due SET NOT NULL",
        "REVOKE SELECT (command_id), INSERT ON timers FROM headrace_matcher",
        "DROP FUNCTION headrace_take_turn(text)",
    ],
)
def test_what_takes_away_is_seen(statement: str) -> None:
    """The check sees each kind of it going forward, and none of it in the way back."""
    assert _TAKES_AWAY.search(statement)
    assert statements(f"def upgrade():\n    op.execute({statement!r})\n") == [statement]
    assert statements(f"def downgrade():\n    op.execute({statement!r})\n") == []


def test_what_a_function_does_later_is_not_taken_by_the_migration() -> None:
    """The body of a function runs when the function is called; what stands beside it counts."""
    made = "CREATE FUNCTION f() RETURNS void AS $body$ DROP TABLE old $body$ LANGUAGE sql; DROP TABLE gone"
    (left,) = statements(f"def upgrade():\n    op.execute({made!r})\n")
    assert [found[0] for found in _TAKES_AWAY.finditer(left)] == ["DROP TABLE"]
