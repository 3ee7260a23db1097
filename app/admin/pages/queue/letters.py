"""``/queue/dead-letters``: records that could not be processed: why, what they hold, and what becomes of them."""

import base64
from collections.abc import Sequence
from typing import Final

from aiohttp import web
from markupsafe import Markup

from app.admin.api.dead_letters import chosen
from app.admin.models import DeadLetterQuery
from app.admin.pages.forms import FORM, see_other
from app.admin.pages.json_text import set_out
from app.admin.pages.lists import asked, link
from app.admin.pages.queue.words import reason_words, reasons, role_words, states
from app.admin.pages.rendering import rendered
from app.admin.pages.wording import count_of, moment
from app.admin.requests import CALLER, path_number
from app.admin.state import STATE
from app.domain.errors import ConflictError, NotFoundError
from app.ports.dead_letter_box import Shown
from app.services.operations.dead_letter_box import DeadLetterBox

LETTERS: Final = "/queue/dead-letters"
_ROWS: Final = "50"
_MOST_AT_ONCE: Final = 200
_WHAT: Final = "dead letter"
_HEX_BYTES: Final = 256
_KEPT: Final = ("state", "topic", "reason", "role", "event_id", "source", "entity", "from", "to")
_DONE: Final = {"replay": "replayed", "discard": "discarded"}


class LetterListQuery(DeadLetterQuery):
    """As the API's, with what was done last."""

    did: str | None = None
    done: int = 0
    not_done: int = 0


async def show_letters(request: web.Request) -> web.Response:
    """Show them, newest first."""
    query, given, wrong = asked(request, LetterListQuery, limit=_ROWS)
    rows = await _box(request).find(chosen(query), query.before, query.limit)
    rest = {name: value for name, value in given.items() if name not in {"before", "did", "done", "not_done"}}
    more = str(rows[-1].number) if len(rows) == query.limit else None
    return rendered(
        request,
        "queue/letters.html",
        rows=[(row, *reason_words(row.reason), role_words(row.role)[0]) for row in rows],
        given=rest,
        wrong=wrong,
        words=_in_words(query),
        states=states(),
        reasons=reasons(),
        done=_done(query),
        first=link(LETTERS, rest) if query.before else None,
        next=link(LETTERS, rest, before=more) if more else None,
    )


async def show_letter(request: web.Request) -> web.Response:
    """Show one, with what it holds."""
    letter = await _box(request).get(path_number(request, _WHAT))
    title, advice = reason_words(letter.reason)
    return rendered(
        request,
        "queue/letter.html",
        letter=letter,
        title=title,
        advice=advice,
        role=role_words(letter.role)[0],
        state=states()[letter.state],
        key=text_of(letter.key),
        value=text_of(letter.value),
        headers=[(name, text_of(value)) for name, value in letter.headers],
        did=_DONE.get(request.query.get("did", ""), ""),
    )


async def replay(request: web.Request) -> web.Response:
    """Send one back to where it came from."""
    number = path_number(request, _WHAT)
    await _box(request).replay(request[CALLER], number)
    return see_other(f"{LETTERS}/{number}?did=replay")


async def discard(request: web.Request) -> web.Response:
    """Be done with one."""
    number = path_number(request, _WHAT)
    await _box(request).discard(request[CALLER], number)
    return see_other(f"{LETTERS}/{number}?did=discard")


async def act_on_many(request: web.Request) -> web.Response:
    """Replay or discard those that are chosen, one by one; those that cannot be are left, and counted."""
    fields = request[FORM]
    does = fields.get("do", ["replay"])[-1]
    numbers = [int(one) for one in fields.get("number", ()) if one.isascii() and one.isdigit()][:_MOST_AT_ONCE]
    done = await _each(request, does if does in _DONE else "replay", numbers)
    filters = {name: fields[name][-1] for name in _KEPT if fields.get(name, [""])[-1]}
    return see_other(link(LETTERS, filters, did=does, done=str(done), not_done=str(len(numbers) - done)))


async def _each(request: web.Request, does: str, numbers: Sequence[int]) -> int:
    done = 0
    for number in numbers:
        try:
            if does == "replay":
                await _box(request).replay(request[CALLER], number)
            else:
                await _box(request).discard(request[CALLER], number)
        except (ConflictError, NotFoundError):
            continue
        done += 1
    return done


def text_of(shown: Shown | None) -> str:
    """Return bytes as a person reads them: JSON set out, other text as it is, the first of others in hexadecimal."""
    if shown is None:
        return "(null)"
    if shown.text is None:
        raw = base64.b64decode(shown.base64)
        rest = f"\n… and {len(raw) - _HEX_BYTES:,} bytes more" if len(raw) > _HEX_BYTES else ""
        return raw[:_HEX_BYTES].hex(" ") + rest
    return set_out(shown.text)


def _box(request: web.Request) -> DeadLetterBox:
    return request.app[STATE].dead_letters


def _done(query: LetterListQuery) -> str:
    """Say what was done last."""
    if query.did not in _DONE:
        return ""
    said = f"{count_of(query.done, 'record')} {'was' if query.done == 1 else 'were'} {_DONE[query.did]}."
    if query.not_done:
        said += f" {count_of(query.not_done, 'record')} could not be: open one to see why."
    return said


def _in_words(query: LetterListQuery) -> list[str]:
    said = [
        f"that are {states()[query.state].lower()}" if query.state else "",
        f"where {_lower(reason_words(query.reason)[0])}" if query.reason else "",
        f"of {role_words(query.role)[0]}" if query.role else "",
        f"on {query.topic}" if query.topic else "",
        f"of the event {query.event_id}" if query.event_id else "",
        f"from {query.source}" if query.source else "",
        f"about {query.entity}" if query.entity else "",
        Markup("that failed from {} on").format(moment(query.since)) if query.since else "",
        Markup("that failed before {}").format(moment(query.until)) if query.until else "",
    ]
    return [one for one in said if one]


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
