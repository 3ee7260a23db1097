"""Blotting out: no spelling of a secret stays, and nothing else goes."""

import base64
import codecs
import json
import quopri
import time
import tracemalloc
from collections.abc import Callable
from html import escape
from typing import Final
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
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
    """Texts, keys and numbers, however deep; the rest is left alone."""
    value = {"a": [1, None, True, {PLAIN: f"x{PLAIN}y"}], "b": 2.5, "c": 4711081547}
    redactor = Redactor([PLAIN, "4711081547"])
    assert redactor.value(value) == {"a": [1, None, True, {MASK: "x***y"}], "b": 2.5, "c": MASK}


@pytest.mark.parametrize("kept", range(4, len(PLAIN)))
def test_what_a_cut_has_left_of_a_secret_is_blotted_out(kept: int) -> None:
    """The beginning of a secret at the end of a text, from four characters on."""
    assert Redactor([PLAIN]).text("and then " + PLAIN[:kept]) == "and then ***"


@pytest.mark.parametrize("text", ["", "can", "a canal", "canary", "nothing here", "canary- in the middle"])
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


def _percent(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode())


def _separated(text: str, separator: str) -> str:
    return separator.join(f"{byte:02X}" for byte in text.encode())


def _lines(text: str, end: str) -> str:
    return end.join(text[at : at + 7] for at in range(0, len(text), 7))


ENCODINGS: Final[dict[str, Callable[[str], str]]] = {
    "as it is": str,
    "capitals": str.upper,
    "reversed": lambda s: s[::-1],
    "hex": lambda s: s.encode().hex(),
    "HEX": lambda s: s.encode().hex().upper(),
    "hex, colons": lambda s: _separated(s, ":"),
    "hex, spaces": lambda s: _separated(s, " "),
    "\\x": lambda s: "".join(f"\\x{byte:02x}" for byte in s.encode()),
    "base64": lambda s: base64.b64encode(s.encode()).decode(),
    "base64 behind one": lambda s: base64.b64encode(b"u" + s.encode()).decode(),
    "base64 behind two": lambda s: base64.b64encode(b"u:" + s.encode()).decode().rstrip("="),
    "Basic": lambda s: base64.b64encode(b"shop-user:" + s.encode()).decode(),
    "base64url": lambda s: base64.urlsafe_b64encode(b":" + s.encode() + b"\xff").decode(),
    "base32": lambda s: base64.b32encode(b"abc" + s.encode()).decode(),
    "percent": lambda s: quote(s, safe=""),
    "percent, every byte": _percent,
    "percent twice": lambda s: quote(quote(s, safe=""), safe=""),
    "percent twice, small": lambda s: quote(_percent(s)).lower(),
    "form": quote_plus,
    "JSON": lambda s: json.dumps(s)[1:-1],
    "JSON, every character": lambda s: "".join(f"\\u{ord(c):04X}" for c in s),
    "JSON twice": lambda s: json.dumps(json.dumps(s))[3:-3],
    "HTML": escape,
    "HTML by number": lambda s: "".join(f"&#{ord(c)};" for c in s),
    "HTML by hex": lambda s: "".join(f"&#x{ord(c):X};" for c in s),
    "base64 in a URL": lambda s: quote(base64.b64encode(s.encode()).decode(), safe=""),
    "quoted-printable": lambda s: "".join(f"={byte:02X}" for byte in s.encode()),
    "quoted-printable, some": lambda s: quopri.encodestring(s.encode()).decode(),
    "0x, listed": lambda s: ", ".join(f"0x{byte:02x}" for byte in s.encode()),
    "\\x, listed": lambda s: ", ".join(f"\\x{byte:02x}" for byte in s.encode()),
    "decimals, listed": lambda s: str(list(s.encode())),
    "octal": lambda s: "".join(f"\\{byte:03o}" for byte in s.encode()),
    "\\U": lambda s: "".join(f"\\U{ord(c):08X}" for c in s),
    "HTML by number, open": lambda s: "".join(f"&#{ord(c)} " for c in s),
    "HTML by hex, open": lambda s: "".join(f"&#x{ord(c):x}" for c in s),
    "reversed, base64": lambda s: base64.b64encode(s[::-1].encode()).decode(),
    "reversed, hex": lambda s: s[::-1].encode().hex(),
    "UTF-16": lambda s: s.encode("utf-16-le").decode("latin-1"),
    "UTF-16, hex": lambda s: s.encode("utf-16-be").hex(),
    "UTF-16, base64": lambda s: base64.b64encode(s.encode("utf-16-le")).decode(),
    "base64 twice": lambda s: base64.b64encode(base64.b64encode(s.encode())).decode(),
    "base64 in short lines": lambda s: _lines(base64.b64encode(s.encode()).decode(), "\n"),
    "base64 in short lines, JSON": lambda s: _lines(base64.b64encode(s.encode()).decode(), "\\n"),
    "rot13": lambda s: codecs.encode(s, "rot13"),
    "ascii85": lambda s: base64.a85encode(s.encode()).decode(),
    "mixed": lambda s: escape(quote(json.dumps(s)[1:-1])),
}
_LETTERS: Final = "abcdefghkmnpqrstuvwxyzABCDEFGHKMNPQRSTUVWXYZ23456789+/=%&<\"'\\ é"


