"""``send_whatsapp``: a text or a template message by Meta's WhatsApp Cloud API."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Final

import orjson
from pydantic import Field, TypeAdapter, ValidationInfo, ValidatorFunctionWrapHandler, WrapValidator

from app.actions.base import ActionContext, CompiledConfig, LeasedAction, MessageTextSpec, Ports
from app.actions.constants import judged_on_save
from app.actions.message_text import FROM_TEMPLATE, MessageTextConfig, OptionalWords
from app.actions.providers import Explained, OnUncertain, Provider, text_of
from app.actions.shown import Shown, Way, form
from app.actions.templated import Templated
from app.actions.values import filled_line, filled_text, phone, refuse
from app.domain.errors import ActionFailedError
from app.ports import HttpRequest, WhatsAppAccount
from schemas.together import Together, Wrong

MAX_TEXT_CHARS: Final = 4096
MAX_PARAMETERS: Final = 50
MAX_PARAMETER_CHARS: Final = 1024
MAX_HEADER_CHARS: Final = 60
SPACES_IN_A_ROW: Final = 4

# Limits that Meta reports with status 400: of the app, of the account, of throughput, of one pair of numbers.
THROTTLED: Final = frozenset({4, 80007, 130429, 131056})


def _parameter(field: str, value: Any, max_chars: int = MAX_PARAMETER_CHARS) -> dict[str, Any]:
    """Return one value, which Meta wants without line breaks, tabs and more than four spaces in a row."""
    checked = filled_line(field, value, max_chars=max_chars)
    if "\t" in checked or " " * (SPACES_IN_A_ROW + 1) in checked:
        refuse(field, "holds a tab or more than four spaces in a row, which WhatsApp refuses")
    return {"type": "text", "text": checked}


_Value = Annotated[str, judged_on_save(_parameter, even_empty=True)]
_BY_POSITION: Final = TypeAdapter(list[_Value])
_BY_NAME: Final = TypeAdapter(dict[str, _Value])


def _as_written(value: Any, _: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
    """Check against the form that is meant, so that an error names the value and no member of a union."""
    form = _BY_NAME if isinstance(value, Mapping) else _BY_POSITION
    return form.validate_python(value, context=info.context)


class SendWhatsAppConfig(Together, MessageTextConfig):
    """Whom to send what: ``text``, a message ``template``, or a ``meta_template`` with what goes into its variables."""

    model_config = form(
        "Send a WhatsApp message",
        "Writes to the customer by WhatsApp.",
        icon="message",
        family="Messages",
        message="whatsapp",
        summary=(
            "“{text}” to {to}",
            "approved template {meta_template} to {to}",
            "template {template} to {to}",
            "to {to}",
        ),
        choices={
            "The words": (
                Way("Write them here", ("text",)),
                Way("Use one that Meta approved", ("meta_template", "language", "header", "parameters")),
                FROM_TEMPLATE,
            )
        },
    )

    to: Annotated[
        str,
        Templated(),
        Shown("To", "One phone number, with + and the country in front.", "line", example="+49 30 901820"),
        Field(min_length=1, description="E.164, with + and country code"),
        judged_on_save(partial(phone, quote=True)),
    ] = "{{ customer.phone }}"
    text: Annotated[
        Annotated[str, Field(min_length=1)] | None,
        Templated(),
        OptionalWords,
        Shown("Text", "WhatsApp delivers it within 24 hours of the customer's last message.", "text"),
        Field(description="At most 4096 characters once rendered"),
        judged_on_save(partial(filled_text, max_chars=MAX_TEXT_CHARS)),
    ] = None
    meta_template: Annotated[
        Annotated[str, Field(pattern=r"^[a-z0-9_]{1,512}$")] | None,
        OptionalWords,
        Shown("Approved template", "Its name at Meta.", "line", example="order_update"),
        Field(description="Name of a template that Meta approved"),
    ] = None
    language: Annotated[
        str | None,
        Shown("Language", "As Meta calls it, such as en_US or pt_BR.", "line", example="en_US"),
        Field(pattern=r"^[a-z]{2,3}(_[A-Z]{2,3})?$", description="As at Meta: en_US"),
    ] = None
    header: Annotated[
        str | None,
        Templated(),
        Shown("For its header", "What goes into the variable of the template's header, if it has one.", "line"),
        Field(description="For the variable in a text header"),
        judged_on_save(partial(_parameter, max_chars=MAX_HEADER_CHARS), even_empty=True),
    ] = None
    parameters: Annotated[
        list[str] | dict[str, str],
        WrapValidator(_as_written),
        Templated(),
        Shown("For its variables", "What goes into the template's variables, a line each, in their order.", "lines"),
        Field(max_length=MAX_PARAMETERS, description="For the body's variables, by position or by name"),
    ] = Field(default_factory=list)
    on_uncertain: OnUncertain = "fail"

    @classmethod
    def wrong_together(cls, written: Mapping[str, Any]) -> Iterator[Wrong]:
        """One kind of text is needed, and what belongs to Meta's templates goes with one alone."""
        given = [name for name in ("text", "template", "meta_template") if written.get(name) is not None]
        if not given:
            yield "text", "one of text, template and meta_template is needed"
        if given == ["text", "meta_template"]:
            yield "meta_template", "cannot be given together with text"
        if written.get("meta_template") is not None:
            if written.get("language") is None:
                yield "language", "is needed with meta_template"
            return
        for name in ("language", "header", "parameters"):
            if written.get(name):
                yield name, "belongs to meta_template"


