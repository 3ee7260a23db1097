"""``update_customer``: change fields of a customer; what is the same already changes nothing and announces nothing."""

from collections.abc import Sequence
from typing import Annotated, Any

import orjson
from pydantic import Field, ValidationInfo, field_validator

from app.actions.base import ActionConfig, ActionContext, CompiledConfig, TransactionalAction, is_stored
from app.actions.constants import judged_on_save
from app.actions.customer_field import CustomerId
from app.actions.rights import changing_customer
from app.actions.shown import Shown, form
from app.actions.templated import Templated
from app.actions.typed_json import repeated_problem
from app.actions.values import customer_id, refuse, text
from app.domain.needs import Need
from app.domain.profiles import MAX_CHANGE_BYTES, MAX_FIELDS, name_problem
from app.ports import Crm, CustomerUpdate


def _changes(field: str, changes: dict[str, Any]) -> dict[str, Any]:
    for name, value in changes.items():
        if isinstance(value, str):
            text(f"{field}.{name}", value)
    try:
        encoded = orjson.dumps(changes)
    except TypeError:
        refuse(field, "holds a value that cannot be written as JSON")
    if b"\\u0000" in encoded:
        refuse(field, "holds a NUL character")
    if len(encoded) > MAX_CHANGE_BYTES:
        refuse(field, f"has {len(encoded)} bytes; at most {MAX_CHANGE_BYTES} are allowed")
    return changes


class UpdateCustomerConfig(ActionConfig):
    """Which fields become what, of whom."""

    model_config = form(
        "Change the customer",
        "Writes new values into fields of the customer's profile.",
        icon="pencil",
        family="Customer",
        summary=("{set}",),
    )

    set: Annotated[
        dict[str, Any],
        Templated(),
        Shown("New values", "The name of each field, and what it becomes. Write null to remove a field.", "pairs"),
        Field(min_length=1, max_length=MAX_FIELDS, description="New values by field name; null removes the field"),
        judged_on_save(_changes),
    ]
    customer_id: CustomerId = "{{ customer.id }}"

    @field_validator("set")
    @classmethod
    def _names_are_fields(cls, value: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        repeated = None if is_stored(info) else repeated_problem(value)
        for problem in (*map(name_problem, value), repeated):
            if problem is not None:
                raise ValueError(problem)
        return value


class UpdateCustomer(TransactionalAction[UpdateCustomerConfig, CustomerUpdate]):
    """Changes a customer; output ``{changed: [names]}``."""

    name = "update_customer"
    family = "crm"
    config = UpdateCustomerConfig

    def prepare(self, config: CompiledConfig[UpdateCustomerConfig], context: ActionContext) -> CustomerUpdate:
        """Render and check the values and the customer."""
        fields = config.render(context.scope)
        changes = _changes("set", fields["set"])
        return CustomerUpdate(customer_id("customer_id", fields["customer_id"]), changes, context.origin)

    def needs(self, request: CustomerUpdate, context: ActionContext) -> Need | None:
        """Return what changing that customer needs."""
        return changing_customer(request.customer_id, context)

    async def perform_all(self, requests: Sequence[CustomerUpdate], crm: Crm) -> list[dict[str, Any]]:
        """Change a batch of customers."""
        return [{"changed": names} for names in await crm.update_customers(requests)]
