"""What a designer would see at once is seen by the tests: each mistake on a page of its own, and pages without one."""

import orjson
import pytest

from tests.admin.pages.bench import on_bench
from tests.admin.pages.conftest import Somebody, Visit

_PAGE = "<!doctype html><html lang=en><title>A page</title><body style='margin: 0; font: 16px sans-serif'>{}</body>"
_CLIPPED = "inline-size: 3rem; overflow: hidden; white-space: nowrap"
_ROOM = 130
_NARROW = "inline-size: 3rem; overflow-wrap: anywhere"


@pytest.mark.parametrize(
    ("markup", "said"),
    [
        ("<p style='inline-size: 900px'>Wide</p>", "The page is 900 px wide, its window 390"),
        ("<div style='overflow: hidden'><p style='inline-size: 900px'>Wide</p></div>", "Hangs over the edge: <p>"),
        (
            "<div style='overflow-x: auto'><p style='padding-inline-start: 900px'><a href=''>Far</a></p></div>",
            "Hangs over",
        ),
        ("<div style='position: relative; inset-inline-start: -9px'><a href=''>Back</a></div>", "Hangs over the edge"),
        ("<input aria-label='Add a value' style='inline-size: 35px'>", 'Too narrow to be read: <input> "Add a value"'),
        ("<select aria-label=Unit style='inline-size: 50px'><option>days</select>", "Too narrow to be read"),
        ("<select style='inline-size: 80px'><option>Once for each customer</select>", "What is chosen is cut off"),
        ("<input size=9 aria-label=Own placeholder='com.shop.cart.abandoned'>", "Its hint is cut off"),
        (f"<button style='{_CLIPPED}'>Publish it now</button>", 'Its words do not fit: <button> "Publish it now"'),
        (f"<a href='' style='display: block; {_CLIPPED}'>To the workflows</a>", "Its words do not fit"),
        ("<b style='display: inline-block; inline-size: 3rem'>Succeeded</b>", 'Its words do not fit: <b> "Succeeded"'),
        (f"<p style='{_NARROW}'>abandoned</p>", 'Broken in the middle: "abandoned"'),
        ("<button>One</button><button style='margin-inline-start: -20px'>Two</button>", "Lie on each other"),
        ("<input aria-label=Text><button style='margin-inline-start: -30px'>Add</button>", "Lie on each other"),
    ],
)
async def test_what_looks_wrong_is_found(visit: Visit, markup: str, said: str) -> None:
    """On a phone, in words that name the element."""
    async with visit(phone=True) as window:
        await window.page.set_content(_PAGE.format(markup))
        found = await window.looks_wrong()
        assert any(one.startswith(said) for one in found), found


@pytest.mark.parametrize(
    "markup",
    [
        "<h1>All is well</h1><p>Words. <a href=''>A link</a></p><button>Go on</button><input aria-label='Name'>",
        "<div style='overflow-x: auto'><table style='inline-size: 900px'><td>Much<td>more</table></div>",
        "<a href='' style='position: absolute; inset-block-start: -10rem'>Skip to the content</a>",
        "<input aria-label=Find style='padding-inline-end: 3rem'><button style='margin-inline-start: -3rem'>x</button>",
        f"<p style='{_NARROW}'>0b5c1f2e-7d1a-4a52-9c3e-8a1f00d4c7ab</p>",
        "<p style='inline-size: 5rem'>shop.<wbr>cart.<wbr>abandoned</p>",
        f"<p style='{_NARROW}; position: absolute; clip-path: inset(50%)'>abandoned</p>",
    ],
)
async def test_what_looks_right_is_left_alone(visit: Visit, markup: str) -> None:
    """What scrolls in a box of its own, is read out alone, or has its room is no mistake."""
    async with visit(phone=True) as window:
        await window.page.set_content(_PAGE.format(markup))
        assert await window.looks_wrong() == []


async def test_there_is_room_to_enter_one_value_more(visit: Visit, somebody: Somebody) -> None:
    """After many long values, on a desk and on a phone."""
    who = await somebody()
    cities = ["São Paulo", "Rio de Janeiro", "Belo Horizonte", "Porto Alegre", "Florianópolis"]
    conditions = [{"field": "customer.city", "operator": "in", "value": cities[:count]} for count in range(6)]
    for look in ({}, {"phone": True}):
        async with visit(who, **look) as window:
            await on_bench(window, who, "condition-builder", f"{{ value: {orjson.dumps(conditions).decode()} }}")
            assert await window.looks_wrong() == []
            for field in await window.page.get_by_label("Add a value").all():
                box = await field.bounding_box()
                assert box, "It is not shown"
                assert box["width"] >= _ROOM
