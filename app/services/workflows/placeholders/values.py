"""What a value of each placeholder type may be, and how it is written into a workflow."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from urllib.parse import urlsplit

from app.domain.durations import parse_duration
from app.domain.mailboxes import parse_mailbox
from app.domain.moments import parse_clock
from app.domain.phones import parse_phone
from app.domain.secret_names import is_secret_name
from app.domain.storable import is_storable
from app.domain.visible import is_visible
from app.domain.zones import zone_named
from schemas.placeholder import MAX_TEXT_CHARS, Placeholder, Scalar

_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))
_MONEY: Final = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,2})?")
_OBJECT_NAME: Final = re.compile(r"\S(.{0,98}\S)?")
_MAX_TAG_CHARS: Final = 100
_MAX_URL_CHARS: Final = 4_096
_LARGEST: Final = 2**53  # what every reader of JSON holds exactly


def read_value(placeholder: Placeholder, value: Any) -> Scalar:
    """Return a value as it goes into the workflow.

    Raises:
        ValueError: It is none of the placeholder's; the message says what one is.
    """
    return _READERS[placeholder.type](placeholder, value)


def as_text(placeholder: Placeholder, value: Scalar) -> str:
    """Return a value, once read, as it stands within a longer text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{Decimal(str(value)):.2f}" if placeholder.type == "money" else str(value)


def compact(seconds: float) -> str:
    """Return a duration in its largest whole unit, as delays and relative times both read it: ``90d``."""
    whole = int(seconds)
    size, unit = next((size, unit) for size, unit in _UNITS if whole % size == 0)
    return f"{whole // size}{unit}"


def _text(placeholder: Placeholder, value: Any) -> str:
    least, most = placeholder.min_length or 0, placeholder.max_length or MAX_TEXT_CHARS
    if not isinstance(value, str) or not is_storable(value):
        raise ValueError("must be a text")
    if len(value) < least:
        raise ValueError(f"must have at least {least} character{'s' * (least != 1)}")
    if len(value) > most:
        raise ValueError(f"must have at most {most} characters")
    return value


def _line(value: Any, most: int, what: str) -> str:
    if not isinstance(value, str) or not is_visible(value) or not value.isprintable() or len(value.strip()) > most:
        raise ValueError(f"must be {what}")
    return value.strip()


def _number(placeholder: Placeholder, value: Any) -> int | float:
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else None
    if number is None or abs(number) > _LARGEST:
        raise ValueError("must be a number")
    _within(placeholder, Decimal(str(number)), lambda bound: Decimal(str(bound)))
    return number


def _integer(placeholder: Placeholder, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > _LARGEST or value != int(value):
        raise ValueError("must be a whole number")
    return int(_number(placeholder, int(value)))


def _money(placeholder: Placeholder, value: Any) -> int | float:
    said = "must be an amount such as 49.90, with at most two decimals"
    text = str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
    if isinstance(value, str) and not _MONEY.fullmatch(text):
        raise ValueError(said)
    try:
        amount = Decimal(text)
        exact = abs(amount) <= _LARGEST and amount == round(amount, 2)
    except InvalidOperation:
        raise ValueError(said) from None
    if not exact:
        raise ValueError(said)
    _within(placeholder, amount, lambda bound: Decimal(str(bound)))
    return int(amount) if amount == int(amount) else float(amount)


def _boolean(placeholder: Placeholder, value: Any) -> bool:
    del placeholder
    if value is not True and value is not False:
        raise ValueError("must be true or false")
    return bool(value)


def _duration(placeholder: Placeholder, value: Any) -> str:
    length = parse_duration(value).total_seconds()
    if length != int(length):
        raise ValueError("must be whole seconds")
    _within(placeholder, Decimal(int(length)), lambda bound: Decimal(int(parse_duration(bound).total_seconds())))
    return compact(length)


def _within(placeholder: Placeholder, value: Decimal, read: Callable[[Any], Decimal]) -> None:
    least, most = placeholder.minimum, placeholder.maximum
    if least is not None and value < read(least):
        raise ValueError(f"must be at least {least}")
    if most is not None and value > read(most):
        raise ValueError(f"must be at most {most}")


def _time(placeholder: Placeholder, value: Any) -> str:
    del placeholder
    parse_clock(value)
    return str(value)


def _timezone(placeholder: Placeholder, value: Any) -> str:
    del placeholder
    zone_named(value)
    return str(value)


def _choice(placeholder: Placeholder, value: Any) -> Scalar:
    for choice in placeholder.choices or ():
        if choice.value == value and isinstance(choice.value, bool) is isinstance(value, bool):
            return choice.value
    known = ", ".join(as_text(placeholder, choice.value) for choice in placeholder.choices or ())
    raise ValueError(f"must be one of {known}")


def _email(placeholder: Placeholder, value: Any) -> str:
    del placeholder
    if not isinstance(value, str) or parse_mailbox(value.strip()) is None:
        raise ValueError("must be one e-mail address")
    return value.strip()


def _phone(placeholder: Placeholder, value: Any) -> str:
    del placeholder
    number = parse_phone(value.strip()) if isinstance(value, str) else None
    if number is None:
        raise ValueError("must be a phone number with its country code, such as +49 30 901820")
    return number


def _url(placeholder: Placeholder, value: Any) -> str:
    del placeholder
    said = "must be an address that begins with http:// or https://"
    written = _line(value, _MAX_URL_CHARS, said.removeprefix("must be "))
    try:
        parts = urlsplit(written)
        known = parts.scheme in {"http", "https"} and bool(parts.hostname) and " " not in written
    except ValueError:
        known = False
    if not known:
        raise ValueError(said)
    return written


def _tag(placeholder: Placeholder, value: Any) -> str:
    del placeholder
    return _line(value, _MAX_TAG_CHARS, f"one line of at most {_MAX_TAG_CHARS} characters")


def _object_name(placeholder: Placeholder, value: Any) -> str:
    del placeholder
    if not isinstance(value, str) or not value.isprintable() or not _OBJECT_NAME.fullmatch(value):
        raise ValueError("must be a name of at most 100 characters")
    return value


def _secret(placeholder: Placeholder, value: Any) -> str:
    del placeholder
    if not isinstance(value, str) or not is_secret_name(value):
        raise ValueError("must be the name of a secret: capitals, digits and underscores, such as CRM_KEY")
    return value


_READERS: Final[Mapping[str, Callable[[Placeholder, Any], Scalar]]] = {
    "text": _text,
    "number": _number,
    "integer": _integer,
    "money": _money,
    "boolean": _boolean,
    "duration": _duration,
    "time": _time,
    "timezone": _timezone,
    "choice": _choice,
    "email": _email,
    "phone": _phone,
    "url": _url,
    "tag": _tag,
    "channel": _object_name,
    "message_template": _object_name,
    "secret": _secret,
}
