"""``headrace check``: everything that keeps a role from starting, or makes it run wrong, at once."""

import asyncio
import os
from dataclasses import asdict
from typing import Final

import click

from app.commands.shape import Command
from app.commands.showing import json_option, show_json
from app.domain.errors import SettingsError
from app.processes.environment_check import of_environment
from app.processes.examination import ADMIN, examine, of_role
from app.processes.home import default_home
from app.processes.role_names import OPTIONAL_ROLES, role_names
from app.processes.running import adopt_environment
from app.services.operations.findings import Finding
from app.settings import load_settings

_ROLES: Final = [*role_names(), *OPTIONAL_ROLES, ADMIN]
_HELP: Final = f"""
Check that the installation, or one role, could start here, with these variables; exit code 1 where it could not.

Without a ROLE all topics, secrets and accounts are looked at; DATABASE_URL is best the owner's then. ROLE is one of
{", ".join(_ROLES)}.
"""
_MARKS: Final = {"ok": ("ok", "green"), "warning": ("warn", "yellow"), "problem": ("FAIL", "red")}


@click.command(
    cls=Command,
    help=_HELP,
    epilog="headrace check matcher\nheadrace check --json | jq .findings",
)
@click.argument("role", required=False, metavar="[ROLE]", type=click.Choice(_ROLES))
@json_option
def check(role: str | None, *, as_json: bool) -> None:
    """Check, and show what was found."""
    found = _found(role)
    fine = all(finding.state != "problem" for finding in found)
    if as_json:
        show_json({"status": "ok" if fine else "failing", "findings": [asdict(one) for one in found]})
    else:
        for finding in found:
            _show(finding)
    if not fine:
        raise SystemExit(1)


def _found(role: str | None) -> list[Finding]:
    adopt_environment(default_home(), role)
    found = list(of_environment(os.environ))
    try:
        settings = load_settings()
    except SettingsError as error:
        return [*found, Finding("settings", "problem", str(error))]
    own = list(of_role(settings, role))
    found += own or [Finding("settings", "ok", "complete, and each is a value that it may have")]
    return found + asyncio.run(examine(settings, role))


def _show(finding: Finding) -> None:
    mark, colour = _MARKS[finding.state]
    click.echo(f"{click.style(f'{mark:<5}', fg=colour)} {finding.check:<11} {finding.says}")
    if finding.do:
        click.echo(f"{'':<17} -> {finding.do}")
