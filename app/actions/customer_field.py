"""The field that says whose customer something is done to, as most actions on the CRM have it."""

from typing import Annotated

from pydantic import Field

from app.actions.constants import judged_on_save
from app.actions.shown import Shown
from app.actions.templated import Templated
from app.actions.values import customer_id

CustomerId = Annotated[
    str,
    Templated(),
    Shown("Customer", "Whose id it is. Leave it as it is for the customer whom the event is about.", "line", more=True),
    Field(min_length=1, description="Whom; by default the event's customer"),
    judged_on_save(customer_id),
]
