"""What ``headrace up`` writes down about itself, and how other commands find it."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from app.processes.home import read_json, write_json

_SHOWN = (
    "api_url",
    "kafka",
    "database_url",
    "admin_token",
    "smtp",
    "pid",
    "mail_url",
    "receiver_url",
    "messages_url",
    "pages",
    "roles",
    "ready",
)


def state_file(home: Path) -> Path:
    """Return the file that a running ``headrace up`` keeps current."""
    return home / "up.json"


def write_state(home: Path, facts: dict[str, Any]) -> None:
    """Write the state of this process, the supervisor."""
    created = psutil.Process().create_time()
    write_json(state_file(home), {**facts, "pid": os.getpid(), "created": created})


def running_state(home: Path) -> dict[str, Any] | None:
    """Return the state while the very process that wrote it lives; else None."""
    state = read_json(state_file(home))
    with suppress(psutil.NoSuchProcess, KeyError, TypeError, ValueError):
        if abs(psutil.Process(int(state["pid"])).create_time() - float(state["created"])) < 1:
            return state
    return None


def shown(state: dict[str, Any]) -> dict[str, Any]:
    """Return what ``headrace dev info`` prints of a state."""
    return {key: state[key] for key in _SHOWN if key in state}


def adopt_environment(home: Path, process: str | None = None) -> None:
    """Let this process's commands reach what runs here: fill in the variables that are not set.

    Args:
        home: The clone's data folder.
        process: The role that this is, which logs in to the database as its own user; else it is the owner.
    """
    state = running_state(home) or {}
    own = state.get("database_urls", {}).get(process)
    for name, value in {**state.get("environment", {}), **({"DATABASE_URL": own} if own else {})}.items():
        os.environ.setdefault(name, str(value))
