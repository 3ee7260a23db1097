"""``headrace workflows test``: try a workflow on an event, without any effect."""

from pathlib import Path
from typing import Any

import click

from app.commands.api_client import ApiClient, api_here, path_of
from app.commands.json_flags import json_object
from app.commands.references import one_called
from app.commands.shape import Command
from app.commands.showing import Column, clean, heading, json_option, show_fields, show_json, show_table
from app.commands.verdicts import show_verdicts
from app.commands.workflow_files import read_documents
from app.services.workflows.files.documents import written

_FILES = frozenset({".yaml", ".yml", ".json", ".jsonl"})
_STEPS = (Column("STEP"), Column("ACTION", 10), Column("STATUS"), Column("WOULD SEND, OR WHY NOT", 24, wraps=True))


@click.command(
    cls=Command,
    epilog="""headrace workflows test Welcome --data '{"customer": {"id": "ada"}}'
headrace workflows test draft.yaml --event event.json""",
)
@click.argument("workflow")
@click.option("--event", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
              help="A file with a CloudEvent as JSON; - is standard input.")  # fmt: skip
@click.option("--data", help="Or its data alone, a JSON object; the rest is made up.")
@json_option
def test(workflow: str, event: Path | None, data: str | None, *, as_json: bool) -> None:
    """Try a workflow, by its id or name, or that of a file, on an event: nothing is sent, nothing is stored."""
    tried = _event(event, data)
    draft = _draft(workflow)
    answer = _tried(api_here(), workflow, draft, tried)
    if as_json:
        show_json(answer)
        return
    outcome = answer["status"] or "does not run"
    show_fields({"outcome": outcome, "why": answer["explanation"]})
    if answer["verdicts"]:
        show_verdicts(answer["verdicts"])
    heading("Steps")
    show_table(_STEPS, [_step_row(one) for one in answer["steps"]], empty="None")


def _event(file: Path | None, data: str | None) -> dict[str, Any]:
    if file is not None and data is not None:
        raise click.UsageError("give either --event or --data")
    if file is None:
        return {} if data is None else {"data": json_object(data, "--data")}
    return json_object(click.get_text_stream("stdin").read() if str(file) == "-" else file.read_text(), "--event")


def _draft(workflow: str) -> dict[str, Any] | None:
    """Return the workflow of a file; None where it is not the name of one."""
    file = Path(workflow)
    if not file.is_file():
        if file.suffix in _FILES:
            raise click.BadParameter(f"there is no file {workflow}", param_hint="WORKFLOW")
        return None
    documents = read_documents([file])
    if len(documents) != 1:
        raise click.BadParameter(f"holds {len(documents)} workflows; try one at a time", param_hint="WORKFLOW")
    return written(documents[0].value)


def _tried(api: ApiClient, workflow: str, draft: dict[str, Any] | None, event: dict[str, Any]) -> dict[str, Any]:
    if draft is not None:
        return api.call("POST", path_of("workflows", "test"), {"workflow": draft, "event": event})
    found = one_called(api, "workflows", workflow)
    return api.call("POST", path_of("workflows", found["id"], "test"), {"event": event})


def _step_row(step: dict[str, Any]) -> tuple[object, ...]:
    told = step.get("error") or clean(step.get("would_send"))
    return (step["step"], step["type"], step["status"], told)
