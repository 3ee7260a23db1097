"""Whom or what a prepared request would reach, in the same words for every action that sends something."""

from collections.abc import Sequence
from typing import Any

from app.actions.send_notification import NotificationRequest
from app.actions.send_sms import SmsRequest
from app.actions.send_whatsapp import WhatsAppRequest
from app.actions.webhook import WebhookRequest
from app.ports import MailMessage
from app.services.operations.dry_run_report import Destination


def goes_to(request: Any, service: str | None) -> Sequence[Destination]:
    """Return it; empty for what sends nothing.

    Args:
        request: What the action would send; anything else goes nowhere.
        service: What the request's channel leads to, where it has one that it may use.
    """
    match request:
        case MailMessage():
            return [Destination(kind="email", address=one) for one in (*request.to, *request.cc, *request.bcc)]
        case SmsRequest() | WhatsAppRequest():
            return [Destination(kind="phone" if isinstance(request, SmsRequest) else "whatsapp", address=request.to)]
        case WebhookRequest():
            return [Destination(kind="url", address=request.http.url)]
        case NotificationRequest(channel=None):
            return [Destination(kind="inbox", address=str(request.user))]
        case NotificationRequest():
            return [Destination(kind="channel", address=str(request.channel), service=service)]
        case _:
            return []
