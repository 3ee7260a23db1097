"""What Twilio and Meta refuse of a message, by their documentation. Pure; a fault is None where all is well.

Twilio: https://www.twilio.com/docs/messaging/api/message-resource and https://www.twilio.com/docs/api/errors.
Meta: https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages and .../support/error-codes.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

_E164: Final = re.compile(r"\+[1-9][0-9]{1,14}")
_SMS_CHARS: Final = 1600
_TEXT_CHARS: Final = 4096
_BAD_PARAMETER: Final = re.compile(r"[\n\r\t]| {5}")

# Templates that the stand-in has approved, with their body's variables: how many, or their names.
TEMPLATES: Final[dict[tuple[str, str], int | frozenset[str]]] = {
    ("hello_world", "en_US"): 0,
    ("order_update", "en_US"): 2,
    ("appointment_reminder", "en_US"): frozenset({"name", "time"}),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """An error as the provider answers it."""

    status: int
    code: int
    message: str


def sms_fault(form: Mapping[str, list[str]], sender: str) -> Fault | None:
    """Return what is wrong with a form sent to Twilio's Messages.json by the owner of the number ``sender``."""
    for name, values in form.items():
        if len(values) > 1:
            return Fault(400, 21620, f"{name} is given more than once")
    to, body = (form.get(name, [""])[0] for name in ("To", "Body"))
    if not to:
        return Fault(400, 21604, "A 'To' phone number is required.")
    if not _E164.fullmatch(to):
        return Fault(400, 21211, f"Invalid 'To' Phone Number: {to}")
    if not body:
        return Fault(400, 21602, "Message body is required.")
    if len(body) > _SMS_CHARS:
        return Fault(400, 21658, "Parameter 'Body' exceeded the 1600 character limit.")
    return _sender_fault(form, to, sender)


def _sender_fault(form: Mapping[str, list[str]], to: str, sender: str) -> Fault | None:
    given = form.get("From", [""])[0]
    if not given and not form.get("MessagingServiceSid"):
        return Fault(400, 21603, "A 'From' phone number is required.")
    if given and given != sender:
        return Fault(400, 21606, f"The 'From' phone number provided ({given}) is not yours.")
    if given == to:
        return Fault(400, 21266, "'To' and 'From' number cannot be the same.")
    return None


def whatsapp_fault(message: Any) -> Fault | None:
    """Return what is wrong with a message sent to Meta's /messages."""
    if not isinstance(message, dict):
        return Fault(400, 100, "(#100) The body is no JSON object")
    if message.get("messaging_product") != "whatsapp":
        return Fault(400, 100, "(#100) The parameter messaging_product is required.")
    if not isinstance(message.get("to"), str) or not _E164.fullmatch(message["to"]):
        return Fault(400, 131009, "(#131009) Parameter value is not valid: to")
    match message:
        case {"type": "text", "text": {"body": str(body)}} if body.strip():
            return _text_fault(body)
        case {"type": "template", "template": {"name": str(name), "language": {"code": str(language)}, **rest}}:
            return _template_fault(name, language, rest.get("components", []))
        case _:
            return Fault(400, 131008, "(#131008) Required parameter is missing")


def _text_fault(body: str) -> Fault | None:
    too_long = len(body) > _TEXT_CHARS
    return Fault(400, 100, "(#100) Param text['body'] must be at most 4096 characters") if too_long else None


def _template_fault(name: str, language: str, components: Any) -> Fault | None:
    wanted = TEMPLATES.get((name, language))
    if wanted is None:
        return Fault(404, 132001, f"(#132001) Template name does not exist in the translation: {name}, {language}")
    given = parameters_of(components)
    if any(not text or _BAD_PARAMETER.search(text) for _, text in given):
        return Fault(400, 132018, "(#132018) Param text cannot have new-line/tab characters or more than 4 spaces")
    names = [parameter for parameter, _ in given]
    fits = len(given) == wanted and not any(names) if isinstance(wanted, int) else sorted(names) == sorted(wanted)
    return None if fits else Fault(400, 132000, "(#132000) Number of parameters does not match the expected number")


def parameters_of(components: Any) -> list[tuple[str, str]]:
    """Return name (empty where it goes by position) and text of each parameter of a template's body."""
    return [
        (str(parameter.get("parameter_name", "")), str(parameter.get("text", "")))
        for component in components
        if component.get("type") == "body"
        for parameter in component.get("parameters", [])
        if parameter.get("type") == "text"
    ]
