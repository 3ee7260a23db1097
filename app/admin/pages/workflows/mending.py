"""Why something was refused, in words, and where it is mended."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from app.admin.pages.workflows.addresses import editor
from app.domain.callers import Caller
from app.domain.errors import ConflictError, FieldError, HeadraceError, NotFoundError
from app.services.operations.bulk import Done
from schemas.workflow import Workflow

_CHANNELS: Final = ("Channels", "/settings/channels")
_SECRETS: Final = ("Secrets", "/settings/secrets")
_TEXTS: Final = ("Message templates", "/settings/messages")
_ASK: Final = "An administrator can add it in the settings."
NO_STEPS: Final = "It has no steps yet, so it would do nothing. Open it, add a step, and publish it."


class NoStepsError(ConflictError):
    """A workflow that was made to be filled in, and was not."""

    def __init__(self) -> None:
        super().__init__(NO_STEPS)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why one thing was refused.

    Attributes:
        said: In a sentence.
        where: The page on which it is mended, by its name; empty where the caller cannot do it.
    """

    said: str
    where: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """A workflow to which it was not done."""

    id: UUID
    name: str
    reasons: tuple[Reason, ...]


def refused_of(done: Done, workflow: Workflow | None, caller: Caller) -> Refused:
    """Say why it was not done to one."""
    assert done.refused is not None
    name = workflow.name if workflow else "A workflow that is not there any more"
    return Refused(done.id, name, tuple(_reasons(done.id, done.refused, caller)))


def _reasons(workflow_id: UUID, error: HeadraceError, caller: Caller) -> list[Reason]:
    open_it = ("Open the workflow", editor(workflow_id))
    if isinstance(error, NoStepsError):
        return [Reason(str(error), *open_it)]
    errors: list[FieldError] = getattr(error, "errors", [])
    if errors:
        return [_of_field(one, caller, open_it) for one in errors]
    return [Reason(str(error))] if isinstance(error, NotFoundError) else [Reason(str(error), *open_it)]


def _of_field(error: FieldError, caller: Caller, open_it: tuple[str, str]) -> Reason:
    said = f"{_place(error.path)}{error.message}."
    if error.path.endswith(".template"):
        return Reason(said, *_TEXTS)
    place = _CHANNELS if error.path.endswith(".channel") else _SECRETS if "secrets." in error.message else None
    if place is None:
        return Reason(said, *open_it)
    if caller.role == "admin":
        return Reason(said, *place)
    return Reason(said if "administrator" in said else f"{said} {_ASK}")


def _place(path: str) -> str:
    """Name the step that a path leads into: ``Step 2: ``."""
    number = path.removeprefix("actions[").partition("]")[0]
    return f"Step {int(number) + 1}: " if path.startswith("actions[") and number.isdecimal() else ""
