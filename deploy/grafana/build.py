"""Writes the dashboards' JSON: ``python -m deploy.grafana.build``."""

import json
from pathlib import Path
from typing import Final

from deploy.grafana.boards import BOARDS
from deploy.grafana.model import document

FOLDER: Final = Path(__file__).with_name("dashboards")


def files() -> dict[Path, str]:
    """Return every file, by its path."""
    return {FOLDER / f"{board.uid}.json": json.dumps(document(board), indent=1) + "\n" for board in BOARDS}


if __name__ == "__main__":
    for path, text in files().items():
        path.write_text(text)
