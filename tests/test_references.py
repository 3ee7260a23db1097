"""What comments, docstrings and pages refer to is in the repository, under the heading that they name."""

import ast
import io
import re
import subprocess
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

ROOT = Path(__file__).parent.parent
# Papers that the code was written after, and that are not part of it; and what came out of them in so many words.
ELSEWHERE: Final = re.compile(r"\b(?:DESIGN|PAGES|JOURNEYS)(?:\.md)?\b|\bissues? #?[0-9]+\b")
# Not part of a longer address, which is another site's; a sentence's full stop is none of the name's.
PAGE: Final = re.compile(r"(?<![\w/.])docs/[\w/-]+\.md(?:#[\w-]+)?")
LINK: Final = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([\w-]+))?\)")
# A file or folder of ours, as pages name it; with a <placeholder> or a star it is none in particular.
PATH: Final = re.compile(r"`((?:agents|app|deploy|docs|schemas|tables|tests)/[\w/.-]+)`")
FENCE: Final = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
HEADING: Final = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)


def listed(*patterns: str) -> list[str]:
    """Return the repository's files of some kinds, also those that are not committed yet."""
    command = ("git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns)
    return [name for name in subprocess.check_output(command, cwd=ROOT, text=True).split() if (ROOT / name).exists()]  # noqa: S603


def remarks(source: str) -> Iterator[str]:
    """Yield the comments and the docstrings of a Python source."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield ast.get_docstring(node, clean=False) or ""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.string


@cache
def anchors(page: Path) -> frozenset[str]:
    """Return the anchors of a page's headings, as GitHub makes them; none where there is no such page."""
    text = FENCE.sub("", page.read_text()) if page.is_file() else ""
    return frozenset(re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in HEADING.findall(text))


def broken(page: Path, anchor: str) -> bool:
    """Tell whether a reference leads nowhere."""
    return not page.exists() or (bool(anchor) and anchor not in anchors(page))


def dangling(source: str) -> list[str]:
    """Return what the remarks of a source refer to that is not there."""
    text = "\n".join(remarks(source))
    pages = [name for name in PAGE.findall(text) if broken(ROOT / name.partition("#")[0], name.partition("#")[2])]
    return [*ELSEWHERE.findall(text), *pages]


@pytest.mark.parametrize("name", listed("*.py"))
def test_remarks_refer_to_what_is_in_the_repository(name: str) -> None:
    """No comment or docstring cites a paper from elsewhere, a page that is not there, or a heading that it has not."""
    assert not dangling((ROOT / name).read_text())


@pytest.mark.parametrize("name", listed("*.md"))
def test_links_between_pages_lead_somewhere(name: str) -> None:
    """A page links to files and headings that exist, and cites no paper from elsewhere."""
    page = ROOT / name
    text = FENCE.sub("", page.read_text())
    links = [
        f"{target}#{anchor}"
        for target, anchor in LINK.findall(text)
        if broken((page.parent / target).resolve() if target else page, anchor)
    ]
    assert not links
    assert not ELSEWHERE.findall(text)


@pytest.mark.parametrize("name", [name for name in listed("*.md") if name != "CHANGELOG.md"])
def test_pages_name_files_that_there_are(name: str) -> None:
    """A file or folder that a page names exists; what has changed of late may name what is gone."""
    assert not [path for path in PATH.findall((ROOT / name).read_text()) if not (ROOT / path).exists()]


@pytest.mark.parametrize(
    "remark",
    ["# as DESIGN 4 says", '"""A claim (issue 3, 7)."""', "# docs/nowhere.md", "# docs/design.md#99-nothing"],
)
def test_a_reference_that_leads_nowhere_is_found(remark: str) -> None:
    """The check sees each kind of it, and only in remarks."""
    assert dangling(f"{remark}\n")
    assert not dangling(f"'''A module.'''\nname = {remark!r}\n")
    assert not dangling("# docs/design.md#4-receipts, and https://example.org/docs/nowhere.md.\n")
