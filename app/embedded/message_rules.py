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

_PARAMETER_CHARS: Final = 1024
_HEADER_CHARS: Final = 60
_TRACKING_CHARS: Final = 512


@dataclass(frozen=True, slots=True)
class Approved:
    """A template: the variables of its body (how many, or their names), and how many its text header has."""

    body: int | frozenset[str]
    header: int = 0


TEMPLATES: Final[dict[tuple[str, str], Approved]] = {
    ("hello_world", "en_US"): Approved(0),
    ("order_update", "en_US"): Approved(2),
    ("order_delivered", "en_US"): Approved(1, header=1),
    ("appointment_reminder", "en_US"): Approved(frozenset({"name", "time"})),
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
    match message:
        case dict():
            return _envelope_fault(message) or _content_fault(message)
        case _:
            return Fault(400, 100, "(#100) The body is no JSON object")


def _envelope_fault(message: dict[str, Any]) -> Fault | None:
    if message.get("messaging_product") != "whatsapp":
        return Fault(400, 100, "(#100) The parameter messaging_product is required.")
    if not _tracking_fits(message.get("biz_opaque_callback_data", "")):
        return Fault(400, 100, "(#100) Param biz_opaque_callback_data must be a string of at most 512 characters")
    if not isinstance(message.get("to"), str) or not _E164.fullmatch(message["to"]):
        return Fault(400, 131009, "(#131009) Parameter value is not valid: to")
    return None


def _content_fault(message: dict[str, Any]) -> Fault | None:
    match message:
        case {"type": "text", "text": {"body": str(body)}} if body.strip():
            return _text_fault(body)
        case {"type": "template", "template": {"name": str(name), "language": {"code": str(language)}, **rest}}:
            return _template_fault(name, language, rest.get("components", []))
        case _:
            return Fault(400, 131008, "(#131008) Required parameter is missing")


def _tracking_fits(tracking: Any) -> bool:
    return isinstance(tracking, str) and len(tracking) <= _TRACKING_CHARS


def _text_fault(body: str) -> Fault | None:
    too_long = len(body) > _TEXT_CHARS
    return Fault(400, 100, "(#100) Param text['body'] must be at most 4096 characters") if too_long else None


def _template_fault(name: str, language: str, components: Any) -> Fault | None:
    wanted = TEMPLATES.get((name, language))
    if wanted is None:
        return Fault(404, 132001, f"(#132001) Template name does not exist in the translation: {name}, {language}")
    if not _well_formed(components):
        return Fault(400, 100, "(#100) Invalid parameter: template['components']")
    body, header = parameters_of(components), parameters_of(components, "header")
    if any(not text or _BAD_PARAMETER.search(text) for _, text in (*body, *header)):
        return Fault(400, 132018, "(#132018) Param text cannot have new-line/tab characters or more than 4 spaces")
    if any(len(text) > _PARAMETER_CHARS for _, text in body) or any(len(text) > _HEADER_CHARS for _, text in header):
        return Fault(400, 132005, "(#132005) Translated text too long")
    names = [parameter for parameter, _ in body]
    by_number = isinstance(wanted.body, int)
    fits = len(body) == wanted.body and not any(names) if by_number else sorted(names) == sorted(_names(wanted))
    if not fits or len(header) != wanted.header:
        return Fault(400, 132000, "(#132000) Number of parameters does not match the expected number")
    return None


def _names(wanted: Approved) -> frozenset[str]:
    return wanted.body if isinstance(wanted.body, frozenset) else frozenset()


def _well_formed(components: Any) -> bool:
    """Tell whether it is a list of headers and bodies, one of each at most, whose parameters are texts."""
    if not isinstance(components, list) or not all(isinstance(component, dict) for component in components):
        return False
    kinds = [component.get("type") for component in components]
    return (
        set(kinds) <= {"header", "body"}
        and len(set(kinds)) == len(kinds)
        and all(_is_text(parameter) for component in components for parameter in component.get("parameters", [None]))
    )


def _is_text(parameter: Any) -> bool:
    match parameter:
        case {"type": "text", "text": str()}:
            return isinstance(parameter.get("parameter_name", ""), str)
        case _:
            return False


def parameters_of(components: Any, kind: str = "body") -> list[tuple[str, str]]:
    """Return name (empty where it goes by position) and text of each parameter of a template's body, or header."""
    return [
        (parameter.get("parameter_name", ""), parameter["text"])
        for component in components
        if component["type"] == kind
        for parameter in component["parameters"]
    ]
