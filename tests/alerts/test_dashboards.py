"""Grafana's dashboards as they ship: complete, and of metrics that there are; ``make observe`` tries every query."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from app.metrics.roles import GROUPS
from deploy.grafana.boards import BOARDS
from deploy.grafana.build import FOLDER, files
from deploy.grafana.model import POSTGRES, PROMETHEUS

PROVISIONING = Path(__file__).parents[2] / "deploy/grafana/provisioning"
FILES = sorted(FOLDER.glob("*.json"))
# Grafana's names of units that the panels use (@grafana/data, valueFormats).
UNITS = {"short", "percentunit", "s", "ms", "ops", "reqps", "bytes", "dateTimeAsIso"}


def board(path: Path) -> dict[str, Any]:
    """Return a dashboard."""
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def exported() -> set[str]:
    """Return the name of every sample that some role exports, beside those of a process and of Prometheus itself."""
    names = {"up", "process_resident_memory_bytes", "process_cpu_seconds_total"}
    for groups in GROUPS.values():
        for group in groups:
            for family in group:
                names |= {family.name, f"{family.name}_bucket"}
    return names


def test_the_files_are_what_the_panels_say() -> None:
    """They are written from deploy/grafana/boards.py, and there is no other."""
    assert {path: path.read_text() for path in FILES} == files(), "run python -m deploy.grafana.build"
    assert {path.stem for path in FILES} == {one.uid for one in BOARDS}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_panel_says_what_it_shows(path: Path) -> None:
    """Title, unit, description, a place of its own, and queries of one of the two sources that are provisioned."""
    found = board(path)
    assert found["schemaVersion"] >= 39
    assert found["title"].startswith("Headrace: ")
    places: set[tuple[int, int]] = set()
    for panel in found["panels"]:
        assert panel["title"]
        assert panel["description"].endswith(".")
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
        assert panel["datasource"] in (PROMETHEUS, POSTGRES)
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & places
        assert place["x"] + place["w"] <= 24
        places |= cells
        assert [target["refId"] for target in panel["targets"]] == ["A", "B", "C"][: len(panel["targets"])]
        assert all(target["datasource"] == panel["datasource"] for target in panel["targets"])
    assert len({panel["title"] for panel in found["panels"]}) == len(found["panels"])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_metric_is_one_that_is_exported(path: Path) -> None:
    """A panel of a metric that has another name shows nothing, and nobody is told."""
    queries = [target.get("expr", "") for panel in board(path)["panels"] for target in panel["targets"]]
    asked = set(re.findall(r"\b(?:headrace|process)_[a-z_]+\b", " ".join(queries)))
    assert asked <= exported()


def test_both_sources_are_provisioned() -> None:
    """Under the ids that the panels name; the password is the environment's."""
    text = (PROVISIONING / "datasources/headrace.yml").read_text()
    for source in (PROMETHEUS, POSTGRES):
        assert f"uid: {source['uid']}\n    type: {source['type']}\n" in text
    assert "password: ${HEADRACE_DATABASE_PASSWORD_DASHBOARDS}" in text
    assert "path: /etc/grafana/dashboards" in (PROVISIONING / "dashboards/headrace.yml").read_text()
