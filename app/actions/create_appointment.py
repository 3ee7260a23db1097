"""``create_appointment``: make an appointment with a customer. One command makes one, however often it is delivered."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any, Final

from pydantic import Field, ValidationInfo, field_validator

from app.actions.base import ActionConfig, ActionContext, CompiledConfig, TransactionalAction, is_stored
from app.actions.constants import judged_on_save
from app.actions.customer_field import CustomerId
from app.actions.rights import changing_customer
from app.actions.shown import Shown, form
from app.actions.templated import Templated
from app.actions.values import (
    MAX_ASSIGNEE_CHARS,
    customer_id,
    filled_line,
    is_distance,
    later,
    optional_later,
    optional_line,
    refuse,
)
from app.domain.clock import utc_now
from app.domain.errors import ActionFailedError
from app.domain.needs import Need
from app.domain.times import EPOCH
from app.ports import AppointmentRequest, Crm

MAX_TITLE_CHARS: Final = 255
_NOT_BEFORE: Final = "must be after starts_at"


class CreateAppointmentConfig(ActionConfig):
    """With whom, when, what for."""

    model_config = form(
        "Make an appointment",
        "Puts a date with the customer into your calendar.",
        icon="calendar",
        family="Work",
        summary=("“{title}” {starts_at}", "“{title}”"),
    )

    title: Annotated[
        str,
        Templated(),
        Shown("What it is for", "One line, as it stands in the calendar.", "line", example="Call {{ customer.name }}"),
        Field(min_length=1, description="One line, at most 255 characters"),
        judged_on_save(partial(filled_line, max_chars=MAX_TITLE_CHARS)),
    ]
    starts_at: Annotated[
        str,
        Templated(),
        Shown("When it starts", "How long from now, such as 2d or 3h, or a date and time.", "moment", example="2d"),
        Field(min_length=1, description="A time, or a distance from now such as 3d or 12h"),
        judged_on_save(partial(later, now=EPOCH)),
    ]
    ends_at: Annotated[
        str | None,
        Templated(),
        Shown("When it ends", "The same. Leave it empty where that is open.", "moment", more=True),
        Field(description="The same; must be after the start"),
        judged_on_save(partial(optional_later, now=EPOCH)),
    ] = None
    assignee: Annotated[
        str | None,
        Templated(),
        Shown("Who keeps it", "A colleague's e-mail or name. Leave it empty for nobody yet.", "line"),
        Field(description="Who keeps it; nobody if left out"),
        judged_on_save(partial(optional_line, max_chars=MAX_ASSIGNEE_CHARS)),
    ] = None
    customer_id: CustomerId = "{{ customer.id }}"

    @field_validator("ends_at")
    @classmethod
    def _ends_after_it_starts(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value and not is_stored(info) and _ends_too_early(info.data.get("starts_at", ""), value):
            raise ValueError(_NOT_BEFORE)
        return value


def _ends_too_early(starts: str, ends: str) -> bool:
    """Tell whether it would in every run from now on; a start by the calendar is passed by any distance one day."""
    now = utc_now()
    try:
        early = later("ends_at", ends, now) <= later("starts_at", starts, now)
    except ActionFailedError:
        return False
    return early and (is_distance(starts) or not is_distance(ends))


class CreateAppointment(TransactionalAction[CreateAppointmentConfig, AppointmentRequest]):
    """Makes an appointment; output ``{appointment_id, starts_at}``."""

    name = "create_appointment"
    family = "workflow"
    config = CreateAppointmentConfig

    def prepare(self, config: CompiledConfig[CreateAppointmentConfig], context: ActionContext) -> AppointmentRequest:
        """Render and check."""
        fields = config.render(context.scope)
        now = context.now()
        starts_at = later("starts_at", fields["starts_at"], now)
        ends_at = optional_later("ends_at", fields["ends_at"], now)
        if ends_at is not None and ends_at <= starts_at:
            refuse("ends_at", _NOT_BEFORE)
        return AppointmentRequest(
            appointment_id=context.effect_id,
            customer_id=customer_id("customer_id", fields["customer_id"]),
            title=filled_line("title", fields["title"], max_chars=MAX_TITLE_CHARS),
            starts_at=starts_at,
            ends_at=ends_at,
            assignee=optional_line("assignee", fields["assignee"], max_chars=MAX_ASSIGNEE_CHARS),
            origin=context.origin,
        )

    def needs(self, request: AppointmentRequest, context: ActionContext) -> Need | None:
        """Return what changing that customer needs."""
        return changing_customer(request.customer_id, context)

    async def perform_all(self, requests: Sequence[AppointmentRequest], crm: Crm) -> list[dict[str, Any]]:
        """Make a batch of appointments."""
        await crm.create_appointments(requests)
        return [
            {"appointment_id": str(request.appointment_id), "starts_at": request.starts_at.isoformat()}
            for request in requests
        ]
