"""What a role checks before it starts, so that it does not run wrong: it says all that is wrong, and what to do.

Exit codes tell who starts processes what to expect: with 2 starting again does not help before somebody has mended
something, with 1 it may, because Kafka or Postgres is away and comes back.
"""

import asyncio
import logging
import os
from collections.abc import Sequence

from app.domain.errors import SettingsError, StartRefusedError, UnreachableError
from app.processes.environment_check import of_environment
from app.processes.examination import examine, of_role
from app.processes.home import default_home
from app.processes.running import adopt_environment
from app.services.operations.findings import Finding
from app.settings import Settings, load_settings

log = logging.getLogger(__name__)


def settings_to_start(role: str) -> Settings:
    """Return the settings of a role's process that may start.

    Raises:
        StartRefusedError: A variable or a setting is wrong, or the installation lacks what the role needs.
        UnreachableError: Nothing else is wrong, but Kafka or Postgres does not answer.
    """
    adopt_environment(default_home(), role)
    found = list(of_environment(os.environ))
    try:
        settings = load_settings()
    except SettingsError as error:
        refuse(role, [*found, Finding("settings", "problem", str(error))])
        raise
    found += of_role(settings, role)
    refuse(role, found)  # before anything is asked for
    found += asyncio.run(examine(settings, role))
    refuse(role, found)
    for finding in found:
        if finding.state == "warning":
            log.warning("%s", finding)
    return settings


def refuse(role: str, found: Sequence[Finding]) -> None:
    """Raise what was found, if there is a problem.

    Raises:
        StartRefusedError: There is one that somebody has to mend.
        UnreachableError: All of them may be over by themselves.
    """
    problems = [finding for finding in found if finding.state == "problem"]
    if not problems:
        return
    said = "\n  ".join(map(str, problems))
    text = f"{role} does not start:{' ' if len(problems) == 1 else chr(10) + '  '}{said}"
    raise (UnreachableError if all(one.passing for one in problems) else StartRefusedError)(text)
