"""An independent reading of docs/design.md#9-conditions: obvious, not fast, and sharing no code with the app.

Numbers are fractions, a condition list becomes the text of a Python boolean expression, times go through strptime.
"""

import re
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from functools import reduce
from typing import Any
from zoneinfo import ZoneInfo

ABSENT = object()
NOW = datetime(2026, 3, 1, 1, 30, tzinfo=UTC)
_FORMS = ("%Y-%m-%d", "%Y-%m-%dT%H:%M%z", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S.%f%z")


def look_up(data: Any, field: str) -> Any:
    """Follow the dotted path."""

    def step(value: Any, key: str) -> Any:
        if isinstance(value, dict) and key in value:
            return value[key]
        if isinstance(value, list) and key.isascii() and key.isdigit() and str(int(key)) == key:
            return dict(enumerate(value)).get(int(key), ABSENT)
        return ABSENT

    return reduce(step, field.split("."), data)


def number(value: Any) -> Fraction | None:
    """The exact value of a JSON number."""
    return None if isinstance(value, bool) or not isinstance(value, (int, float)) else Fraction(value)


def written(text: str) -> datetime | None:
    """A time in one of the spellings that the tests generate, naive where it names no zone."""
    text = re.sub(r"Z$", "+0000", text.replace(" ", "T"))
    for form in _FORMS:
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007 - the zone is put in by who needs one
        except ValueError:
            continue
    return None


def time(text: str) -> datetime | None:
    """The same as an instant."""
    found = written(text)
    return found if found is None or found.tzinfo else found.replace(tzinfo=UTC)


def day(text: str, zone: ZoneInfo) -> date | None:
    """The local day of a text: the one it names, or the one its instant is on."""
    found = written(text)
    if found is None or found.tzinfo is None or not 2 < found.year < 9998:
        return found and found.date()
    return (found.replace(tzinfo=None) - (found.utcoffset() or timedelta())).replace(tzinfo=UTC).astimezone(zone).date()


def compared_days(actual: Any, operand: dict[str, Any]) -> tuple[date, date] | None:
    """Both sides as days, where the operand is one."""
    zone = ZoneInfo(operand.get("timezone", "UTC"))
    count, unit = (0, "d") if operand["today"] is True else (int(operand["today"][:-1]), operand["today"][-1])
    found = day(actual, zone) if isinstance(actual, str) else None
    today = datetime(*NOW.timetuple()[:6], tzinfo=UTC).astimezone(zone).date()
    return None if found is None else (found, today + count * timedelta(days=7 if unit == "w" else 1))


def same(left: Any, right: Any) -> bool:
    """Equality of JSON, by tagging every scalar with its type and comparing the results."""

    def tag(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: tag(member) for key, member in value.items()}
        if isinstance(value, list):
            return [tag(member) for member in value]
        return ("n", number(value)) if number(value) is not None else (type(value), value)

    return bool(tag(left) == tag(right))


def comparable(actual: Any, value: Any) -> tuple[Any, Any] | None:
    """Both sides as what they compare as, or None."""
    if isinstance(value, dict) and "today" in value:
        return compared_days(actual, value)
    wanted = number(value)
    if wanted is not None:
        if isinstance(actual, str) and re.fullmatch(r"-?[0-9]+([.][0-9]+)?", actual):
            # As the decimal it was written as: that is what a float's repr is.
            return Fraction(actual), Fraction(repr(value))
        return None if number(actual) is None else (number(actual), wanted)
    if isinstance(actual, str) and isinstance(value, str):
        moments = time(actual), time(value)
        return (actual, value) if None in moments else moments
    return None


def positive(operator: str, actual: Any, value: Any) -> bool:
    """Whether a positive operator holds."""
    if operator in (">", "<", ">=", "<=", "=="):
        return related(operator, actual, value)
    return actual is not ABSENT and looked_up(operator, actual, value)


def related(operator: str, actual: Any, value: Any) -> bool:
    """The six comparisons."""
    if (pair := comparable(actual, value)) is not None:
        return bool(eval(f"left {operator} right", {"left": pair[0], "right": pair[1]}))  # noqa: S307 - a literal
    if isinstance(value, dict) and "today" in value:
        return False
    if value is None:
        return actual is None or actual is ABSENT
    value = meant(value)
    return operator == "==" and actual is not ABSENT and number(value) is None and same(actual, value)


def meant(value: Any) -> Any:
    """What stands for itself, and what {"json": ...} stands for."""
    return value["json"] if isinstance(value, dict) and set(value) == {"json"} else value


def looked_up(operator: str, actual: Any, value: Any) -> bool:
    """The operators that look inside of values."""
    value = [meant(member) for member in value] if operator == "in" else meant(value)
    if operator == "in":
        items = actual if isinstance(actual, list) else [] if isinstance(actual, dict) else [actual]
        return any(same(item, member) for item in items for member in value)
    if operator == "contains" and isinstance(actual, list):
        return any(same(item, value) for item in actual)
    if not isinstance(actual, str) or not isinstance(value, str):
        return False
    cut = {"contains": actual.find(value) >= 0, "starts_with": actual[: len(value)] == value}
    return (
        cut[operator] if operator in cut else actual[len(actual) - len(value) :] == value and len(value) <= len(actual)
    )


OPPOSITES = {"!=": "==", "not_contains": "contains", "not_in": "in"}


def holds(condition: dict[str, Any], data: Any) -> bool:
    """Whether one condition holds."""
    operator, actual = condition["operator"], look_up(data, condition["field"])
    if operator in OPPOSITES:
        return not positive(OPPOSITES[operator], actual, condition["value"])
    return positive(operator, actual, condition["value"])


def expression(items: list[dict[str, Any]], data: Any) -> str:
    """A condition list as the text of a Python expression; Python's own precedence does the rest."""
    text = ""
    for index, item in enumerate(items):
        text += part(item, data)
        if index + 1 < len(items):
            text += " or " if item.get("logic") == "OR" else " and "
    return text or "True"


def part(item: dict[str, Any], data: Any) -> str:
    """One condition or group as text."""
    if "all" in item:
        return f"all([{','.join(part(member, data) for member in item['all'])}])"
    if "any" in item:
        return f"any([{','.join(part(member, data) for member in item['any'])}])"
    if "not" in item:
        inner = item["not"]
        return f"(not ({part(inner, data) if isinstance(inner, dict) else expression(inner, data)}))"
    return str(holds(item, data))


def met(items: list[dict[str, Any]], data: Any) -> bool:
    """Whether the whole list is met."""
    return bool(eval(expression(items, data)))  # noqa: S307 - only True, False, and, or, not, all, any
