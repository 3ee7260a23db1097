"""What actions reach: mail, text messages, WhatsApp, the CRM, webhooks."""

import re
from typing import Final, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from app.settings.base import Group, Networks, networks

_URL_OR_NAME: Final = re.compile(r"[a-z][a-z0-9+.-]*://\S+|[^\s:/][^:/]{0,99}", re.IGNORECASE)


class ChannelSettings(Group):
    """Servers, accounts and senders of what goes out, and what webhooks may reach."""

    smtp_host: str = Field("127.0.0.1", description="Mail server")
    smtp_port: int = Field(25, ge=1, le=65535, description="Its port")
    smtp_username: str = Field("", description="User at the mail server; empty: no login")
    smtp_password: SecretStr = Field(SecretStr(""), description="The user's password")
    smtp_tls: str = Field("none", pattern="^(none|starttls|tls)$", description="How mail is encrypted on its way there")
    mail_from: str = Field(
        "Headrace <headrace@localhost.localdomain>",
        description="Sender of every mail; we greet the mail server by its domain",
    )
    twilio_base_url: str = Field(
        "https://api.twilio.com", pattern=r"^https?://[^/]", description="Where text messages are handed in"
    )
    twilio_account_sid: str = Field(
        "", pattern=r"^$|^AC[0-9a-f]{32}$", description="Twilio's account; empty: no text messages"
    )
    twilio_auth_token: SecretStr = Field(SecretStr(""), description="Its token")
    twilio_from: str = Field("", description="Sender: a number in E.164, a short code or an alphanumeric sender id")
    twilio_messaging_service_sid: str = Field(
        "", pattern=r"^$|^MG[0-9a-f]{32}$", description="Twilio's pool of senders, instead of one"
    )
    whatsapp_base_url: str = Field(
        "https://graph.facebook.com", pattern=r"^https?://[^/]", description="Where WhatsApp messages are handed in"
    )
    whatsapp_api_version: str = Field("v23.0", pattern=r"^v[0-9]+\.[0-9]+$", description="Version of its API")
    whatsapp_phone_number_id: str = Field(
        "", pattern=r"^[0-9]*$", description="Sender's id at WhatsApp; empty: no WhatsApp messages"
    )
    whatsapp_access_token: SecretStr = Field(SecretStr(""), description="Its token")
    crm_url: str = Field(
        "",
        pattern=r"^$|^https?://[^/@?#]+(/[^@?#]*)?$",
        description="The user's own CRM (docs/crm-http.md); empty: built in",
    )
    crm_token: SecretStr = Field(SecretStr(""), description="Bearer token for it")
    admin_alert_channels: SecretStr = Field(
        SecretStr(""),
        alias="ADMIN_ALERT_CHANNELS",
        description="Whom the scheduler tells of alerts (docs/alerts.md): URLs of Apprise or names of channels, commas"
        " between; none: nobody",
    )
    webhook_allow_private: bool = Field(default=False, description="Let webhooks reach private and loopback addresses")
    webhook_allow_networks: str = Field(
        "", description="Networks that webhooks may reach although they are private: 10.1.0.0/16, commas between"
    )

    @model_validator(mode="after")
    def _message_providers_are_whole(self) -> Self:
        if self.twilio_account_sid and not self.twilio_auth_token.get_secret_value():
            raise ValueError("HEADRACE_TWILIO_AUTH_TOKEN is needed with HEADRACE_TWILIO_ACCOUNT_SID")
        if self.twilio_account_sid and bool(self.twilio_from) == bool(self.twilio_messaging_service_sid):
            raise ValueError("one of HEADRACE_TWILIO_FROM and HEADRACE_TWILIO_MESSAGING_SERVICE_SID is needed")
        if self.whatsapp_phone_number_id and not self.whatsapp_access_token.get_secret_value():
            raise ValueError("HEADRACE_WHATSAPP_ACCESS_TOKEN is needed with HEADRACE_WHATSAPP_PHONE_NUMBER_ID")
        return self

    @field_validator("webhook_allow_networks")
    @classmethod
    def _allowed_are_networks(cls, value: str) -> str:
        networks(value)  # raises ValueError, which says what is wrong with it
        return value

    @field_validator("admin_alert_channels")
    @classmethod
    def _channels_are_urls_or_names(cls, value: SecretStr) -> SecretStr:
        for place, one in enumerate(_listed(value), start=1):
            if not _URL_OR_NAME.fullmatch(one):
                raise ValueError(f"its channel {place} is neither a URL of Apprise nor a channel's name")
        return value

    @property
    def alert_channels(self) -> tuple[str, ...]:
        """What ``admin_alert_channels`` lists, each once."""
        return tuple(dict.fromkeys(_listed(self.admin_alert_channels)))

    @property
    def allowed_networks(self) -> Networks:
        """What ``webhook_allow_networks`` lists."""
        return networks(self.webhook_allow_networks)


def _listed(value: SecretStr) -> list[str]:
    return [one for one in map(str.strip, value.get_secret_value().split(",")) if one]
