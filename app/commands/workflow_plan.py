"""What ``workflows apply`` would do: each workflow of the files beside the one that is there.

A workflow is the one with the ``id`` that the file says, where this installation has it; else the one of its name, if
just one that the caller may see has it; else it is new. So a file that was exported here may rename its workflow, and
the same file makes the workflow in another installation once, and finds it there the next time.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from app.commands.api_client import ApiClient, ApiRefusedError, path_of
from app.commands.exit_codes import ExitCode
from app.commands.references import is_id
from app.commands.showing import counted
from app.commands.workflow_files import WrongFilesError
from app.domain.errors import FieldError
from app.domain.structural_diff import same
from app.domain.written_workflow import comparable, written_of
from app.services.workflows.change_words import in_words
from app.services.workflows.files.documents import Document, written

_PREFIX: Final = "workflow."
# Ids that are asked for one by one: a caller has a hundred requests a minute, and a page of the list is one.
_MANY: Final = 20

Kind = Literal["create", "change", "nothing"]


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be done about one workflow.

    Attributes:
        current: The workflow as it is; None where it is new.
        switch: Whether it is to be switched on or off; None where that stays.
        changes: What changes, in words.
    """

    document: Document
    kind: Kind
    draft: dict[str, Any]
    current: dict[str, Any] | None = None
    switch: bool | None = None
    changes: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """What the workflow is called."""
        return str(self.draft.get("name") or "")

    @property
    def rewrites(self) -> bool:
        """Whether it changes more than whether the workflow is switched on."""
        return self.current is None or not same(written_of(self.current), comparable(self.draft))


def plan(api: ApiClient, documents: Sequence[Document]) -> list[Step]:
    """Return what is to be done, in the order of the files; nothing is changed.

    Raises:
        WrongFilesError: A workflow is wrong, or it is not clear which one it is; every mistake is in it.
    """
    known = _Known(api, documents)
    steps: list[Step] = []
    wrong: list[tuple[str, FieldError]] = []
    for document in counted(documents, "looked at"):
        errors = _own_mistakes(document)
        step = None
        if not errors:
            step, errors = _step(known, document)
        if step is None or step.kind != "nothing":
            errors = [*errors, *_mistakes(api, document, but={error.path for error in errors})]
        wrong += [(document.place(error.path), error) for error in errors]
        if step is not None:
            steps.append(step)
    wrong += _twice(steps)
    if wrong:
        raise WrongFilesError(wrong)
    return steps


class _Known:
    """Workflows that are there, by id and by name.

    The list is asked for once, and only where a name is looked for, or more ids than it has pages.
    """

    def __init__(self, api: ApiClient, documents: Iterable[Document]) -> None:
        self._api = api
        self._all: list[dict[str, Any]] | None = None
        ids = {str(one.value["id"]).lower() for one in documents if is_id(str(one.value.get("id", "")))}
        self._by_id: dict[str, dict[str, Any] | None] = (
            {one["id"]: one for one in self._list()}
            if len(ids) > _MANY
            else {one: api.find(path_of("workflows", one)) for one in sorted(ids)}
        )
        self._by_name: dict[str, list[dict[str, Any]]] | None = None

    def of(self, document: Document) -> list[dict[str, Any]]:
        """Return those that a document may mean."""
        found = self._by_id.get(str(document.value.get("id", "")).lower())
        return [found] if found is not None else self._names().get(str(document.value.get("name")), [])

    def _names(self) -> dict[str, list[dict[str, Any]]]:
        if self._by_name is None:
            self._by_name = {}
            for one in self._list():
                self._by_name.setdefault(one["name"], []).append(one)
        return self._by_name

    def _list(self) -> list[dict[str, Any]]:
        if self._all is None:
            self._all = list(self._api.items("/api/v1/workflows"))
        return self._all


def _step(known: _Known, document: Document) -> tuple[Step | None, list[FieldError]]:
    found = known.of(document)
    if len(found) > 1:
        ids = ", ".join(one["id"] for one in found)
        return None, [FieldError("name", f"{len(found)} workflows are called so; say the id of one of them: {ids}")]
    active = document.value.get("active")
    draft = written(document.value)
    if not found:
        changes = [*in_words(_blank(draft), comparable(draft)), *(["Switched on"] if active else [])]
        return Step(document, "create", draft, switch=active or None, changes=changes), []
    current = found[0]
    switch = active if active is not None and active != current["active"] else None
    changes = in_words(written_of(current), comparable(draft))
    changes += [] if switch is None else ["Switched on" if switch else "Switched off"]
    return Step(document, "change" if changes else "nothing", draft, current, switch, changes), []


def _blank(draft: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a new workflow is compared with: it has a name, which the plan says, and nothing yet."""
    blank = comparable({"name": draft.get("name"), "actions": []})
    return {**blank, "trigger": None} if "trigger" in draft else blank


def _own_mistakes(document: Document) -> list[FieldError]:
    value = document.value
    errors = []
    if "active" in value and not isinstance(value["active"], bool):
        errors.append(FieldError("active", "must be true or false"))
    if "id" in value and not is_id(str(value["id"])):
        errors.append(FieldError("id", "is no id of a workflow; leave it out, and the workflow of this name is meant"))
    return errors


def _mistakes(api: ApiClient, document: Document, but: set[str]) -> list[FieldError]:
    """Return what the API finds wrong with a workflow; its dry run checks it and stores nothing."""
    try:
        api.call("POST", "/api/v1/workflows/test", {"workflow": written(document.value)})
    except ApiRefusedError as error:
        if error.exit_code != ExitCode.WRONG:
            raise
        errors = error.errors or [FieldError("", error.detail)]
        own = [FieldError(one.path.removeprefix(_PREFIX), one.message) for one in errors]
        return [one for one in own if one.path not in but]
    return []


def _twice(steps: Sequence[Step]) -> list[tuple[str, FieldError]]:
    seen: dict[str, str] = {}
    wrong = []
    for step in steps:
        which = str(step.current["id"]) if step.current else f"new {step.name}"
        place = step.document.place("name")
        if which in seen:
            wrong.append((place, FieldError("", f"{step.name!r} is in {seen[which]} already")))
        seen.setdefault(which, place)
    return wrong
