"""docs/settings.md: every setting, with its unit, default, meaning, and who really reads it."""

from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from app.processes.vitals import vitals_of
from app.processes.worker import build_role
from app.settings import Settings
from app.settings.readers import Entry, Readers, derived_fields
from app.settings.reference import PAGE, UNITS, groups, page, readers, unit, variable

FIELDS = Settings.model_fields
SAMPLE = {
    "a.py": "from b import open_it\ndef run(role: str, settings: Settings):\n    settings.first\n"
    "    if role == 'sink':\n        return settings.for_sink\n    open_it(settings)\n    open_other(settings)\n"
    "def unused(settings: Settings):\n    settings.nobodys\n",
    "b.py": "def open_it(settings: Settings):\n    return settings.both\n",
    "c.py": "def open_it(settings: Settings):\n    return settings.of_another_module\n"
    "def open_other(settings: Settings):\n    return settings.not_imported\n",
}


def test_the_page_is_current() -> None:
    """`make settings` was run after the last change of a setting or of who reads it."""
    assert PAGE.read_text() == page(), "run `make settings`"


@pytest.mark.parametrize("name", FIELDS)
def test_every_setting_says_what_it_is(name: str) -> None:
    """A description of its own, and a unit where it is a number."""
    assert FIELDS[name].description, "no description"
    assert unit(name, FIELDS[name]), (
        "a number without a unit: its name ends with one, or app.settings.reference.UNITS says it"
    )


def test_every_setting_stands_on_the_page_once() -> None:
    """Each belongs to one group; units are given for settings that there are."""
    assert sorted(name for _, own in groups() for name in own) == sorted(FIELDS)
    assert UNITS.keys() <= FIELDS.keys()
    assert len({variable(name, field) for name, field in FIELDS.items()}) == len(FIELDS)


def test_no_setting_is_read_by_nobody() -> None:
    """An option that does nothing is none."""
    assert {name for name, who in readers().items() if not who} == set()


@pytest.mark.parametrize(
    ("name", "who", "nobody"),
    [
        ("run_budget", {"matcher"}, {"sink", "executor", "admin", "scheduler"}),
        ("smtp_password", {"executor"}, {"matcher", "sink", "scheduler"}),
        ("jwt_secret", {"admin", "`headrace token`"}, {"matcher", "sink", "scheduler", "executor"}),
        ("log_retention_days", {"scheduler", "admin"}, {"matcher", "sink"}),
        ("kafka_sasl_password", {"matcher", "sink", "executor", "scheduler", "admin", "sources"}, set()),
    ],
)
def test_who_reads_what_is_known_to(name: str, who: set[str], nobody: set[str]) -> None:
    """Settings whose readers are plain from what they are for."""
    found = readers()[name]
    assert who <= found
    assert not nobody & found


def test_readers_are_those_on_the_way() -> None:
    """What an entry names and hands the settings to, by the import it names; of a role's branch only its own."""
    found = Readers(SAMPLE, {})
    assert found.of("sink", [Entry("a.py", "run")]) == {"first", "for_sink"}
    assert found.of("matcher", [Entry("a.py", "run")]) == {"first", "both"}
    assert found.of("x", [Entry("a.py")]) == {"first", "both", "nobodys"}


def test_a_property_is_read_as_what_it_is_made_of() -> None:
    """Also over other properties, and methods of its own."""
    text = "class A:\n  def both(self):\n    return self.one + self._more()\n  def _more(self):\n    return self.two\n"
    assert derived_fields([text], ["one", "two", "three"])["both"] == {"one", "two"}


READ: set[str] = set()


class Watched(Settings):
    """Settings that note which of them are read."""

    def __getattribute__(self, name: str) -> Any:
        """Note a field that is read."""
        if name in FIELDS:
            READ.add(name)
        return super().__getattribute__(name)


@pytest.mark.parametrize("role", ["matcher", "executor-crm", "sink"])
def test_what_a_role_reads_as_it_is_built_is_known(role: str, tmp_path: Path) -> None:
    """The source tells what really happens: no setting is read at run time that the page does not name the role for."""
    settings = Watched(data_dir=tmp_path)
    READ.clear()
    build_role(role, settings, vitals_of(role, settings, CollectorRegistry()))
    known = {name for name, who in readers().items() if role.partition("-")[0] in who}
    assert {"topic_prefix", "instance", "data_dir"} <= READ
    assert READ - known == set()
