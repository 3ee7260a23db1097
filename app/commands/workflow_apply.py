"""``headrace workflows apply`` and ``diff``: what files say becomes what is there, after it was shown."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from app.commands.api_client import ApiClient, api_here, path_of
from app.commands.exit_codes import ExitCode
from app.commands.references import one_called
from app.commands.shape import Command
from app.commands.showing import clean, confirmed, counted, json_option, show_json
from app.commands.workflow_files import read_documents
from app.commands.workflow_plan import Step, plan
from app.domain.errors import HeadraceError, SetupError

_FILES = click.argument("files", nargs=-1, required=True, type=click.Path(allow_dash=True, path_type=Path))
_MARKS = {"create": ("+", "green"), "change": ("~", "yellow"), "nothing": ("=", None)}


class UnreadPlanError(SetupError):
    """Who should have read the plan has gone, and it is not carried out unseen."""


class HalfAppliedError(SetupError):
    """The API refused one of several; the text says what was done before, and that the rest was not."""

    def __init__(self, cause: HeadraceError, done: Sequence[Step], step: Step, left: int) -> None:
        before = ", ".join(one.name for one in done) or "nothing"
        super().__init__(f"{step.name}: {cause}\n  done before: {before}; not tried after it: {left}")
        self.exit_code = cause.exit_code


@click.command(cls=Command, epilog="headrace workflows apply workflows/*.yaml --dry-run")
@_FILES
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--yes", is_flag=True, help="Do it without asking.")
@click.option("--waiting", type=click.Choice(["finish", "cancel"]), help="Where one is switched off: what waits.")
@json_option
def apply(files: tuple[Path, ...], waiting: str | None, *, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Make the workflows of FILES, or bring them up to date: YAML or JSON, or what `export` writes; - is stdin.

    Shows first what it will do, and asks. Where anything is wrong nothing is changed, and each wrong field is named
    with its line. A workflow is known by its id, else by its name. What an active one changes goes live at once. A
    second run changes nothing. An API that is being restarted is waited for, 15 s.
    """
    documents = read_documents(files)
    api = api_here(patient=True)
    steps = plan(api, documents)
    due = [step for step in steps if step.kind != "nothing"]
    if not as_json:
        try:
            _show(steps)
        except BrokenPipeError:
            raise UnreadPlanError("nobody reads the plan any more; nothing was applied") from None
    if due and not dry_run:
        confirmed(f"Apply {_count(due)}?", yes=yes)
        _carry_out(api, due, waiting)
    if as_json:
        show_json({"applied": bool(due) and not dry_run, "workflows": [_told(step) for step in steps]})
    elif not due:
        click.echo("Nothing to change")
    else:
        click.echo(f"{_count(due)} would change; nothing was done" if dry_run else f"Applied: {_count(due)}")


@click.command(
    cls=Command, epilog="headrace workflows diff welcome.yaml\nheadrace workflows diff Welcome --from 2 --to 3"
)
@click.argument("what", nargs=-1, required=True)
@click.option("--from", "before", help="Compare versions of the workflow WHAT: a number, live or draft.")
@click.option("--to", "after", help="The other version; live by default.")
@json_option
def diff(what: tuple[str, ...], before: str | None, after: str | None, *, as_json: bool) -> None:
    """Show what `apply` would change for the files WHAT; or, with --from, what changed between versions of a workflow.

    Exit code 1 where there are differences.
    """
    if before is None and after is None:
        documents = read_documents([Path(one) for one in what])
        steps = plan(api_here(), documents)
        differs = any(step.kind != "nothing" for step in steps)
        show_json({"workflows": [_told(step) for step in steps]}) if as_json else _show(steps)
    else:
        differs = _versions(api_here(), what, before or "live", after or "live", as_json=as_json)
    raise SystemExit(ExitCode.FAILED if differs else ExitCode.DONE)


def _versions(api: ApiClient, what: Sequence[str], before: str, after: str, *, as_json: bool) -> bool:
    if len(what) != 1:
        raise click.UsageError("with --from or --to name one workflow")
    found = one_called(api, "workflows", what[0])
    answer = api.call("GET", path_of("workflows", found["id"], "diff"), query={"from": before, "to": after})
    if as_json:
        show_json(answer)
    else:
        for words in answer["words"]:
            click.echo(clean(words))
        if not answer["changes"]:
            click.echo(f"Nothing differs between {before} and {after}", err=True)
    return bool(answer["changes"])


def _carry_out(api: ApiClient, due: Sequence[Step], waiting: str | None) -> None:
    for position, step in enumerate(counted(due, "applied")):
        try:
            _do(api, step, waiting)
        except HeadraceError as error:
            raise HalfAppliedError(error, due[:position], step, len(due) - position - 1) from None


def _do(api: ApiClient, step: Step, waiting: str | None) -> None:
    if step.current is None:
        now = api.call("POST", path_of("workflows"), step.draft)
    elif step.rewrites:
        # What somebody changes meanwhile is not overwritten; what was written is live at once.
        headers = {"If-Match": f'"{step.current["version"]}"'}
        path = path_of("workflows", step.current["id"])
        now = api.call("PUT", path, step.draft, query={"publish": "true"}, headers=headers)
    else:
        now = step.current
    if step.switch is not None:
        query = {} if step.switch else {"waiting": waiting}
        api.call("POST", path_of("workflows", now["id"], "activate" if step.switch else "deactivate"), query=query)


def _show(steps: Sequence[Step]) -> None:
    for step in steps:
        mark, colour = _MARKS[step.kind]
        which = "" if step.current is None else f" ({step.current['id']}, version {step.current['version']})"
        what = {"create": "create", "change": "change", "nothing": "unchanged"}[step.kind]
        click.echo(f"{click.style(f'{mark} {what}', fg=colour)} {clean(step.name)}{which}")
        for line in step.changes:
            click.echo(f"    {clean(line)}")
        if step.kind == "change" and step.current and step.current.get("draft"):
            click.echo("    it has a draft that is not published; what the file says is published instead of it")


def _told(step: Step) -> dict[str, Any]:
    return {
        "file": step.document.file,
        "name": step.name,
        "id": step.current["id"] if step.current else None,
        "action": step.kind,
        "changes": step.changes,
    }


def _count(steps: Sequence[Step]) -> str:
    return f"{len(steps)} workflow{'' if len(steps) == 1 else 's'}"
