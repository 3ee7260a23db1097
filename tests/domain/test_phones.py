"""Phone numbers: what is E.164, what people write of it, and what is refused rather than guessed."""

import pytest

from app.domain.phones import parse_phone


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("+4930123456", "+4930123456"),
        ("+49 30 / 123456", None),
        ("+49 (30) 123-456", "+4930123456"),
        ("+1.415.555.2671", "+14155552671"),
        ("+44\u00a020\u202f7183 8750", "+442071838750"),
        ("+49 (0) 30 123456", None),
        ("030 123456", None),
        ("0049 30 123456", None),
        ("+0123456", None),
        ("+123456789012345", "+123456789012345"),
        ("+1234567890123456", None),
        ("+49301234\u0665", None),
        ("+4930123456\n", None),
        ("+", None),
        ("", None),
    ],
)
def test_a_number_is_taken_in_its_international_form(written: str, number: str | None) -> None:
    """Separators go, a plus and ASCII digits stay; without a country, or with one too many digits, it is none."""
    assert parse_phone(written) == number
