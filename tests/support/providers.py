"""Accounts at the stand-in of Twilio and Meta, and ports that lead there."""

from dataclasses import replace
from typing import Final

from app.actions.base import Ports
from app.embedded.message_providers import MessageProviders
from app.embedded.provider_logins import Login
from app.ports import HttpClient, TwilioAccount, WhatsAppAccount
from tests.support.fake_mailer import FakeMailer

LOGIN: Final = Login(
    account_sid="AC0123456789abcdef0123456789abcdef",
    auth_token="twilio-token-of-tests",
    number="+15005550006",
    phone_number_id="106540352242922",
    access_token="meta-token-of-tests",
)


def ports_of(http: HttpClient, url: str = "https://provider.example", login: Login = LOGIN) -> Ports:
    """Return ports whose message providers are at ``url``, reached by ``http``."""
    twilio = TwilioAccount(http, url, login.account_sid, login.auth_token, ("From", login.number))
    meta = WhatsAppAccount(http, f"{url}/v23.0", login.phone_number_id, login.access_token)
    return Ports(http=http, mail=FakeMailer(), mail_from="shop@shop.example", sms=twilio, whatsapp=meta)


def stranger() -> Login:
    """Return a login with the wrong secrets."""
    return replace(LOGIN, auth_token="wrong-one", access_token="wrong-two")


def variables_of(providers: MessageProviders) -> dict[str, str]:
    """Return the variables that let executors send to the stand-in."""
    return {
        "HEADRACE_TWILIO_BASE_URL": providers.url,
        "HEADRACE_TWILIO_ACCOUNT_SID": LOGIN.account_sid,
        "HEADRACE_TWILIO_AUTH_TOKEN": LOGIN.auth_token,
        "HEADRACE_TWILIO_FROM": LOGIN.number,
        "HEADRACE_WHATSAPP_BASE_URL": providers.url,
        "HEADRACE_WHATSAPP_PHONE_NUMBER_ID": LOGIN.phone_number_id,
        "HEADRACE_WHATSAPP_ACCESS_TOKEN": LOGIN.access_token,
    }
