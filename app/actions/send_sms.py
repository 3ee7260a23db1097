"""``send_sms``: a text message by Twilio's Messages API."""

from base64 import b64encode
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from pydantic import Field

from app.actions.base import ActionContext, CompiledConfig, LeasedAction, MessageTextSpec, Ports
from app.actions.constants import judged_on_save
from app.actions.message_text import FROM_TEMPLATE, MessageTextConfig, NeededWords
from app.actions.providers import Explained, OnUncertain, Provider, text_of
from app.actions.shown import Shown, Way, form
from app.actions.templated import Templated
from app.actions.values import filled_text, phone
from app.domain.errors import ActionFailedError
from app.ports import HttpRequest, TwilioAccount

MAX_SMS_CHARS: Final = 1600


class SendSmsConfig(MessageTextConfig):
    """Whom to send what: a text of its own, or a message template."""

    model_config = form(
        "Send a text message",
        "Writes an SMS to the customer's phone.",
        icon="phone",
        family="Messages",
        message="sms",
        summary=("“{text}” to {to}", "template {template} to {to}", "to {to}"),
        choices={"The words": (Way("Write them here", ("text",)), FROM_TEMPLATE)},
    )

    to: Annotated[
        str,
        Templated(),
        Shown("To", "One phone number, with + and the country in front.", "line", example="+49 30 901820"),
        Field(min_length=1, description="E.164, with + and country code"),
        judged_on_save(partial(phone, quote=True)),
    ] = "{{ customer.phone }}"
    text: Annotated[
        str,
        Templated(),
        NeededWords,
        Shown("Text", "At most 1,600 characters once it is filled in.", "text"),
        Field(validate_default=True, description="At most 1600 characters once rendered"),
        judged_on_save(partial(filled_text, max_chars=MAX_SMS_CHARS)),
    ] = ""
    on_uncertain: OnUncertain = "fail"


@dataclass(frozen=True, slots=True)
class SmsRequest:
    """A rendered text message."""

    to: str
    text: str
    on_uncertain: OnUncertain


class SendSms(LeasedAction[SendSmsConfig, SmsRequest]):
    """Sends a text message; output ``{sid, status}``, both Twilio's.

    Request, limits and errors as in https://www.twilio.com/docs/messaging/api/message-resource. Twilio advises against
    logic on its error codes, so the HTTP status decides.
    """

    name = "send_sms"
    family = "notification"
    config = SendSmsConfig
    message_text = MessageTextSpec("sms", {"text": "text"})
    takes_secrets = True

    def prepare(self, config: CompiledConfig[SendSmsConfig], context: ActionContext) -> SmsRequest:
        """Render and check the number and the text."""
        fields = config.render(context.scope)
        to = phone("to", fields["to"], quote=not config.secrets)
        return SmsRequest(to, filled_text("text", fields["text"], max_chars=MAX_SMS_CHARS), config.config.on_uncertain)

    async def perform(self, request: SmsRequest, ports: Ports, context: ActionContext) -> dict[str, Any]:
        """Hand the message to Twilio, once."""
        account = ports.sms
        if account is None:
            raise ActionFailedError("not set up: HEADRACE_TWILIO_ACCOUNT_SID is not set", permanent=True)
        provider = Provider("Twilio", account.http, (account.auth_token, _login(account)), _explain)
        answer = await provider.send(_http(account, request), context, request.on_uncertain)
        return {"sid": text_of(answer.get("sid")), "status": text_of(answer.get("status"))}


def _http(account: TwilioAccount, request: SmsRequest) -> HttpRequest:
    name, value = account.sender
    form = urlencode({"To": request.to, name: value, "Body": request.text})
    return HttpRequest(
        "POST",
        f"{account.base_url}/2010-04-01/Accounts/{account.account_sid}/Messages.json",
        {"Authorization": f"Basic {_login(account)}", "Content-Type": "application/x-www-form-urlencoded"},
        form.encode(),
    )


def _login(account: TwilioAccount) -> str:
    return b64encode(f"{account.account_sid}:{account.auth_token}".encode()).decode()


def _explain(error: dict[str, Any]) -> Explained:
    code, message = error.get("code"), error.get("message")
    return Explained(": ".join(str(part) for part in (code, message) if part is not None))
