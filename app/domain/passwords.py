"""What a password may be, by NIST SP 800-63B (3.1.1.2): long, known to no list of guesses; of no prescribed characters.

Nothing asks for digits or signs, and none expires: both make people choose what is easier to guess.
"""

import re
import unicodedata
from typing import Final

MIN_LENGTH: Final = 12
MAX_LENGTH: Final = 256
_MOST_ALIKE: Final = 5
# What guesses begin with, as far as it can be stretched to twelve characters.
_COMMON: Final = (
    "password", "passwort", "passw0rd", "letmein", "welcome", "qwerty", "qwertz", "azerty", "iloveyou", "administrator",
    "changeme", "secret", "superman", "football", "baseball", "sunshine", "princess", "dragon", "monkey", "headrace",
    "automation", "kafka", "abc", "login", "test", "admin", "hello", "master", "whatever", "trustno",
)  # fmt: skip
_RUNS: Final = (
    "0123456789" * 3,
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn",
)
_FILLING: Final = re.compile(r"[\W\d_]+")


def normalized(password: str) -> str:
    """Return a password as it is hashed: the same whichever keyboard composed its characters (800-63B: NFKC)."""
    return unicodedata.normalize("NFKC", password)


def password_problem(password: str, email: str, name: str = "") -> str | None:
    """Return why a password cannot be taken; None where it can.

    Args:
        password: As it was typed.
        email: The user's.
        name: The user's.
    """
    if len(password) < MIN_LENGTH:
        return f"must have at least {MIN_LENGTH} characters; a few words that do not belong together do well"
    if len(password) > MAX_LENGTH:
        return f"must have at most {MAX_LENGTH} characters"
    plain = normalized(password).lower()
    if len(set(plain)) < _MOST_ALIKE:
        return "repeats a few characters"
    if _is_of_the_user(plain, email.lower(), name.lower()):
        return "must not be made of the e-mail or the name"
    if _is_common(plain):
        return "is among the first that anybody would guess"
    return None


def _is_of_the_user(plain: str, email: str, name: str) -> bool:
    local = email.partition("@")[0]
    rest = plain
    for known in sorted({email, local, name, *name.split()}, key=len, reverse=True):
        if len(known) > 2:  # noqa: PLR2004 - shorter ones are in every word
            rest = rest.replace(known, "")
    return rest != plain and len(_FILLING.sub("", rest)) < _MOST_ALIKE


def _is_common(plain: str) -> bool:
    rest = letters = _FILLING.sub("", plain)
    for word in _COMMON:
        rest = rest.replace(word, "")
    run = any(plain in one or plain[::-1] in one for one in (once * 2 for once in _RUNS))
    return run or (rest != letters and len(rest) < _MOST_ALIKE)
