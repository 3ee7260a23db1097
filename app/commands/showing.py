"""How commands show things: tables in colour for people, plain columns for pipes, JSON for programs.

A terminal gets a table that fits it: columns that matter least are left out first, and what is too long is cut. Where
nobody looks (a pipe, a file) nothing is cut or left out, and nothing is coloured; NO_COLOR switches colours off alone.
"""

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

if TYPE_CHECKING:
    from rich.console import Console  # loaded where a terminal is shown something

_GAP: Final = 2
_STYLES: Final = {
    "success": "green", "active": "green", "ready": "green", "create": "green", "in use": "green", "met": "green",
    "partial": "yellow", "change": "yellow", "waiting": "yellow", "open": "yellow", "blocked": "yellow",
    "failed": "red", "dead letter": "red", "not met": "red", "revoked": "red", "expired": "red",
    "skipped": "dim", "inactive": "dim", "nothing": "dim", "discarded": "dim",
}  # fmt: skip
_WANTS_JSON: Final = "headrace.json"
_SAYS_EVERY_S: Final = 5.0
T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Attributes:
        name: Its heading.
        least: Characters that it needs to be of use; 0 where it must be shown whole.
        rank: The columns of the highest rank are left out first where a terminal is narrow; those of rank 0 stay.
        wraps: What is too long goes on in the next line, instead of being cut: for who looks at one thing.
    """

    name: str
    least: int = 0
    rank: int = 0
    wraps: bool = False


def _remember(ctx: click.Context, _: click.Parameter, value: bool) -> bool:  # noqa: FBT001 - click calls it so
    if value:
        ctx.find_root().meta[_WANTS_JSON] = True
    return value


def json_option(command: F) -> F:
    """Give a command ``--json``; an error is one JSON object on standard error then."""
    option = click.option(
        "--json", "as_json", is_flag=True, is_eager=True, callback=_remember, help="JSON, for programs."
    )
    return option(command)


def wants_json(ctx: click.Context) -> bool:
    """Tell whether ``--json`` was given."""
    return bool(ctx.find_root().meta.get(_WANTS_JSON))


def show_json(value: object) -> None:
    """Print a value as JSON: indented for who looks, in one line for who reads."""
    click.echo(json.dumps(value, indent=2 if sys.stdout.isatty() else None, ensure_ascii=False))


def show_table(columns: Sequence[Column], rows: Sequence[Sequence[object]], *, empty: str, headed: bool = True) -> None:
    """Print a table; ``empty`` says what it means that there is nothing to show.

    What goes on with a table that was shown before is not ``headed`` again.
    """
    if not rows:
        click.echo(empty, err=True)
        return
    cells = [[clean(value) for value in row] for row in rows]
    if sys.stdout.isatty():
        _terminal_table(columns, cells, headed=headed)
    else:
        for line in _plain_table(columns, cells, headed=headed):
            click.echo(line)


def show_fields(fields: Mapping[str, object]) -> None:
    """Print names and values, one a line; what is None or empty is left out."""
    told = {name: clean(value) for name, value in fields.items() if value not in (None, "")}
    width = max(map(len, told), default=0)
    for name, value in told.items():
        style = _STYLES.get(value)
        click.echo(f"{click.style(f'{name:<{width}}', bold=True)}  {_styled(value, style)}")


def heading(text: str) -> None:
    """Print the heading of a part, with a free line above."""
    click.echo(f"\n{click.style(text, bold=True)}")


def confirmed(question: str, *, yes: bool) -> None:
    """Ask before something that cannot be undone, unless ``--yes`` was given.

    Raises:
        click.UsageError: There is nobody to ask.
        click.Abort: The answer is no.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError(f"{question} There is no terminal to ask: say --yes to do it")
    click.confirm(question, abort=True, err=True)


def counted(things: Sequence[T], done: str) -> Iterator[T]:
    """Yield each thing; who waits is told every five seconds how many of them are ``done``: applied, looked at."""
    said_at = time.monotonic()
    for position, thing in enumerate(things):
        if time.monotonic() - said_at >= _SAYS_EVERY_S:
            said_at = time.monotonic()
            click.echo(f"{position} of {len(things)} {done}", err=True)
        yield thing


def clean(value: object) -> str:
    """Return a value in one line; an event may hold anything, also what a terminal would obey."""
    text = "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in " ".join(text.split()))


def moment(text: str | None) -> str:
    """Return a time of the API's to the second, in UTC."""
    if not text:
        return ""
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M:%S}"


def took(milliseconds: int | None) -> str:
    """Return a duration as people say it."""
    if milliseconds is None:
        return ""
    return f"{milliseconds} ms" if milliseconds < 10_000 else f"{milliseconds / 1000:,.0f} s"  # noqa: PLR2004


def _styled(text: str, style: str | None) -> str:
    if style is None:
        return text
    return click.style(text, dim=True) if style == "dim" else click.style(text, fg=style)


def _plain_table(columns: Sequence[Column], cells: Sequence[Sequence[str]], *, headed: bool) -> Iterable[str]:
    rows = [[column.name for column in columns], *cells]
    widths = [max(len(row[n]) for row in rows) for n in range(len(columns))]
    for row in rows if headed else cells:
        yield (" " * _GAP).join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _terminal_table(columns: Sequence[Column], cells: Sequence[Sequence[str]], *, headed: bool) -> None:
    from rich.table import Table  # noqa: PLC0415 - loaded where it is used: `emit` starts without it
    from rich.text import Text  # noqa: PLC0415

    console = _console()
    widths = fitting(columns, cells, console.width)
    if widths is None:  # what must be whole is longer than a line: the terminal breaks it, and nothing is lost
        for line in _plain_table(columns, cells, headed=headed):
            click.echo(line)
        return
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold", collapse_padding=True)
    table.show_header = headed
    for position, width in widths.items():
        wraps = columns[position].wraps
        table.add_column(
            columns[position].name, no_wrap=not wraps, overflow="fold" if wraps else "ellipsis", width=width
        )
    for row in cells:
        table.add_row(*(Text(row[n], _STYLES.get(row[n], ""), no_wrap=not columns[n].wraps) for n in widths))
    console.print(table)
    missing = [column.name for n, column in enumerate(columns) if n not in widths and any(row[n] for row in cells)]
    if missing:
        click.echo(
            click.style(f"Not shown in {console.width} columns: {', '.join(missing)} (--json has all)", dim=True)
        )


def _console() -> "Console":
    from rich.console import Console  # noqa: PLC0415 - as above

    return Console(highlight=False, markup=False, emoji=False, soft_wrap=False)


def fitting(columns: Sequence[Column], cells: Sequence[Sequence[str]], width: int) -> dict[int, int] | None:
    """Return which columns a width has room for, by position, and how wide each is; None: not even those that stay.

    Columns without any value are left out. What is left over goes to those that matter most.
    """
    longest = [max(len(column.name), *(len(row[n]) for row in cells)) for n, column in enumerate(columns)]
    widths = {
        n: min(longest[n], column.least) if column.least else longest[n]
        for n, column in enumerate(columns)
        if any(row[n] for row in cells)
    }
    while (left := width - sum(widths.values()) - _GAP * (len(widths) - 1)) < 0:
        last = max(widths, key=lambda n: columns[n].rank)
        if not columns[last].rank:
            return None
        del widths[last]
    for n in sorted(widths, key=lambda n: columns[n].rank):
        more = min(left, longest[n] - widths[n])
        widths[n] += more
        left -= more
    return widths