@dataclass(frozen=True, slots=True)
class WhatsAppRequest:
    """A rendered message: the members of Meta's message object."""

    to: str
    content: dict[str, Any]
    on_uncertain: OnUncertain


class SendWhatsApp(LeasedAction[SendWhatsAppConfig, WhatsAppRequest]):
    """Sends a WhatsApp message; output ``{message_id}``, Meta's.

    Request and limits as in https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages, errors as in
    https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes.
    """

    name = "send_whatsapp"
    family = "notification"
    config = SendWhatsAppConfig
    message_text = MessageTextSpec("whatsapp", {"text": "text"})
    takes_secrets = True

    def prepare(self, config: CompiledConfig[SendWhatsAppConfig], context: ActionContext) -> WhatsAppRequest:
        """Render and check the number, the text or what goes into the template."""
        fields = config.render(context.scope)
        content = _text(fields["text"]) if config.config.meta_template is None else _template(config.config, fields)
        return WhatsAppRequest(phone("to", fields["to"], quote=not config.secrets), content, config.config.on_uncertain)

    async def perform(self, request: WhatsAppRequest, ports: Ports, context: ActionContext) -> dict[str, Any]:
        """Hand the message to Meta, once."""
        account = ports.whatsapp
        if account is None:
            raise ActionFailedError("not set up: HEADRACE_WHATSAPP_PHONE_NUMBER_ID is not set", permanent=True)
        provider = Provider("WhatsApp", account.http, (account.access_token,), _explain)
        answer = await provider.send(_http(account, request, context), context, request.on_uncertain)
        return {"message_id": _message_id(answer)}


def _text(value: Any) -> dict[str, Any]:
    body = filled_text("text", value, max_chars=MAX_TEXT_CHARS)
    return {"type": "text", "text": {"preview_url": False, "body": body}}


def _template(config: SendWhatsAppConfig, fields: dict[str, Any]) -> dict[str, Any]:
    components = []
    if fields["header"] is not None:
        header = _parameter("header", fields["header"], MAX_HEADER_CHARS)
        components.append({"type": "header", "parameters": [header]})
    given = fields["parameters"]
    if isinstance(given, dict):
        body = [{**_parameter(f"parameters.{name}", v), "parameter_name": name} for name, v in given.items()]
    else:
        body = [_parameter(f"parameters[{index}]", value) for index, value in enumerate(given)]
    if body:
        components.append({"type": "body", "parameters": body})
    template = {"name": config.meta_template, "language": {"code": config.language}, "components": components}
    return {"type": "template", "template": template}


def _http(account: WhatsAppAccount, request: WhatsAppRequest, context: ActionContext) -> HttpRequest:
    message = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": request.to,
        **request.content,
        # Comes back with the status webhooks of this message, so that they can be matched to the execution.
        "biz_opaque_callback_data": str(context.effect_id),
    }
    headers = {"Authorization": f"Bearer {account.access_token}", "Content-Type": "application/json"}
    return HttpRequest("POST", f"{account.base_url}/{account.phone_number_id}/messages", headers, orjson.dumps(message))


def _message_id(answer: dict[str, Any]) -> str | None:
    match answer:
        case {"messages": [{"id": found}, *_]}:
            return text_of(found)
        case _:
            return None


def _explain(answer: dict[str, Any]) -> Explained:
    match answer:
        case {"error": {"code": int(code), **error}}:
            parts = (str(code), error.get("message"), _details(error))
            transient = code in THROTTLED or error.get("is_transient") is True
            return Explained(": ".join(part for part in parts if isinstance(part, str) and part), transient)
        case _:
            return Explained("")


def _details(error: dict[Any, Any]) -> Any:
    match error:
        case {"error_data": {"details": details}}:
            return details
        case _:
            return None
