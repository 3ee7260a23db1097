"""Every action type there is. Adding one: its file, its test, one line here.

A process that only has to know their names, as the matcher, does not load what they are: a type is imported when it is
asked for.
"""

from collections.abc import Iterable, Iterator
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Final, cast

from app.actions.families import FAMILIES, Family

if TYPE_CHECKING:
    from app.actions.base import AnyAction


class Listed:
    """An action type that is known by name and family, and loaded at its first use.

    Args:
        name: Its name.
        family: Its family.
        class_name: Its class, in the module of ``app.actions`` that has the type's name.
    """

    def __init__(self, name: str, family: Family, class_name: str) -> None:
        self.name = name
        self.family = family
        self._class_name = class_name

    @cached_property
    def action(self) -> "AnyAction":
        """The action type.

        Raises:
            ValueError: Its class has another name or family.
        """
        found = cast("AnyAction", getattr(import_module(f"app.actions.{self.name}"), self._class_name)())
        if (found.name, found.family) != (self.name, self.family):
            raise ValueError(f"{self._class_name} is {found.name!r} of {found.family!r}, and is listed as another")
        return found


class Registry:
    """Action types by name, in the order they were given.

    Raises:
        ValueError: Two types share a name, or one names a family that does not exist.
    """

    def __init__(self, listed: Iterable[Listed]) -> None:
        self._by_name: dict[str, Listed] = {}
        for one in listed:
            if one.name in self._by_name:
                raise ValueError(f"two action types are named {one.name!r}")
            if one.family not in FAMILIES:
                raise ValueError(f"{one.name}: no family {one.family!r}")
            self._by_name[one.name] = one

    def __iter__(self) -> Iterator["AnyAction"]:
        return (one.action for one in self._by_name.values())

    def find(self, name: str) -> "AnyAction | None":
        """Return the action type of that name, or None."""
        listed = self._by_name.get(name)
        return None if listed is None else listed.action

    def names(self, family: Family | None = None) -> list[str]:
        """Return every type's name, or those of one family."""
        return [name for name, one in self._by_name.items() if family in (None, one.family)]

    def of_family(self, family: Family) -> list["AnyAction"]:
        """Return a family's action types: what one executor process carries out."""
        return [self._by_name[name].action for name in self.names(family)]


REGISTRY: Final = Registry(
    (
        Listed("send_email", "notification", "SendEmail"),
        Listed("send_notification", "notification", "SendNotification"),
        Listed("send_sms", "notification", "SendSms"),
        Listed("send_whatsapp", "notification", "SendWhatsApp"),
        Listed("apply_tag", "crm", "ApplyTag"),
        Listed("remove_tag", "crm", "RemoveTag"),
        Listed("create_note", "crm", "CreateNote"),
        Listed("update_customer", "crm", "UpdateCustomer"),
        Listed("create_appointment", "workflow", "CreateAppointment"),
        Listed("assign_conversation", "workflow", "AssignConversation"),
        Listed("create_task", "workflow", "CreateTask"),
        Listed("webhook", "system", "Webhook"),
        Listed("delay", "system", "Delay"),
        Listed("stop_workflow", "system", "StopWorkflow"),
    )
)
