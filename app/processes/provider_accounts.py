"""From settings to the accounts at providers of text messages; None where the administrator set up none."""

from app.ports import HttpClient, TwilioAccount, WhatsAppAccount
from app.settings import Settings


def twilio_account(settings: Settings, http: HttpClient) -> TwilioAccount | None:
    """Return the account at Twilio; ``http`` may reach private addresses, for an administrator chose the base URL."""
    if not settings.twilio_account_sid:
        return None
    by_service = ("MessagingServiceSid", settings.twilio_messaging_service_sid)
    return TwilioAccount(
        http=http,
        base_url=settings.twilio_base_url.rstrip("/"),
        account_sid=settings.twilio_account_sid,
        auth_token=settings.twilio_auth_token.get_secret_value(),
        sender=by_service if by_service[1] else ("From", settings.twilio_from),
    )


def whatsapp_account(settings: Settings, http: HttpClient) -> WhatsAppAccount | None:
    """Return the phone number at Meta; ``http`` as above."""
    if not settings.whatsapp_phone_number_id:
        return None
    return WhatsAppAccount(
        http=http,
        base_url=f"{settings.whatsapp_base_url.rstrip('/')}/{settings.whatsapp_api_version}",
        phone_number_id=settings.whatsapp_phone_number_id,
        access_token=settings.whatsapp_access_token.get_secret_value(),
    )
