"""Writes the report of a run into its folder."""

import json
import os
from pathlib import Path
from typing import Final

from app.processes.home import open_private
from app.services.proving.page import page
from app.services.proving.report import Report

JSON_FILE: Final = "report.json"
PAGE_FILE: Final = "index.html"


def write(folder: Path, report: Report) -> Path:
    """Write it, for its owner alone, and return where the page is."""
    _write(folder / JSON_FILE, f"{json.dumps(report.as_json(), indent=2)}\n")
    _write(folder / PAGE_FILE, page(report))
    return folder / PAGE_FILE


def _write(path: Path, text: str) -> None:
    with os.fdopen(open_private(path, os.O_TRUNC), "w", encoding="utf-8") as file:
        file.write(text)
