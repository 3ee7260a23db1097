"""Workflows in files: what is no workflow is named with its file and line, and costs no more than it is long."""

import time
from pathlib import Path

import pytest

from app.commands.workflow_files import WrongFilesError, read_documents
from tests.support.deadlines import scaled

_BOMB = "a: &a [x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 8)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


def _wrong(tmp_path: Path, text: str, name: str = "one.yaml") -> str:
    file = tmp_path / name
    file.write_text(text)
    with pytest.raises(WrongFilesError) as refused:
        read_documents([file])
    assert refused.value.exit_code == 2
    return str(refused.value).replace(f"{tmp_path}/", "")


@pytest.mark.parametrize("text", [_BOMB, f"{_BOMB}? *h\n: x\n"], ids=["as values", "as a key"])
def test_aliases_multiply_no_further(tmp_path: Path, text: str) -> None:
    """Three hundred bytes that stand for 134 million values are refused at once."""
    started = time.monotonic()
    assert "one.yaml:" in (said := _wrong(tmp_path, text))
    assert "aliases" in said
    assert time.monotonic() - started < scaled(5)


def test_aliases_that_repeat_a_little_are_taken(tmp_path: Path) -> None:
    """As people write them."""
    (tmp_path / "one.yaml").write_text("name: &n Hello\ndescription: *n\n")
    (found,) = read_documents([tmp_path / "one.yaml"])
    assert found.value == {"name": "Hello", "description": "Hello"}


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("flow.yaml", "\nname: " + "[" * 20_000, 2),
        ("closed.yaml", "name:\n  " + "[" * 20_000 + "]" * 20_000, 2),
        ("maps.yaml", "\n".join(f"{' ' * n}a:" for n in range(2000)), 101),
        ("self.yaml", "name: x\ntrigger: &t [*t, *t]\n", 2),
        ("deep.json", '{"name":\n' + "[" * 100_000, 2),
        ("deep.jsonl", '{"name": "x"}\n{"name": ' + "[" * 100_000 + "\n", 2),
        ("array", "[" * 100_000, 1),
    ],
)
def test_what_nests_too_deeply_is_named_with_its_line(tmp_path: Path, name: str, text: str, line: int) -> None:
    """YAML or JSON, closed or not, and what holds itself."""
    said = _wrong(tmp_path, text, name)
    assert f"{name}:{line}: nests deeper than 100" in said


@pytest.mark.parametrize(
    ("text", "line"),
    [('name: x\nb: "\\UFFFFFFFF"\n', 2), ("name: x\nb: \x07\n", 2), ("{\n" + '"a": ' + "9" * 5000 + "}", 2)],
    ids=["no character", "a bell", "a number of 5,000 digits"],
)
def test_what_cannot_be_read_is_named_with_its_line(tmp_path: Path, text: str, line: int) -> None:
    """Whatever the reader of YAML or JSON trips over."""
    assert f"one.yaml:{line}: " in _wrong(tmp_path, text)
