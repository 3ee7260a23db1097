"""What people call a workflow or a template on the command line: its id, or its name where only one has it."""

from difflib import get_close_matches
from typing import Any, Final
from uuid import UUID

from app.commands.api_client import ApiClient, path_of
from app.commands.exit_codes import ExitCode
from app.domain.errors import SetupError

_SHOWN: Final = 5


class UnknownNameError(SetupError):
    """Nothing is called so that the caller may see."""

    exit_code = ExitCode.NOT_FOUND


class AmbiguousNameError(SetupError):
    """Several are called so; the text has their ids."""

    exit_code = ExitCode.WRONG


def one_called(api: ApiClient, kind: str, reference: str) -> dict[str, Any]:
    """Return the workflow (``workflows``) or template (``templates``) of an id or a name.

    Raises:
        UnknownNameError: Nothing is called so.
        AmbiguousNameError: Several are.
    """
    what = kind.removesuffix("s")
    if is_id(reference):
        return api.call("GET", path_of(kind, reference))
    there = list(api.items(path_of(kind)))
    found = [one for one in there if one["name"] == reference]
    if not found:
        near = get_close_matches(reference, [one["name"] for one in there], 1)
        meant = f"is {near[0]!r} meant?" if near else f"`headrace {kind} list` shows those there are"
        raise UnknownNameError(f"there is no {what} called {reference!r}; {meant}")
    if len(found) > 1:
        ids = ", ".join(one["id"] for one in found[:_SHOWN])
        raise AmbiguousNameError(f"{len(found)} {kind} are called {reference!r}; give the id of one: {ids}")
    only: dict[str, Any] = found[0]
    return only


def is_id(text: str) -> bool:
    """Tell whether a text is an id."""
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False
