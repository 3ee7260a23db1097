"""The filters of templates: Jinja's own that can be bounded, some of them replaced, and ``json``, ``money``, ``date``.

Left out: ``attr``, ``format``, ``pprint``, ``random``, ``striptags``, ``urlize``, ``wordwrap`` and ``xmlattr``; they
format without bounds, are slow on long texts, or render differently each time.
"""

from __future__ import annotations

import base64
import functools
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from jinja2 import Environment, pass_environment, pass_eval_context
from jinja2.filters import FILTERS, make_attrgetter
from jinja2.nodes import EvalContext
from jinja2.tests import TESTS
from markupsafe import Markup

from app.domain.templating.budget import charge, charge_value, check_length
from app.domain.templating.errors import TemplateFailure
from app.domain.templating.values import add, as_json, joined, printed
from app.domain.times import parse_time
from app.domain.values import is_number, read_decimal

_PLAIN_NAMES: Final = (
    "abs capitalize count d default dictsort e escape filesizeformat first float forceescape groupby items last length "
    "list lower map max min reject rejectattr reverse safe select selectattr sort title trim truncate unique upper "
    "urlencode wordcount"
)
_COMPARING_TESTS: Final = "!= < <= == > >= eq equalto ge greaterthan gt in le lessthan lower lt ne upper"
_MAX_INDENT: Final = 8
_MAX_WIDTH: Final = 1_000
_MAX_PRECISION: Final = 15
_DATE_FORMAT = re.compile(r"(?:[^%]|%[aAbBdHIjmMpSyYzZ%])*\Z")
_MAX_DATE_FORMAT: Final = 100


