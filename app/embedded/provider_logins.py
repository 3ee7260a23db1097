"""What the stand-in of Twilio and Meta and the roles that send to it know each other by; made at the first start."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.processes.home import read_json, write_json

_NUMBER = "+15005550006"
_PROVIDERS = ("HEADRACE_TWILIO_", "HEADRACE_WHATSAPP_")


@dataclass(frozen=True, slots=True)
class Login:
    """Who may send: the account at Twilio with its one number, and the phone number at Meta."""

    account_sid: str
    auth_token: str = field(repr=False)
    number: str
    phone_number_id: str
    access_token: str = field(repr=False)


def stand_in_variables(home: Path) -> dict[str, str]:
    """Return the credentials of this installation's stand-in, as the variables that the roles read."""
    saved = read_json(home / "providers.json")
    if not saved:
        saved = {
            "HEADRACE_TWILIO_ACCOUNT_SID": f"AC{secrets.token_hex(16)}",
            "HEADRACE_TWILIO_AUTH_TOKEN": secrets.token_hex(16),
            "HEADRACE_TWILIO_FROM": _NUMBER,
            "HEADRACE_WHATSAPP_PHONE_NUMBER_ID": str(10**14 + secrets.randbelow(10**14)),
            "HEADRACE_WHATSAPP_ACCESS_TOKEN": secrets.token_urlsafe(36),
        }
        write_json(home / "providers.json", saved)
    return saved


def role_variables(home: Path, url: str) -> dict[str, str]:
    """Return what points the roles to the stand-in at ``url``; nothing of a provider that the user has set up."""
    urls = {"HEADRACE_TWILIO_BASE_URL": url, "HEADRACE_WHATSAPP_BASE_URL": url}
    users = tuple(one for one in _PROVIDERS if any(name.startswith(one) for name in os.environ))
    return {name: value for name, value in {**stand_in_variables(home), **urls}.items() if not name.startswith(users)}


def login_of(variables: Mapping[str, str]) -> Login:
    """Return who may send, from the variables that the roles read.

    Raises:
        KeyError: One is not set.
    """
    return Login(
        account_sid=variables["HEADRACE_TWILIO_ACCOUNT_SID"],
        auth_token=variables["HEADRACE_TWILIO_AUTH_TOKEN"],
        number=variables["HEADRACE_TWILIO_FROM"],
        phone_number_id=variables["HEADRACE_WHATSAPP_PHONE_NUMBER_ID"],
        access_token=variables["HEADRACE_WHATSAPP_ACCESS_TOKEN"],
    )
