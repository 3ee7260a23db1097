"""Where customers are shown: an id may hold anything, also what parts a path."""

from typing import Final

from app.admin.segments import segment

ROOT: Final = "/customers"


def customer_path(customer_id: str, below: str = "") -> str:
    """Return the path of a customer, or of what is below it."""
    return f"{ROOT}/{segment(customer_id)}{below}"
