"""Text that UTF-8, JSON and Postgres can hold: without NUL characters and lone surrogates."""


def escaped(text: str) -> str:
    """Return the text with an escape for each character that cannot be stored: what it was can still be read."""
    return text.replace("\x00", "\\x00").encode("utf-8", "backslashreplace").decode("utf-8")


def marked(text: str) -> str:
    """Return the text with one mark for each character that cannot be stored, as an answer shows it to later steps."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def is_storable(text: str) -> bool:
    """Tell whether the text can be stored as it is."""
    return "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
