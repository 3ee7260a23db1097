"""Message templates: texts with a name, which actions use in place of their own."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid4

from app.actions.base import AnyAction
from app.actions.configs import validate_config
from app.actions.message_text import with_text
from app.actions.registry import REGISTRY
from app.domain.callers import Caller
from app.domain.errors import ConflictError, FieldError
from app.domain.paging import Page, Position
from app.domain.versions import Expected
from app.ports import MessageText
from app.ports.message_templates import MessageFilter, MessageStore, MessageTransaction
from app.services.access.cpu_budget import breathe
from app.services.workflows.drafts import merge_patch
from app.services.workflows.editing import (
    at_version,
    fields,
    found,
    newest_first,
    next_version,
    refuse_no_object,
    written,
)
from schemas.message_template import MessageKind, MessageTemplate, MessageTemplateDraft
from schemas.reading import read_whole

_NOUN: Final = "message template"
_MISSING: Final = f"There is no such {_NOUN}"
_PARTS: Final = ("subject", "text", "html")
# The kind that has them all.
_OF_ALL_PARTS: Final = "email"


class MessageTemplateService:
    """The use cases.

    Args:
        store: Where message templates are kept.
        now: The clock, in UTC.
    """

    def __init__(self, store: MessageStore, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._store = store
        self._now = now

    async def create(self, caller: Caller, raw: Any) -> MessageTemplate:
        """Store a new template, the caller's own.

        Raises:
            InvalidError: The draft is wrong.
            ConflictError: The caller has one of that kind and name, or as many as a user may.
        """
        await breathe()
        draft, now = read(raw), self._now()
        times = {"created_at": now, "updated_at": now}
        template = MessageTemplate(id=uuid4(), version=1, created_by=caller.user_id, **times, **fields(draft))
        async with self._store.transaction(caller) as transaction:
            return await transaction.insert(template)

    async def get(self, caller: Caller, template_id: UUID) -> MessageTemplate:
        """Return one.

        Raises:
            NotFoundError: The caller may see no such template.
        """
        return found(await self._store.get(caller, template_id), _MISSING)

    async def find(
        self, caller: Caller, wanted: MessageFilter, after: Position | None, limit: int
    ) -> Page[MessageTemplate]:
        """List the caller's templates, newest first; an admin sees all."""
        rows = await self._store.find(caller, wanted, after, limit + 1)
        return newest_first(rows, limit)

    async def replace(self, caller: Caller, template_id: UUID, version: Expected, raw: Any) -> MessageTemplate:
        """Replace everything a user writes; steps that run from then on send what it says now.

        Args:
            caller: On whose behalf.
            template_id: Which template.
            version: The version the caller has read; None for any.
            raw: The new draft.

        Raises:
            InvalidError: The draft is wrong.
            NotFoundError: The caller may change no such template.
            StaleVersionError: It has another version by now.
            ConflictError: The name is taken, or workflows use the one that it has.
        """
        await breathe()
        draft = read(raw)
        return await self._write(caller, template_id, version, lambda _: draft)

    async def patch(self, caller: Caller, template_id: UUID, version: Expected, patch: Any) -> MessageTemplate:
        """Apply a JSON merge patch; arguments and errors as in ``replace``."""
        refuse_no_object(patch, "a merge patch")
        await breathe()

        def change(current: MessageTemplate) -> MessageTemplateDraft:
            return read(merge_patch(written(current, MessageTemplateDraft), patch, MessageTemplateDraft))

        return await self._write(caller, template_id, version, change)

    async def delete(self, caller: Caller, template_id: UUID, version: Expected) -> None:
        """Remove a template that no workflow uses. Errors as in ``replace``."""
        async with self._store.transaction(caller) as transaction:
            current = at_version(found(await transaction.get(template_id), _MISSING), version, _NOUN)
            await _refuse_used(transaction, current)
            await transaction.delete(template_id)

    async def _write(
        self,
        caller: Caller,
        template_id: UUID,
        version: Expected,
        change: Callable[[MessageTemplate], MessageTemplateDraft],
    ) -> MessageTemplate:
        async with self._store.transaction(caller) as transaction:
            current = at_version(found(await transaction.get(template_id), _MISSING), version, _NOUN)
            changed = next_version(current, fields(change(current)), self._now())
            if (changed.kind, changed.name) != (current.kind, current.name):
                await _refuse_used(transaction, current)
            return await transaction.update(changed)


def read(raw: Any) -> MessageTemplateDraft:
    """Check a draft, its texts as the action that uses it would.

    Raises:
        InvalidError: Something is wrong; each wrong field is in it.
    """
    return read_whole(raw, MessageTemplateDraft, _text_errors)


def _text_errors(said: Mapping[str, Any]) -> list[FieldError]:
    """Return what is wrong with the texts; of no known kind, only what is wrong with them as templates of any."""
    known = said.get("kind")
    kind: MessageKind = known or _OF_ALL_PARTS
    action = action_of(kind)
    message_text = action.message_text
    assert message_text is not None
    texts = {part: said.get(part, "") for part in _PARTS}
    foreign = [part for part, text in texts.items() if text and part not in message_text.parts.values()]
    errors = [FieldError(part, f"a template of the kind {kind} has none") for part in foreign]
    config = with_text(message_text, message_text.example, MessageText(**texts))
    for error in validate_config(action.name, config, "config"):
        path = error.path.removeprefix("config").lstrip(".")
        errors.append(FieldError(message_text.parts.get(path, path), error.message.replace(", or a template", "")))
    return errors if known else [error for error in errors if texts.get(error.path)]


def action_of(kind: MessageKind) -> AnyAction:
    """Return the action that sends templates of a kind."""
    return next(action for action in REGISTRY if action.message_text is not None and action.message_text.kind == kind)


async def _refuse_used(transaction: MessageTransaction, template: MessageTemplate) -> None:
    users = await transaction.workflows_with(template, action_of(template.kind).name)
    if users:
        named = ", ".join(repr(name) for name in users)
        raise ConflictError(f"Workflows use it by its name: {named}; change or delete them first")
