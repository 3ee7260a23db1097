"""What permissions, roles and ways to sign in are called, by people who have never seen their names."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.domain.callers import Permission, Role
from app.domain.sessions import How


@dataclass(frozen=True, slots=True)
class Said:
    """A name, and what it means."""

    title: str
    meaning: str


PERMISSIONS: Final[Mapping[Permission, Said]] = {
    "crm:read": Said("See customers", "Customers, orders, partners and conversations, also in what workflows look up"),
    "crm:write": Said("Change customers", "Also by workflows, for others than the customer that an event is about"),
    "events:write": Said("Send events", "Which may run everybody's workflows"),
    "templates:publish": Said("Publish workflow templates", "So that everybody finds them in the gallery"),
    "messages:any": Said("Notify anybody", "Workflows may put notifications into other users' inboxes"),
    "operate": Said("Operate", "Dead letters, everybody's queue, breakers, and what is set aside"),
}
ROLES: Final[Mapping[Role, Said]] = {
    "user": Said("User", "Makes workflows of their own, and may what is ticked below"),
    "admin": Said("Administrator", "May everything, sees everybody's workflows, and sets up who may what"),
}
HOW: Final[Mapping[How, str]] = {
    "password": "with a password",
    "link": "by a link",
    "openid": "at your organization",
}
KINDS: Final[Mapping[str, str]] = {
    "email": "E-mail",
    "sms": "SMS",
    "whatsapp": "WhatsApp",
    "notification": "Notification",
}
