"""The families of action types: each is an executor role of its own."""

from typing import Final, Literal

Family = Literal["notification", "crm", "workflow", "system"]
FAMILIES: Final[tuple[Family, ...]] = ("notification", "crm", "workflow", "system")
