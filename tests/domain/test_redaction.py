"""Blotting out: no spelling of a secret stays, and nothing else goes."""

import base64
import json
from html import escape
from typing import Final
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.redaction import MASK, NOTHING, Redactor
from app.domain.templating import compile_template

SECRET: Final = 'pa/ss "wörd" & <x>+\n1'
PLAIN: Final = "canary-0123456789"


@pytest.mark.parametrize(
    "spelled",
    [
        SECRET,
        SECRET.upper(),
        " ".join(SECRET.split()),
        quote(SECRET, safe=""),
        quote(SECRET),
        quote_plus(SECRET),
        quote(SECRET, safe="").lower(),
        json.dumps(SECRET)[1:-1],
        json.dumps(SECRET, ensure_ascii=False)[1:-1],
        json.dumps(SECRET)[1:-1].replace("/", "\\/"),
        json.dumps(SECRET)[1:-1].replace("&", "\\u0026").replace("<", "\\u003C").replace(">", "\\u003E"),
        escape(SECRET),
        compile_template("{{ s }}", html=True).render({"s": SECRET}),
        compile_template("{{ s | urlencode }}").render({"s": SECRET}),
        compile_template("{{ s | upper }}").render({"s": SECRET}),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
    ],
)
def test_every_spelling_is_blotted_out(spelled: str) -> None:
    """Percent-encoded, in JSON, in HTML, in base64, in capitals: what is around it stays."""
    made = Redactor([SECRET]).text(f"before {spelled} after")
    assert made.replace("=", "") == "before *** after"


def test_json_is_cleaned_to_its_last_corner() -> None:
    """Texts and keys, however deep; numbers and the rest are left alone."""
    value = {"a": [1, None, True, {PLAIN: f"x{PLAIN}y"}], "b": 2.5}
    assert Redactor([PLAIN]).value(value) == {"a": [1, None, True, {MASK: "x***y"}], "b": 2.5}


@pytest.mark.parametrize("kept", range(4, len(PLAIN)))
def test_what_a_cut_has_left_of_a_secret_is_blotted_out(kept: int) -> None:
    """The beginning of a secret at the end of a text, from four characters on."""
    assert Redactor([PLAIN]).text("and then " + PLAIN[:kept]) == "and then ***"


@pytest.mark.parametrize("text", ["", "can", "a canal", "canary", "nothing here", "canary-01 in the middle"])
def test_other_texts_stay(text: str) -> None:
    """But for one that ends as a secret begins."""
    expected = MASK if text == "canary" else text
    assert Redactor([PLAIN]).text(text) == expected


def test_without_secrets_nothing_is_touched() -> None:
    """The very same value comes back."""
    value = {"a": ["x"]}
    assert NOTHING.value(value) is value
    assert NOTHING.text(PLAIN) == PLAIN
    assert not NOTHING.finds(PLAIN)


@given(st.text(min_size=8, max_size=40).filter(lambda s: s == s.strip()), st.text(max_size=30), st.text(max_size=30))
def test_no_secret_survives(secret: str, before: str, after: str) -> None:
    """Whatever it is made of, and whatever it stands in."""
    redactor = Redactor([secret])
    assert not redactor.finds(redactor.text(before + secret + after)) or MASK in secret
    assert secret not in redactor.text(before + secret + after) or secret in MASK * 20
