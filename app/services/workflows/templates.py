"""Workflow templates: a gallery to start from."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid4

from pydantic import ValidationError

from app.domain.callers import Caller
from app.domain.errors import FieldError, InvalidError, NotPermittedError
from app.domain.paging import Page, Position
from app.domain.versions import Expected
from app.ports.templates import TemplateFilter, TemplateStore
from app.services.workflows.drafts import DraftReader, merge_patch
from app.services.workflows.editing import (
    at_version,
    fields,
    found,
    in_full,
    newest_first,
    next_version,
    refuse_no_object,
    written,
)
from app.services.workflows.lifecycle import WorkflowService
from app.services.workflows.placeholders.declarations import (
    as_far_as_sound,
    declaration_errors,
    declared,
    read_values,
    sound_samples,
)
from app.services.workflows.placeholders.filling import blamed, fill, marks, named_at
from app.services.workflows.placeholders.form import form_schema
from app.services.workflows.placeholders.generalizing import generalized
from app.services.workflows.template_lists import TemplateLists
from schemas.field_errors import field_errors
from schemas.json_types import validated
from schemas.placeholder import Placeholder
from schemas.reading import beside
from schemas.template import Template, TemplateDraft, TemplateMetadata
from schemas.workflow import Workflow, WorkflowDraft

_NOT_TO_CHANGE: Final = "There is no such template that you may change; a public one can be applied"
_OF_WORKFLOW: Final = tuple(WorkflowDraft.model_fields)


class TemplateService:
    """The use cases.

    Args:
        store: Where templates are kept.
        drafts: Reads what users write.
        workflows: Makes workflows of templates.
        lists: Keeps pages of the gallery.
        now: The clock, in UTC.
    """

    def __init__(
        self,
        store: TemplateStore,
        drafts: DraftReader,
        workflows: WorkflowService,
        lists: TemplateLists,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._drafts = drafts
        self._workflows = workflows
        self._lists = lists
        self._now = now

    async def create(self, caller: Caller, raw: Any) -> Template:
        """Store a new template, the caller's own.

        Raises:
            InvalidError: The draft is wrong.
            NotPermittedError: It is public, and the caller may not publish.
            ConflictError: The caller has as many templates as a user may.
        """
        return await self._insert(caller, await self._read(raw))

    async def create_from(self, caller: Caller, workflow_id: UUID, metadata: TemplateMetadata) -> Template:
        """Store a workflow as a template; what is its author's alone becomes placeholders.

        Raises:
            NotFoundError: There is no such workflow.
            InvalidError: It holds a credential, or would not be taken as a draft any more.
        """
        workflow = in_full(await self._workflows.get(caller, workflow_id))
        given = metadata.model_dump(mode="json", exclude_none=True)
        draft, asked = generalized({**workflow.model_dump(mode="json", include=set(_OF_WORKFLOW)), **given})
        return await self.create(caller, {**draft, "placeholders": [one.stored() for one in asked]})

    async def get(self, caller: Caller, template_id: UUID) -> Template:
        """Return one.

        Raises:
            NotFoundError: The caller may see no such template.
        """
        return found(await self._store.get(caller, template_id), "There is no such template")

    async def find(self, caller: Caller, wanted: TemplateFilter, after: Position | None, limit: int) -> Page[Template]:
        """List templates, newest first: the caller's own and the public ones; an admin sees all."""
        key = (caller.role, wanted, after, limit)
        rows = await self._lists.rows(caller.user_id, key, lambda: self._store.find(caller, wanted, after, limit + 1))
        return newest_first(rows, limit)

    async def categories(self, caller: Caller) -> Sequence[tuple[str | None, int]]:
        """Return the categories of the templates that the caller can list, and how many each has."""
        return await self._store.categories(caller)

    async def replace(self, caller: Caller, template_id: UUID, version: Expected, raw: Any) -> Template:
        """Replace everything a user writes.

        Args:
            caller: On whose behalf.
            template_id: Which template.
            version: The version the caller has read; None for any.
            raw: The new draft.

        Raises:
            InvalidError: The draft is wrong.
            NotFoundError: The caller may change no such template.
            NotPermittedError: It is public then, and the caller may not publish; unpublishing is open to its author.
            StaleVersionError: It has another version by now.
        """
        draft = await self._read(raw)
        return await self._write(caller, template_id, version, lambda _: _given(draft))

    async def patch(self, caller: Caller, template_id: UUID, version: Expected, patch: Any) -> Template:
        """Apply a JSON merge patch; arguments and errors as in ``replace``."""
        refuse_no_object(patch, "a merge patch")
        return await self._write(
            caller,
            template_id,
            version,
            lambda current: self._read(merge_patch(written(in_full(current), TemplateDraft), patch, TemplateDraft)),
        )

    async def delete(self, caller: Caller, template_id: UUID, version: Expected) -> None:
        """Remove a template; workflows made of it stay. Errors as in ``replace``."""
        async with self._store.transaction(caller) as transaction:
            at_version(found(await transaction.get(template_id), _NOT_TO_CHANGE), version, "template")
            await transaction.delete(template_id)
        self._lists.forget()

    async def form(self, caller: Caller, template_id: UUID) -> dict[str, Any]:
        """Return the JSON Schema of what the template asks for; errors as in ``get``."""
        template = in_full(await self.get(caller, template_id))
        return form_schema(template.name, declared(template.placeholders))

    async def apply(self, caller: Caller, template_id: UUID, customizations: Any) -> Workflow:
        """Make a workflow of a template: inactive, the caller's own.

        Args:
            caller: On whose behalf.
            template_id: Which template.
            customizations: The placeholders' values, by name under ``placeholders``; the rest is a JSON merge patch.

        Raises:
            NotFoundError: The caller may see no such template.
            InvalidError: A value is missing or wrong, or with the customizations it is no valid draft.
        """
        refuse_no_object(customizations, "a patch of customizations")
        template = in_full(await self.get(caller, template_id))
        placeholders = declared(template.placeholders)
        given, patch = customizations.get("placeholders"), {**customizations}
        patch.pop("placeholders", None)
        values, errors = read_values(placeholders, given if isinstance(given, dict) else {})
        if not isinstance(given or {}, dict):
            errors = [FieldError("placeholders", "must be an object of values by name")]
        merged = merge_patch(written(template, WorkflowDraft), patch, WorkflowDraft)
        try:
            draft = fill(merged, placeholders, values)
            made = None if errors else await self._workflows.create(caller, draft, template_id=template.id)
            if made is None:
                await self._workflows.read(draft)
        except InvalidError as error:
            raise InvalidError(beside(errors, blamed(error, merged, placeholders).errors)) from None
        if made is None:
            raise InvalidError(errors)
        self._lists.forget()
        return made

    async def _insert(self, caller: Caller, draft: TemplateDraft) -> Template:
        _refuse_publishing(caller, draft)
        now = self._now()
        template = Template(
            id=uuid4(),
            version=1,
            usage_count=0,
            created_by=caller.user_id,
            created_at=now,
            updated_at=now,
            **_kept(draft),
        )
        async with self._store.transaction(caller) as transaction:
            stored = await transaction.insert(template)
        self._lists.forget()
        return stored

    async def _write(
        self,
        caller: Caller,
        template_id: UUID,
        version: Expected,
        change: Callable[[Template], Awaitable[TemplateDraft]],
    ) -> Template:
        async with self._store.transaction(caller) as transaction:
            current = at_version(found(await transaction.get(template_id), _NOT_TO_CHANGE), version, "template")
            draft = await change(current)
            _refuse_publishing(caller, draft)
            stored = await transaction.update(next_version(current, _kept(draft), self._now()))
        self._lists.forget()
        return stored

    async def _read(self, raw: Any) -> TemplateDraft:
        """Check a draft: the gallery's fields here, the workflow's where workflows are checked."""
        errors: list[FieldError] = []
        shaped: TemplateDraft | None = None
        try:
            shaped = validated(raw, TemplateDraft)
        except ValidationError as error:
            errors = field_errors(error, TemplateDraft)
        if isinstance(raw, dict):
            asked = as_far_as_sound(raw.get("placeholders"))
            errors = beside(errors, [*declaration_errors(asked), *_mark_errors(raw, asked)])
            errors = beside(errors, await self._workflow_errors(raw))
        if errors or shaped is None:
            raise InvalidError(errors)
        return shaped

    async def _workflow_errors(self, raw: dict[str, Any]) -> list[FieldError]:
        """Return what is wrong with the workflow, with samples in the placeholders' places where these can be had.

        What is wrong with a place that has none is not the place's fault: the placeholder's has been told.
        """
        draft = {name: value for name, value in raw.items() if name in _OF_WORKFLOW}
        samples = sound_samples(raw.get("placeholders"))
        try:
            await self._drafts.read(fill(draft, [one for one, _ in samples], {one.name: it for one, it in samples}))
        except InvalidError as error:
            had = {one.name for one, _ in samples}
            return [
                told
                for told in error.errors
                if not raw.get("placeholders") or had.issuperset(named_at(draft, told.path))
            ]
        return []


