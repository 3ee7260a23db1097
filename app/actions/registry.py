"""Every action type there is. Adding one: its file, its test, one line here."""

from collections.abc import Iterable, Iterator
from typing import Final

from app.actions.apply_tag import ApplyTag
from app.actions.assign_conversation import AssignConversation
from app.actions.base import FAMILIES, AnyAction, Family
from app.actions.create_appointment import CreateAppointment
from app.actions.create_note import CreateNote
from app.actions.create_task import CreateTask
from app.actions.delay import Delay
from app.actions.remove_tag import RemoveTag
from app.actions.send_email import SendEmail
from app.actions.send_notification import SendNotification
from app.actions.send_sms import SendSms
from app.actions.send_whatsapp import SendWhatsApp
from app.actions.stop_workflow import StopWorkflow
from app.actions.update_customer import UpdateCustomer
from app.actions.webhook import Webhook


class Registry:
    """Action types by name, in the order they were given.

    Raises:
        ValueError: Two types share a name, or one names a family that does not exist.
    """

    def __init__(self, actions: Iterable[AnyAction]) -> None:
        self._by_name: dict[str, AnyAction] = {}
        for action in actions:
            if action.name in self._by_name:
                raise ValueError(f"two action types are named {action.name!r}")
            if action.family not in FAMILIES:
                raise ValueError(f"{action.name}: no family {action.family!r}")
            self._by_name[action.name] = action

    def __iter__(self) -> Iterator[AnyAction]:
        return iter(self._by_name.values())

    def find(self, name: str) -> AnyAction | None:
        """Return the action type of that name, or None."""
        return self._by_name.get(name)

    def names(self) -> list[str]:
        """Return every type's name."""
        return list(self._by_name)

    def of_family(self, family: Family) -> list[AnyAction]:
        """Return a family's action types: what one executor process carries out."""
        return [action for action in self if action.family == family]


REGISTRY: Final = Registry(
    (
        SendEmail(),
        SendNotification(),
        SendSms(),
        SendWhatsApp(),
        ApplyTag(),
        RemoveTag(),
        CreateNote(),
        UpdateCustomer(),
        CreateAppointment(),
        AssignConversation(),
        CreateTask(),
        Webhook(),
        Delay(),
        StopWorkflow(),
    )
)
