"""Texts that are JSON where a config takes any value: a key stands once in its object, as in every body of the API."""

from collections.abc import Mapping
from json import JSONDecodeError

from schemas.json_places import repeated_keys


def repeated_problem(value: object) -> str | None:
    """Say which key a text that is JSON, or a member that is such a text, has more than once; None: none has any.

    What only becomes JSON once its template is filled in is none yet.
    """
    if isinstance(value, Mapping):
        said = ((name, repeated_problem(one)) for name, one in value.items())
        return next((f"{name}: {problem}" for name, problem in said if problem), None)
    if not isinstance(value, str) or not value.lstrip().startswith(("{", "[")):
        return None
    try:
        found = repeated_keys(value)
    except (JSONDecodeError, RecursionError):
        return None
    return f"holds JSON in which {found[0].path} {found[0].message}" if found else None