def _mark_errors(raw: dict[str, Any], asked: Sequence[Placeholder]) -> list[FieldError]:
    """Return each mark without a placeholder, and each placeholder without a mark.

    A template without any placeholder may hold ``[[words]]`` in brackets that mean nothing; and where the name of one
    is wrong, any mark may be meant for it.
    """
    found = list(marks(raw))
    names, used = {one.name for one in asked}, {name for _, name in found}
    strange = {path: name for path, name in found if name not in names} if names and "" not in names else {}
    errors = [FieldError(path, f"[[{name}]] is no placeholder of this template") for path, name in strange.items()]
    return errors + [
        FieldError(f"placeholders[{position}].name", f"[[{one.name}]] stands nowhere in the template")
        for position, one in enumerate(asked)
        if one.name and one.name not in used
    ]


def _kept(draft: TemplateDraft) -> dict[str, Any]:
    return {**fields(draft), "placeholders": [one.stored() for one in draft.placeholders]}


def _refuse_publishing(caller: Caller, draft: TemplateDraft) -> None:
    """Refuse a template that all users see; also a change of one, for all would see it."""
    if draft.is_public and not caller.may("templates:publish"):
        raise NotPermittedError([FieldError("is_public", "a public template needs the permission templates:publish")])


async def _given(draft: TemplateDraft) -> TemplateDraft:
    return draft
