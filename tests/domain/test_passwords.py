"""Passwords: long ones that nobody guesses first, of whatever characters (NIST SP 800-63B)."""

import pytest

from app.domain.passwords import MAX_LENGTH, MIN_LENGTH, normalized, password_problem

EMAIL, NAME = "ada.lopes@example.com", "Ada Lopes"


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple", "wqmzrtkvbnpl", "4839201756204918", "ünïcödé ist schön",
        "testing the waters now",
        "the admin loves ada and cats", "🐘 🦊 🐙 🐝 🦉 🐌 🐢", "x" * 200 + "abcdefg hij",
        "password manager of the week",
    ],
)  # fmt: skip
def test_what_is_long_and_no_guess_is_taken(password: str) -> None:
    """No digit, sign or capital is asked for."""
    assert password_problem(password, EMAIL, NAME) is None


@pytest.mark.parametrize(
    "password",
    [
        "", "Xk9$-wQz!4a", "x" * (MAX_LENGTH + 1), "abababababababab", "password1234!", "PASSWORD-PASSWORD",
        "123456789012", "987654321098", "qwertyuiopas", "abcdefghijkl", "headrace2026!", "ada.lopes@example.com",
        "AdaLopes2026!", "ada.lopes1234", "iloveyou-1234", "administrator1",
    ],
)  # fmt: skip
def test_what_is_short_or_guessed_first_is_not(password: str) -> None:
    """Too short, too long, a few characters again and again, a run of keys, a common word, the user's own name."""
    assert password_problem(password, EMAIL, NAME) is not None


def test_a_password_is_the_same_on_every_keyboard() -> None:
    """Composed or not, it is hashed alike."""
    assert normalized("Schl\u00fcssel") == normalized("Schlu\u0308ssel")
    assert MIN_LENGTH >= 12
