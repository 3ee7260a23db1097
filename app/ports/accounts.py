"""Accounts at providers of text messages that an administrator set up, and the client that reaches each."""

from dataclasses import dataclass, field

from app.ports.http import HttpClient


@dataclass(frozen=True, slots=True)
class TwilioAccount:
    """An account at Twilio.

    Attributes:
        base_url: Without a slash at its end.
        sender: ``From`` or ``MessagingServiceSid``, with its value.
    """

    http: HttpClient
    base_url: str
    account_sid: str
    auth_token: str = field(repr=False)
    sender: tuple[str, str]


@dataclass(frozen=True, slots=True)
class WhatsAppAccount:
    """A phone number at Meta's WhatsApp Cloud API.

    Attributes:
        base_url: The URL with the API's version, without a slash at its end.
    """

    http: HttpClient
    base_url: str
    phone_number_id: str
    access_token: str = field(repr=False)
