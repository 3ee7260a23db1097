"""``headrace prove``: load of its own, under faults where they are asked for, and a recount of what came of it."""

import math
import re
from pathlib import Path
from typing import Any, Final

import click

from app.commands.api_address import API_URL, given
from app.commands.api_client import api_here
from app.commands.exit_codes import ExitCode
from app.commands.proving import earlier
from app.commands.proving.asked import Asked, carry_out
from app.commands.proving.earlier import CRM_RIGHTS, Cleaned, check_rights, remove_crashed
from app.commands.proving.processes import roles_here
from app.commands.proving.progress import Progress
from app.commands.proving.receiver import place
from app.commands.shape import Command
from app.commands.showing import clean as in_one_line
from app.commands.showing import json_option, show_fields, show_json
from app.processes.home import default_home
from app.processes.running import running_state
from app.services.proving.report import summary
from app.services.proving.schedule import KINDS, schedule, shortest

_MINUTE_S: Final = 60.0
_RUN: Final = re.compile(r"[0-9a-f]{8}")


class _Kinds(click.ParamType):
    """Kinds of faults, commas between."""

    name = "KINDS"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Return them, each once."""
        kinds = tuple(dict.fromkeys(str(value).split(",")))
        unknown = sorted(set(kinds) - set(KINDS))
        if unknown:
            self.fail(
                f"{unknown[0]!r} is no kind of fault; give {' or '.join(KINDS)}, or {','.join(KINDS)}", param, ctx
            )
        return kinds


class _Run(click.ParamType):
    """The name of a run."""

    name = "RUN"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return it."""
        if not _RUN.fullmatch(str(value)):
            self.fail(f"{value!r} is the name of no run; it is in those of its workflows, such as 0123abcd", param, ctx)
        return str(value)


class _Place(click.ParamType):
    """A host and a port."""

    name = "HOST:PORT"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int]:
        """Return both."""
        try:
            return place(str(value))
        except ValueError as error:
            self.fail(f"{value!r}: {error}", param, ctx)


@click.command(
    cls=Command, epilog="headrace prove --minutes 10\nheadrace prove --minutes 10 --faults kill,freeze --report proof"
)
@click.option(
    "--minutes", type=click.FloatRange(0.1, 1440), default=10, show_default=True, help="How long the load flows."
)
@click.option("--rate", type=click.FloatRange(1, 500), default=20, show_default=True, help="Events a second.")
@click.option("--faults", type=_Kinds(), help="Break what `headrace up` runs here meanwhile: kill, freeze, or both.")
@click.option(
    "--report",
    type=click.Path(file_okay=False, path_type=Path),
    help="A folder for report and ledger; headrace-prove-RUN here by default.",
)
@click.option(
    "--listen", type=_Place(), default="127.0.0.1:0", show_default=True, help="Where to receive webhooks; port 0: any."
)
@click.option("--receiver-url", help="Where the installation reaches that, if it is not at this address for it.")
@click.option("--crm/--no-crm", default=None, help="Tags and notes among the effects; by default with `headrace up`.")
@click.option("--clean", is_flag=True, help="Only remove what runs have left that are over.")
@click.option("--run", type=_Run(), help="With --clean: only this one's, which is over though it ran elsewhere.")
@json_option
def prove(  # noqa: PLR0917 - click passes every option by name
    minutes: float,
    rate: float,
    faults: tuple[str, ...] | None,
    report: Path | None,
    listen: tuple[str, int],
    receiver_url: str | None,
    run: str | None,
    *,
    crm: bool | None,
    clean: bool,
    as_json: bool,
) -> None:
    """Prove on an installation that nothing is lost or done twice: send load, and recount what came of it.

    It makes workflows of its own and sends them events of a type of their own, and removes both at its end. What must
    come of each event is recounted from what its own receiver of webhooks got, from the CRM, and from the execution
    log. Exit code 1 where anything is lost, out of order, or done twice without a mark.
    """
    home = default_home()
    api, here = api_here(patient=True), _is_here(home)
    _check_use(minutes, faults or (), run, here=here, clean=clean)
    with_crm = here if crm is None else crm
    if clean:
        admin = check_rights(api, *(CRM_RIGHTS if with_crm else ()))
        _tell(earlier.clean(api, run, crm=with_crm, admin=admin))
        return
    removed = remove_crashed(api, crm=with_crm)
    if removed:
        _tell(Cleaned(removed))
    asked = Asked(minutes * _MINUTE_S, rate, faults or (), listen, receiver_url, with_crm, home)
    told, page = carry_out(api, asked, report)
    if as_json:
        show_json(told.as_json())
    else:
        show_fields({**summary(told), "report": str(page)})
        for what in told.verdict.wrong:
            click.echo(in_one_line(what))
    raise SystemExit(ExitCode.DONE if told.verdict.good else ExitCode.FAILED)


def _check_use(minutes: float, faults: tuple[str, ...], run: str | None, *, here: bool, clean: bool) -> None:
    """Refuse what cannot be meant, before anything is done.

    Raises:
        UsageError: It cannot.
    """
    if run is not None and not clean:
        raise click.UsageError("--run goes with --clean")
    if faults and clean:
        raise click.UsageError("--faults does not go with --clean, which only removes")
    if faults and not here:
        raise click.UsageError("--faults is for what `headrace up` runs here; nothing else is broken on purpose")
    if faults and not schedule(faults, roles_here(), minutes * _MINUTE_S):
        least = math.ceil(shortest(faults) / _MINUTE_S * 100) / 100
        raise click.UsageError(
            f"--minutes {minutes:g} is too short for a fault: --faults {','.join(faults)} "
            f"takes --minutes {least:g} or more"
        )


def _tell(cleaned: Cleaned) -> None:
    """Say what was removed, what was not, and what cannot be seen."""
    say = Progress().say
    if cleaned.removed:
        say(f"Removed what an earlier run has left: workflows and customers, {cleaned.removed}")
    if cleaned.ended:
        say(f"Ended executions of earlier runs that waited: {cleaned.ended}")
    if not cleaned.removed and not cleaned.ended:
        say("Nothing is left of earlier runs that could be removed")
    if cleaned.others:
        say(
            f"Left alone are customers of other users' runs ({', '.join(sorted(cleaned.others))}): an administrator's "
            "`headrace prove --clean` removes them once those are over"
        )
    if cleaned.queued:
        say(
            f"{cleaned.queued:,} records are queued, some perhaps of those runs: they fail, or wait, where a webhook's "
            "receiver has gone; look again when `headrace queue` shows none"
        )


def _is_here(home: Path) -> bool:
    """Tell whether the API that is asked is the one that `headrace up` runs here."""
    here = (running_state(home) or {}).get("api_url")
    return here is not None and (given(API_URL) or here) == here
