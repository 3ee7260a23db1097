"""``headrace prove``: load of its own, under faults where they are asked for, and a recount of what came of it."""

from pathlib import Path
from typing import Any, Final

import click

from app.commands.api_address import API_URL, given
from app.commands.api_client import ApiClient, api_here
from app.commands.exit_codes import ExitCode
from app.commands.proving.asked import Asked, carry_out
from app.commands.proving.progress import Progress
from app.commands.proving.receiver import place
from app.commands.proving.workflows import leftovers, remove
from app.commands.shape import Command
from app.commands.showing import clean as in_one_line
from app.commands.showing import json_option, show_fields, show_json
from app.processes.home import default_home
from app.processes.running import running_state
from app.services.proving.load import MARK
from app.services.proving.report import summary
from app.services.proving.schedule import KINDS

_MINUTE_S: Final = 60.0


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
@click.option("--clean", is_flag=True, help="Only remove what runs have left that crashed, here or elsewhere.")
@json_option
def prove(  # noqa: PLR0917 - click passes every option by name
    minutes: float,
    rate: float,
    faults: tuple[str, ...] | None,
    report: Path | None,
    listen: tuple[str, int],
    receiver_url: str | None,
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
    if faults and not here:
        raise click.UsageError("--faults is for what `headrace up` runs here; nothing else is broken on purpose")
    with_crm = here if crm is None else crm
    _clean_up(api, others=clean, crm=with_crm)
    if clean:
        return
    asked = Asked(minutes * _MINUTE_S, rate, faults or (), listen, receiver_url, with_crm, home)
    told, page = carry_out(api, asked, report)
    if as_json:
        show_json(told.as_json())
    else:
        show_fields({**summary(told), "report": str(page)})
        for what in told.verdict.wrong:
            click.echo(in_one_line(what))
    raise SystemExit(ExitCode.DONE if told.verdict.good else ExitCode.FAILED)


def _clean_up(api: ApiClient, *, others: bool, crm: bool) -> None:
    """Remove what is left of runs that are over: nobody's customers but ours are called so."""
    count = remove(api, leftovers(api, others=others), customers=f"{MARK}-" if crm else None)
    if count:
        Progress().say(f"Removed what an earlier run has left: workflows and customers, {count}")
    elif others:
        Progress().say("Nothing is left of earlier runs")


def _is_here(home: Path) -> bool:
    """Tell whether the API that is asked is the one that `headrace up` runs here."""
    here = (running_state(home) or {}).get("api_url")
    return here is not None and (given(API_URL) or here) == here