def bounded(function: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a filter whose result is at most a few times its input: both are charged for."""
    # Some filters are passed the environment or a context first.
    position = 1 if hasattr(function, "jinja_pass_arg") else 0

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        charge_value(args[position])
        result = function(*args, **kwargs)
        charge_value(result)
        return result

    return wrapper


def _width(width: Any) -> int:
    if not isinstance(width, int) or width > _MAX_WIDTH:
        raise TemplateFailure(f"pads to more than {_MAX_WIDTH} characters")
    return width


def center(value: Any, width: int = 80) -> str:
    """Centre a text in so many characters, at most 1,000."""
    return str(printed(value)).center(_width(width))


def indent(text: str, width: int = 4, first: bool = False, blank: bool = False) -> str:  # noqa: FBT001, FBT002 - Jinja's own signature
    """Indent all lines, but for the first, by so many blanks."""
    check_length(len(text) + (text.count("\n") + 1) * _width(width))
    result: str = FILTERS["indent"](text, width, first, blank)
    return result


def replace(text: Any, old: str, new: str, count: int | None = None) -> str:
    """Replace one text in another by a third."""
    source = str(printed(text))
    check_length(len(source) + source.count(old) * len(new))
    return source.replace(old, new, -1 if count is None else count)


@pass_environment
def join(environment: Environment, values: Iterable[Any], separator: str = "", attribute: str | None = None) -> str:
    """Join members, or one attribute of each, with a separator."""
    members = list(values if attribute is None else map(make_attrgetter(environment, attribute), values))
    check_length(len(members) * len(separator))
    parts = [part for member in members for part in (separator, member)]
    return joined(parts[1:])


@pass_environment
def total(environment: Environment, values: Iterable[Any], attribute: str | None = None, start: float = 0) -> Any:
    """Sum numbers, or one attribute of each member."""
    numbers = values if attribute is None else map(make_attrgetter(environment, attribute), values)
    result: Any = start
    for number in numbers:
        if not isinstance(number, (int, float)):
            raise TemplateFailure("sum takes numbers")
        result = add(result, number)
    return result


def rounded(value: float, precision: int = 0, method: str = "common") -> float:
    """Round to so many decimals, at most 15, the ways that Jinja's filter does."""
    if not isinstance(precision, int) or abs(precision) > _MAX_PRECISION:
        raise TemplateFailure(f"rounds to more than {_MAX_PRECISION} decimals")
    result: float = FILTERS["round"](value, precision, method)
    return result


def integer(value: Any, default: int = 0) -> int:
    """The value as a whole number, or the default if it is not one."""
    result: int = FILTERS["int"](value, default)
    return result


def batched(values: Iterable[Any], size: int) -> list[list[Any]]:
    """Cut members into lists of so many; the last may be shorter."""
    members = list(values)
    return [members[start : start + size] for start in range(0, len(members), size)]


def money(value: Any, currency: str = "", decimals: int = 2) -> str:
    """An amount with thousands separated and, by default, two decimals: ``1,234.50``, or ``1,234.50 EUR``."""
    amount = Decimal(repr(value)) if is_number(value) else read_decimal(value) if isinstance(value, str) else None
    if amount is None or not 0 <= decimals <= _MAX_PRECISION:
        raise TemplateFailure("money takes a number, and at most 15 decimals")
    try:
        text = f"{amount.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP):,f}"
    except InvalidOperation as error:
        raise TemplateFailure("money takes an amount of at most 28 digits") from error
    return f"{text} {currency}" if currency else text


def date(value: Any, pattern: str = "%Y-%m-%d", zone: str | None = None) -> str:
    """An ISO 8601 time in a strftime pattern (without widths and locale formats), in an IANA zone if one is given."""
    if not isinstance(value, str) or parse_time(value) is None:
        raise TemplateFailure("date takes an ISO 8601 time")
    if len(pattern) > _MAX_DATE_FORMAT or not _DATE_FORMAT.match(pattern):
        raise TemplateFailure("date takes a short pattern such as %d/%m/%Y %H:%M")
    moment = datetime.fromisoformat(value.upper())
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    try:
        return (moment.astimezone(ZoneInfo(zone)) if zone else moment).strftime(pattern)
    except (ZoneInfoNotFoundError, ValueError, OverflowError) as error:
        raise TemplateFailure("date takes an IANA time zone such as Europe/Paris") from error


@pass_eval_context
def tojson(context: EvalContext, value: Any, indent: int | None = None) -> Markup:
    """The value as JSON that is safe within HTML, indented by at most 8."""
    result: Markup = FILTERS["tojson"](context, value, min(indent, _MAX_INDENT) if indent else None)
    return result


def basic(password: Any, user: Any) -> str:
    """What Basic authorization (RFC 7617) sends of a password and a user name: ``user:password`` in base64."""
    name = str(printed(user))
    if ":" in name:
        raise TemplateFailure("basic takes a user name without a colon")
    return base64.b64encode(f"{name}:{printed(password)}".encode()).decode()


def compared(test: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a test that walks its operands: both are charged for, at each of its calls."""

    @functools.wraps(test)
    def wrapper(*args: Any) -> Any:
        for arg in args:
            charge_value(arg)
        return test(*args)

    return wrapper


def all_tests() -> dict[str, Any]:
    """Every test of templates, by name."""
    tests: dict[str, Any] = dict(TESTS)
    return {**tests, **{name: compared(tests[name]) for name in _COMPARING_TESTS.split()}}


def text(value: Any) -> str:
    """The value as ``{{ value }}`` prints it."""
    return value if isinstance(value, str) else str(printed(value))


def counted(iterable: Any, steps: int) -> Any:
    """What a loop runs over, charged with so many steps for each iteration before the first."""
    if not hasattr(iterable, "__len__"):
        iterable = list(iterable)
    charge((1 + len(iterable)) * steps)
    return iterable


def operand(value: Any) -> Any:
    """A value that is about to be walked, by a comparison or a slice, or that a literal has made."""
    charge_value(value)
    return value


def all_filters() -> dict[str, Callable[..., Any]]:
    """Every filter of templates, by name."""
    own: dict[str, Callable[..., Any]] = {
        "basic": basic,
        "batch": batched,
        "center": center,
        "date": date,
        "indent": indent,
        "int": integer,
        "join": join,
        "json": as_json,
        "money": money,
        "replace": replace,
        "round": rounded,
        "string": text,
        "sum": total,
        "tojson": tojson,
    }
    return {
        name: bounded(function) for name, function in {**{n: FILTERS[n] for n in _PLAIN_NAMES.split()}, **own}.items()
    }
