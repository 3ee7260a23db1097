"""JSON objects as flags and small files of commands have them."""

import json
from typing import Any

import click


def json_object(text: str, option: str) -> dict[str, Any]:
    """Return the object that a text is.

    Args:
        text: What was given.
        option: Where it was given, as it is named to who gave it.

    Raises:
        click.BadParameter: It is no JSON object, or a key stands twice in one of its objects.
    """
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise click.BadParameter(f"is no JSON: {error}", param_hint=option) from None
    if not isinstance(found, dict):
        raise click.BadParameter("must be a JSON object", param_hint=option)
    from schemas.json_places import repeated_keys  # noqa: PLC0415 - loads Pydantic, which other commands do without

    repeated = repeated_keys(text)
    if repeated:
        raise click.BadParameter(f"{repeated[0].path} {repeated[0].message}", param_hint=option)
    return found