@pytest.mark.parametrize("encoding", ENCODINGS)
@settings(deadline=None, max_examples=40)
@given(st.data())
def test_no_piece_of_eight_survives_in_any_spelling(encoding: str, data: st.DataObject) -> None:
    """Cut out of the secret, encoded, and put somewhere: what is left of it is shorter than the piece was."""
    letters = st.lists(st.sampled_from(_LETTERS), min_size=16, max_size=60, unique=True)
    secret = "".join(data.draw(letters)).strip().replace("  ", "xq")
    start = data.draw(st.integers(0, len(secret) - 12))
    piece = secret[start : data.draw(st.integers(start + 12, len(secret)))]
    encoded = ENCODINGS[encoding](piece)
    redactor = Redactor([secret])
    clean = redactor.text(f"<< {encoded} >>")
    assert MASK in clean
    assert not redactor.finds(clean)
    assert encoded not in clean


def test_what_one_layer_uncovers_may_look_like_an_escape() -> None:
    """``%de`` behind a layer of percent-encoding is the secret's own, and the backslash beside it is none of it."""
    secret = 'abc%de"fghkmnpq'
    assert Redactor([secret]).text(f"<< {ENCODINGS['mixed'](secret)} >>") == "<< *** >>"


@pytest.mark.parametrize("between", [" ", "-", "\n", "\r\n", "\u200b", ".", ", ", '","', '", "', "\\n"])
def test_characters_set_apart_are_blotted_out(between: str) -> None:
    """By a blank, a dash, a line, what has no width, or as members of a JSON array."""
    clean = Redactor([PLAIN]).text(f'["{between.join(PLAIN)}"]')
    assert MASK in clean
    assert not set(PLAIN[2:-2]) & set(clean) - set(between)


def test_letters_of_another_shape_are_blotted_out() -> None:
    """Full width and mathematical ones are the same letters to many programs."""
    wide = "".join(chr(ord(c) + 0xFEE0) for c in PLAIN)
    assert Redactor([PLAIN]).text(f"<{wide}>") == "<***>"
    bold = "".join(chr(0x1D41A + ord(c) - ord("a")) if c.isalpha() else c for c in PLAIN)
    assert Redactor([PLAIN]).text(f"<{bold}>") == "<***>"


@pytest.mark.parametrize("cut", [(0, 8), (3, 11), (9, 17), (2, 15)])
@pytest.mark.parametrize("encoding", ["as it is", "reversed", "percent, every byte", "HTML by hex", "JSON twice"])
def test_eight_characters_are_enough(encoding: str, cut: tuple[int, int]) -> None:
    """Not seven: those might be anything."""
    piece = PLAIN[slice(*cut)]
    assert Redactor([PLAIN]).text(f"<{ENCODINGS[encoding](piece)}>") == "<***>"
    assert Redactor([PLAIN]).text(f"<{piece[:7]}>") == f"<{piece[:7]}>"


@pytest.mark.parametrize("cut", range(8))
def test_eight_characters_of_an_encoding_are_enough(cut: int) -> None:
    """Of base64 and hex, too, wherever they begin."""
    for encoding in ("hex", "base64", "base32"):
        encoded = ENCODINGS[encoding](PLAIN)
        assert Redactor([PLAIN]).text(f"({encoded[5 + cut : 13 + cut]})") == f"({MASK})", encoding


@pytest.mark.parametrize(
    "text",
    [
        "https://",
        "password=",
        "-----BEGIN PRIVATE KEY-----",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9",
        "0" * 12,
    ],
)
def test_what_many_secrets_begin_with_is_no_piece_of_one(text: str) -> None:
    """A URL, a key, a token and a row of zeros look like any other, though they are a secret's beginning."""
    secret = f"{text}Kq7zvT0-m3Wx"
    assert Redactor([secret]).text(f"{text} .") == f"{text} ."
    assert "Kq7zvT0" not in Redactor([secret]).text(secret)


@pytest.mark.parametrize("secret", ["00000000000", "https://", "passwords", "ababababab"])
def test_a_secret_of_nothing_else_is_blotted_out_whole(secret: str) -> None:
    """It is a poor one, and a secret all the same."""
    assert Redactor([secret]).text(f"<{secret}>") == "<***>"


def test_a_secret_shorter_than_a_piece_counts_whole() -> None:
    """Part of it is no piece."""
    assert Redactor(["k3y-9"]).text("<k3y-9> k3y- !") == "<***> k3y- !"


def test_texts_cost_time_by_their_length_alone() -> None:
    """64 KiB against twenty secrets: some milliseconds without a hit, and a few times that full of hits or escapes."""
    redactor = Redactor(f"{n}-Secret-{n * 7919:x}-of-{n * 104729:o}-{n}" for n in range(20))
    plain = ('{"order": "A-1001", "total": 12.5, "note": "nothing to be found here, at all"} ' * 900)[: 64 * 1024]
    assert _seconds(redactor, plain) < 0.05
    assert _seconds(redactor, plain.replace(" ", "%20")) < 0.5
    assert _seconds(redactor, "7-Secret-d88d-of-" * 3855) < 1


def test_a_large_secret_costs_memory_by_its_length_alone() -> None:
    """4 KiB in every spelling, with all its pieces, takes some ten megabytes."""
    tracemalloc.start()
    redactor = Redactor(["".join(f"{n * 2654435761 % 2**32:08x}" for n in range(512))])
    size, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 40 * 2**20
    assert size < 24 * 2**20
    assert redactor.finds(f"{5 * 2654435761 % 2**32:08x}")


def _seconds(redactor: Redactor, text: str) -> float:
    began = time.process_time()
    redactor.text(text)
    return time.process_time() - began
