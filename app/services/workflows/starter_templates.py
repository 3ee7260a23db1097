"""The built-in templates: twelve that a business can use as they are, ready to apply or to change."""

from typing import Any, Final
from uuid import UUID, uuid5

from app.services.workflows.starters.customers import CUSTOMERS
from app.services.workflows.starters.sales import SALES
from app.services.workflows.starters.support import SUPPORT

NAMESPACE: Final = UUID("5d1b1a4e-6f0e-5a8e-9b1c-2f4c7c0e8a11")
OWNER: Final = UUID("00000000-0000-4000-8000-6865616472ac")

STARTERS: Final = (*CUSTOMERS, *SALES, *SUPPORT)


def is_built_in(template_id: UUID) -> bool:
    """Tell whether a template is a built-in one, whoever it was stored for."""
    return template_id in _IDS


def starter_id(draft: dict[str, Any]) -> UUID:
    """Return a built-in template's id: the same in every installation."""
    return uuid5(NAMESPACE, draft["name"])


_IDS: Final = frozenset(map(starter_id, STARTERS))
