"""``create_note``: write a note on a customer. One command writes one note, however often it is delivered."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any, Final

from pydantic import Field

from app.actions.base import ActionConfig, ActionContext, CompiledConfig, TransactionalAction
from app.actions.constants import judged_on_save
from app.actions.customer_field import CustomerId
from app.actions.rights import changing_customer
from app.actions.shown import Shown, form
from app.actions.templated import Templated
from app.actions.values import customer_id, filled_text
from app.domain.needs import Need
from app.ports import Crm, NoteRequest

MAX_NOTE_BYTES: Final = 64 * 1024
_note: Final = partial(filled_text, max_bytes=MAX_NOTE_BYTES)


class CreateNoteConfig(ActionConfig):
    """What to write, on whom."""

    model_config = form(
        "Write a note",
        "Keeps something at the customer for your colleagues to read.",
        icon="note",
        family="Customer",
        summary=("“{text}”",),
    )

    text: Annotated[
        str,
        Templated(),
        Shown("Note", "What your colleagues read at the customer.", "text"),
        Field(min_length=1, description="The note, at most 64 KiB once rendered"),
        judged_on_save(_note),
    ]
    customer_id: CustomerId = "{{ customer.id }}"


class CreateNote(TransactionalAction[CreateNoteConfig, NoteRequest]):
    """Writes a note; output ``{note_id}``."""

    name = "create_note"
    family = "crm"
    config = CreateNoteConfig

    def prepare(self, config: CompiledConfig[CreateNoteConfig], context: ActionContext) -> NoteRequest:
        """Render and check the text and the customer."""
        fields = config.render(context.scope)
        customer = customer_id("customer_id", fields["customer_id"])
        return NoteRequest(note_id=context.effect_id, customer_id=customer, text=_note("text", fields["text"]))

    def needs(self, request: NoteRequest, context: ActionContext) -> Need | None:
        """Return what changing that customer needs."""
        return changing_customer(request.customer_id, context)

    async def perform_all(self, requests: Sequence[NoteRequest], crm: Crm) -> list[dict[str, Any]]:
        """Write a batch of notes."""
        await crm.create_notes(requests)
        return [{"note_id": str(request.note_id)} for request in requests]
