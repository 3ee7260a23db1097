"""``headrace dev``: what runs here, for people and scripts."""

import json
import re
from typing import Any

import click

from app.commands.exit_codes import ExitCode
from app.commands.shape import Group
from app.commands.showing import heading, show_fields
from app.domain.errors import SetupError
from app.processes.home import default_home
from app.processes.running import running_state, shown

_HEADINGS = {"pages": "Pages of the roles (/readyz, /metrics)", "roles": "Process ids"}


class NothingRunsError(SetupError):
    """There is nothing to look at."""

    exit_code = ExitCode.AWAY


@click.group(cls=Group, epilog="headrace dev info --json")
def dev() -> None:
    """Look at the installation that `headrace up` runs here."""


@dev.command(epilog="headrace dev info --json | jq -r .api_url")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, secrets included.")
def info(*, as_json: bool) -> None:
    """Print where everything is, and the pids; as JSON also an administrator's token."""
    state = running_state(default_home())
    if state is None:
        raise NothingRunsError("nothing runs here; start it with `make up` or `headrace up`")
    facts = shown(state)
    if as_json:
        click.echo(json.dumps(facts))
        return
    told = {**facts, **_unsaid(facts)}
    show_fields({name: value for name, value in told.items() if not isinstance(value, dict)})
    for name, value in told.items():
        if isinstance(value, dict):
            heading(_HEADINGS.get(name, name))
            show_fields(value)


def _unsaid(facts: dict[str, Any]) -> dict[str, str]:
    """Say where secrets are, instead of them: a screen stays, and is seen by others."""
    url = str(facts.get("database_url", ""))
    shown = re.sub(r"(?<=://)([^:@/]+):[^@]*@", r"\1:***@", url)
    return {"database_url": shown, "admin_token": "headrace token, or headrace dev info --json"}
