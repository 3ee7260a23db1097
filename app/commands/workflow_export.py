"""``headrace workflows export``: workflows as ``workflows apply`` takes them."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from app.commands.api_client import api_here, path_of
from app.commands.references import one_called
from app.commands.shape import Command
from app.domain.written_workflow import WRITTEN, written_of


@click.command(cls=Command, epilog="headrace workflows export --output workflows.yaml")
@click.argument("workflow", nargs=-1)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="A file; by default standard output.")
@click.option("--json", "as_json", is_flag=True, help="JSON, one workflow a line.")
def export(workflow: tuple[str, ...], output: Path | None, *, as_json: bool) -> None:
    """Write workflows as YAML, by ids or names, or all: what `workflows apply` takes, here or elsewhere."""
    api = api_here()
    found = [one_called(api, "workflows", one) for one in workflow] or list(api.items(path_of("workflows")))
    text = "".join(f"{json.dumps(exported(one), ensure_ascii=False)}\n" for one in found)
    if not as_json:
        text = "---\n".join(as_yaml(one) for one in found)
    if output is None:
        click.echo(text, nl=False)
        return
    draft = output.with_name(f".{output.name}.{os.getpid()}")
    draft.write_text(text)
    draft.replace(output)
    click.echo(f"{len(found)} workflow{'' if len(found) == 1 else 's'} written to {output}", err=True)


def exported(workflow: Mapping[str, Any]) -> dict[str, Any]:
    """Return what makes a workflow what it is: its id and name first, whether it is switched on, what a user writes."""
    fields = written_of(workflow)
    fields["trigger"] = _in_order(fields["trigger"], ("type", "config"))
    fields["conditions"] = [_condition(one) for one in fields["conditions"]]
    fields["actions"] = [_action(action) for action in fields["actions"]]
    return {"id": workflow["id"], "name": fields["name"], "active": workflow["active"]} | {
        name: fields[name] for name in WRITTEN if fields[name] not in ("", [])
    }


def as_yaml(workflow: Mapping[str, Any]) -> str:
    """Return a workflow as YAML, in the order in which people read it."""
    import yaml  # noqa: PLC0415 - loaded where it is used

    class Dumper(yaml.SafeDumper):
        """Texts of several lines as blocks; lists set in below their names."""

        def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
            super().increase_indent(flow, False)

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
        style = "|" if "\n" in value and value == value.expandtabs() and " \n" not in value else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    Dumper.add_representer(str, text)
    written: str = yaml.dump(
        exported(workflow), Dumper=Dumper, sort_keys=False, allow_unicode=True, width=110, stream=None
    )
    return written


def _action(action: Mapping[str, Any]) -> dict[str, Any]:
    shorter = _in_order(action, ("order", "type", "config", "conditions", "on_error"))
    if shorter.get("conditions"):
        shorter["conditions"] = [_condition(one) for one in shorter["conditions"]]
    return shorter


def _condition(condition: Any) -> Any:
    """Return a condition, or a group of some, as it is said: which field, compared how, with what."""
    if isinstance(condition, list):
        return [_condition(one) for one in condition]
    if not isinstance(condition, Mapping):
        return condition
    if "field" in condition:
        return {name: condition[name] for name in _ordered(condition, ("field", "operator", "value", "logic"))}
    return {name: _condition(one) for name, one in condition.items()}


def _in_order(fields: Mapping[str, Any], order: Sequence[str]) -> dict[str, Any]:
    """Return fields in an order, without those that say nothing."""
    return {name: fields[name] for name in _ordered(fields, order) if fields[name] not in (None, [], {})}


def _ordered(fields: Mapping[str, Any], order: Sequence[str]) -> list[str]:
    return [*(name for name in order if name in fields), *(name for name in fields if name not in order)]
