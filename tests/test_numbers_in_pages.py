"""A number that a page gives for a setting, as in `HEADRACE_EVENTS_PER_MINUTE` (60,000), is the setting's default."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from app.settings import Settings
from app.settings.reference import default, unit, variable

ROOT: Final = Path(__file__).parent.parent
PAGES: Final = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
SAID: Final = re.compile(r"`(?P<name>[A-Z][A-Z0-9_]+)`\s+\((?P<number>\d[\d,]*)(?![\d.])\s*(?P<unit>[a-z]*)")
SECONDS: Final = {"ms": 0.001, "s": 1, "days": 86_400}
DEFAULTS: Final = {
    variable(name, field): (default(name, field), unit(name, field)) for name, field in Settings.model_fields.items()
}


def said() -> Iterator[tuple[str, str, str, str]]:
    """Each number in brackets behind a setting whose default is one: page, setting, number, and the unit, if any."""
    for page in PAGES:
        for one in SAID.finditer(page.read_text()):
            number = DEFAULTS.get(one["name"], ("", ""))[0].strip("`")
            if number.replace(".", "", 1).isdigit():
                yield page.name, one["name"], one["number"].replace(",", ""), one["unit"]


@pytest.mark.parametrize(("page", "name", "number", "of"), sorted(set(said())))
def test_a_page_says_the_default(page: str, name: str, number: str, of: str) -> None:
    """In the setting's own unit, or in another of time."""
    there, own = DEFAULTS[name]
    assert float(number) * SECONDS.get(of, SECONDS.get(own, 1)) == pytest.approx(
        float(there.strip("`")) * SECONDS.get(own, 1)
    ), f"docs: {page} says {number} {of}, the default is {there} {own}"


def test_what_one_person_may_take_is_told_with_its_settings() -> None:
    """The page on security gives the quotas under their settings' names, so that the numbers are looked at above."""
    told = {name for page, name, _, _ in said() if page == "security.md"}
    assert told >= {
        "RATE_LIMIT_PER_MINUTE",
        "HEADRACE_WORKFLOWS_PER_USER",
        "HEADRACE_ACTIVE_PER_TRIGGER",
        "HEADRACE_EXECUTIONS_PER_MINUTE",
        "HEADRACE_EVENTS_PER_MINUTE",
        "HEADRACE_FAILED_TOKENS_PER_MINUTE",
    }
