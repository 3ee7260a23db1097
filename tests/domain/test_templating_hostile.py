"""Templates made to hurt: each is stopped by a bound, which is named, and reads nothing that it must not."""

import contextlib
import threading
import time
from typing import Any

import pytest

from app.domain.templating import TemplateError, TemplateFailure, compile_template
from app.domain.wall import MESSAGE
from tests.support.deadlines import scaled

BIG = "x" * 200_000
# The wall and a tick at either end; and as much again for a machine that is busy with other things.
MOST_S = 0.5
CONTEXT: dict[str, Any] = {
    "customer": {"name": "Ada", "tags": ["a"]},
    "one": 1,
    "text": "a",
    "big": BIG,
    "lines": "\n" * 60_000,
    "many": list(range(30_000)),
    "tree": [[]],
    "rows": [{"a": n} for n in range(10_000)],
    "__class__": "shadow",
}
SECRET_MARKS = ("subprocess", "<class", "<function", "<module", "os.", "environ", "<bound", "<built-in", "0x")

WALKS = [
    "{{ ''.__class__ }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ ''['__class__'] }}",
    "{{ customer.__class__ }}",
    "{{ customer.name.__class__.__base__ }}",
    "{{ customer['__init__']['__globals__'] }}",
    "{{ customer.get.__self__ }}",
    "{{ customer.get.__func__.__globals__ }}",
    "{{ ''|attr('__class__') }}",
    "{{ ['']|map(attribute='__class__')|list }}",
    "{{ ['']|groupby('__class__') }}",
    "{{ range.__globals__ }}",
    "{{ cycler.__init__.__globals__.os }}",
    "{{ joiner.__init__ }}",
    "{{ namespace.__init__.__globals__ }}",
    "{{ namespace(a=1).__class__ }}",
    "{{ namespace(a=1)._Namespace__attrs }}",
    "{{ self._TemplateReference__context }}",
    "{{ self }}",
    "{{ self.__init__.__globals__ }}",
    "{% for x in [1] %}{{ loop.__class__ }}{% endfor %}",
    "{% for x in [1] %}{{ loop._iterator }}{% endfor %}",
    "{% macro m() %}{% endmacro %}{{ m.__globals__ }}",
    "{% macro m() %}{% endmacro %}{{ m._func }}",
    "{% macro m() %}{% endmacro %}{{ m }}",
    "{{ range }}",
    "{{ customer.items }}",
    "{{ (x for x in y) }}",
    "{{ lipsum.__globals__ }}",
    "{{ config }}",
    "{{ request.application }}",
    "{{ get_flashed_messages }}",
    "{{ '{0.__class__}'.format(1) }}",
    "{{ '{0.__class__}'.format_map({}) }}",
    "{{ '%s'|format(range) }}",
    "{{ (1).__class__ }}",
    "{{ 1.0.real.__class__ }}",
    "{{ customer.name.encode() }}",
    "{{ customer.tags.append('b') }}",
    "{{ customer.update({'a': 1}) }}",
    "{{ customer.pop('name') }}",
    "{{ nowhere.__class__.__init__ }}",
    "{{ customer|pprint }}",
    "{{ [1]|random }}",
    "{{ text is filter(text) and ''.__class__ }}",
]
BOMBS = {
    "takes more than 250000 steps": [
        "{% for i in range(9999) %}{% for j in range(9999) %}{% endfor %}{% endfor %}",
        "{% for i in range(9999) if i > 5 %}{% for j in many if j < 0 %}{% endfor %}{% endfor %}",
        "{% for i in range(9000) %}{{ range(9000)|sum }}{% endfor %}",
        "{% set x %}{% for i in range(9999) %}{{ big }}{% endfor %}{% endset %}",
        "{% set x %}{% for i in range(9999) %}{{ many }}{% endfor %}{% endset %}",
        "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}",
        "{% macro m() %}{{ caller() }}{{ caller() }}{% endmacro %}"
        + "{% call m() %}" * 15
        + "{{ range(9999)|sum }}"
        + "{% endcall %}" * 15,
        "{% for x in tree recursive %}{{ loop(range(9999)|list) }}{{ loop(many) }}{% endfor %}",
        "{% for i in range(9999) %}{% if big == big[1:] ~ 'x' %}{% endif %}{% endfor %}",
        "{% for i in range(9999) %}{% if 'y' in big %}{% endif %}{% endfor %}",
        "{% for i in range(9999) %}{% if -1 in many %}{% endif %}{% endfor %}",
        "{% for i in range(9999) %}{% set y = many[1:] %}{% endfor %}",
        "{% for i in range(9999) %}{% set y = big|upper %}{% endfor %}",
        "{% for i in range(9999) %}{% set y = big.upper() %}{% endfor %}",
        "{% for i in range(9999) %}{% set y = many|sort(reverse=true) %}{% endfor %}",
        "{% for i in range(9999) %}" + "{% if one %}{% endif %}" * 900 + "{% endfor %}",
        "{{ many|select('in', many)|list }}",
        "{{ many|reject('eq', many)|list }}",
        "{{ rows|selectattr('a', 'in', many)|list }}",
        "{% for i in range(9999) %}{% if -1 is in many %}{% endif %}{% endfor %}",
        "{% for i in range(9999) %}{% if big is upper %}{% endif %}{% endfor %}",
        "{{ many|map(attribute='" + "a." * 5_000 + "a')|list }}",
        "{{ many|map(attribute='" + "a." * 5_000 + "a', default=0)|list }}",
        "{{ many|join(',', attribute='" + "a." * 5_000 + "a') }}",
        "{{ rows|groupby('" + "a." * 5_000 + "a', default=1) }}",
        "{{ rows|sort(attribute='" + "a," * 5_000 + "a') }}",
        "{% for i in range(9999) %}{% set y = big.strip(big) %}{% endfor %}",
    ],
    "makes a range of more than 10000 numbers": [
        "{% for i in range(10**9) %}{% endfor %}",
        "{{ range(100000000)|list }}",
        "{{ cycler(*range(9999999)) }}",
    ],
    "makes a number of more than 4096 bits": [
        "{{ 10**(10**10) }}",
        "{{ 2**99999 }}",
        "{{ 10**4000 * 10**4000 }}",
        "{% set n = namespace(x=2) %}{% for i in range(9999) %}{% set n.x = n.x * n.x %}{% endfor %}",
        "{% set n = namespace(x=2) %}{% for i in range(9999) %}{% set n.x = n.x + n.x %}{% endfor %}{{ n.x }}",
    ],
    "makes a text of more than 262144 characters": [
        "{{ 'a' * 10**9 }}",
        "{{ lines|indent(1000) }}",
        "{{ big|replace('', big) }}",
        "{{ big|replace('x', big) }}",
        "{{ range(9999)|join(big) }}",
        "{% set n = namespace(x=text) %}{% for i in range(99) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
        "{% set n = namespace(x=text) %}{% for i in range(99) %}{% set n.x = n.x + n.x %}{% endfor %}",
        "{{ range(9999)|map('replace', '1', big)|list|length }}",
    ],
    "makes a collection of more than 65536 members": [
        "{% set n = namespace(x=[1]) %}{% for i in range(99) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x }}",
        "{% set n = namespace(x=[1]) %}{% for i in range(99) %}{% set n.x = n.x + n.x %}{% endfor %}",
        "{% set n = namespace(x={}) %}{% for i in range(99) %}{% set n.x = {1: n.x, 2: n.x} %}{% endfor %}",
    ],
    "pads to more than 1000 characters": [
        "{{ 'a'|center(1000000000) }}",
        "{{ text|center(1000000000) }}",
        "{{ text|indent(1000000000) }}",
        "{{ text|indent(big) }}",
    ],
    "renders to more than 65536 characters": [
        "{{ one|json(1000000000) }}{{ big }}",
        "{{ big }}",
        "{% for i in range(9999) %}xxxxxxxxxxxxxxxx{% endfor %}",
    ],
    "nests or calls itself too deep": [
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% for x in tree recursive %}{{ loop([[]]) }}{% endfor %}",
    ],
    " is undefined": [
        "{{ '{:1000000000}'.format(1) }}",
        "{{ text.ljust(1000000000) }}",
        "{{ text.zfill(1000000000) }}",
        "{{ text.expandtabs(1000000000) }}",
        "{{ big.replace('x', big) }}",
        "{{ big.join(big) }}",
        "{{ lipsum(1000000000) }}",
    ],
    " takes numbers": [
        "{{ 10**9 * 'a' }}",
        "{{ [0] * 10**9 }}",
        "{{ [0] * 1000000000 }}",
        "{{ '%1000000000d' % 1 }}",
    ],
    "No filter named": [
        "{{ '%1000000000d'|format(1) }}",
        "{{ [1]|slice(1000000000)|list }}",
    ],
    "can't be computed for these values": [
        "{{ range(9999999999999999999999) }}",
        "{{ [1]|batch(1000000000, 'x')|list }}",
        "{{ '9'|int(0, 36) }}",
        "{{ 1 / 0 }}",
        "{{ 1e308 * 10**400 }}",
        "{{ 5.0 ** 5000 }}",
        "{{ one is divisibleby 0 }}",
    ],
    "rounds to more than 15 decimals": ["{{ 1.5|round(1000000000, 'ceil') }}"],
    "date takes an ISO 8601 time": ["{{ customer.name|date('%1000000000Y') }}"],
    "date takes a short pattern such as %d/%m/%Y %H:%M": ["{{ '2026-03-01'|date('%1000000000Y') }}"],
    "money takes a number, and at most 15 decimals": ["{{ one|money('', 1000000000) }}"],
    "prints something that is no text, number, list or object": [
        "{% set n = namespace(x=1) %}{% set n.x = n %}{{ n }}"
    ],
}
TOO_DEEP = "nests too deep, or holds too large a number"
# What the steps do not see, or see too late: the wall does.
DEEP: Any = []
for _ in range(60):
    DEEP = [DEEP, 1]
WIDE: dict[str, Any] = {"l": [str(n) for n in range(18_000)], "deep": DEEP, "big": BIG, "many": CONTEXT["many"]}
_GENERATORS = "{{ (many" + "|map('string')|map('int')" * 40 + ")|list|length }}"
_LONG = "{% set w = '\U0001f600' * 60000 %}{% set s = '\U0001f601' * 998 ~ '\U0001f600' %}"
_STRIPS = _LONG + "{% for i in range(55) %}{% set x = w.strip(s) %}{% endfor %}"
HIDDEN = [
    _STRIPS,
    "{% for i in range(9999) %}{% if {}[l] is defined %}{% endif %}{% endfor %}",
    "{% for i in range(9999) %}{% for j in range(20) %}{% if {}[l] is defined %}{% endif %}{% endfor %}{% endfor %}",
    "{% for i in range(9999) %}{% if l[l] is defined %}{% endif %}{% endfor %}",
    "{% for i in range(9999) %}{% if big[l] is defined %}{% endif %}{% endfor %}",
    "{% for i in range(9999) %}{% if nowhere[l] is defined %}{% endif %}{% endfor %}",
    "{% for i in range(9999) %}{% if nowhere[l][l][l] is defined %}{% endif %}{% endfor %}",
    "{% for i in range(9999) %}{{ {}[l]|default('') }}{% endfor %}",
    "{% for i in range(9999) %}{{ deep[deep]|default('') }}{% endfor %}",
    "{% for i in range(9999) %}{% if l.index(l) %}{% endif %}{% endfor %}",
    "{% for i in range(9999) %}{% set x = l.count(deep) %}{% endfor %}",
    "{% for i in range(9999) %}{% if loop.changed(l) %}{% endif %}{% endfor %}",
    "{% for i in range(9999) %}{% if loop.changed(l ~ i) %}{% endif %}{% endfor %}",
    "{% for i in many %}{% set x = big.split('x') %}{% endfor %}",
    "{% for i in many %}{% set x = big.title() %}{% endfor %}",
    _GENERATORS,
    "{% for i in range(9999) %}" + _GENERATORS + "{% endfor %}",
    "{% for i in many|map('string')|select|reject('none')|map('list')|map('first') %}{{ i }}{% endfor %}",
    "{% macro m(n) %}{{ caller(n) }}{% endmacro %}"
    + "{% call(n) m(1) %}{% for i in range(50) %}" * 6
    + "{{ n }}"
    + "{% endfor %}{% endcall %}" * 6,
]

REFUSED = [
    ("{% include 'secret' %}", "{% include %} can't be used here"),
    ("{% import 'secret' as s %}", "{% import %} can't be used here"),
    ("{% from 'secret' import s %}", "{% from %} can't be used here"),
    ("{% extends 'secret' %}", "{% extends %} can't be used here"),
    ("{% block a %}{{ self.a() }}{% endblock %}", "{% block %} can't be used here"),
    ("{% autoescape false %}{% endautoescape %}", "{% autoescape %} can't be used here"),
    ("{{ " + "(" * 5_000 + "1" + ")" * 5_000 + " }}", TOO_DEEP),
    ("{{ " + "not " * 5_000 + "1 }}", TOO_DEEP),
    ("{{ a" + ".a" * 20_000 + " }}", TOO_DEEP),
    ("{{ 1" + " + 1" * 9_000 + " }}", TOO_DEEP),
    ("{% if a %}" * 500 + "{% endif %}" * 500, TOO_DEEP),
    ("{{ " + "9" * 60_000 + " }}", TOO_DEEP),
    ("{{ " + "[" * 1_000 + "]" * 1_000 + " }}", TOO_DEEP),
    ("{{ a }}" * 9_000, "is too long: more than 4000 pieces of template syntax"),
    ("x" * 65_537, "is longer than 65536 characters"),
    ("{{ a", "unexpected end of template"),
    ("{% endfor %}", "unknown tag 'endfor'"),
    ("{{ a|nofilter }}", "No filter named 'nofilter'"),
    ("{% do x %}", "unknown tag 'do'"),
]


def stopped_by(bound: str, said: str) -> bool:
    """Whether it was this bound, or the wall, to which a slow machine may come before."""
    return bound in said or MESSAGE in said


@pytest.mark.parametrize("html", [False, True])
@pytest.mark.parametrize("source", WALKS)
def test_no_walk_reaches_anything(source: str, html: bool) -> None:  # noqa: FBT001 - a parameter of the table
    """An attribute that is no member of the data is undefined; nothing that is no JSON value can be printed."""
    with pytest.raises((TemplateFailure, TemplateError)) as caught:
        compile_template(source, html=html).render(CONTEXT)
    assert not any(mark in str(caught.value) for mark in SECRET_MARKS)


@pytest.mark.parametrize("html", [False, True])
@pytest.mark.parametrize(
    ("bound", "source"),
    [(bound, source) for bound, sources in BOMBS.items() for source in sources],
    ids=lambda text: text[:70],
)
@pytest.mark.timeout(30)
def test_every_bomb_is_stopped_by_its_bound(bound: str, source: str, html: bool) -> None:  # noqa: FBT001 - a parameter of the table
    """A bound on steps, integers, padding, text or collections stops it, and the failure names that bound."""
    with pytest.raises((TemplateFailure, TemplateError)) as caught:
        compile_template(source, html=html).render(CONTEXT)
    assert stopped_by(bound, str(caught.value))


@pytest.mark.parametrize("source", HIDDEN, ids=lambda text: text[:90])
@pytest.mark.timeout(30)
def test_what_no_step_sees_ends_at_the_wall(source: str) -> None:
    """However a template spends its time, also in what an error would say: within 250 ms of CPU, and a tick or two."""
    template = compile_template(source)
    began = time.thread_time()
    with contextlib.suppress(TemplateFailure):
        template.render(WIDE)
    assert time.thread_time() - began < scaled(MOST_S)


@pytest.mark.parametrize("source", ["{{ {}[l] }}", "{{ l[l] }}", "{{ nowhere[l].a }}", "{{ big[l] }}", "{{ {}[big] }}"])
def test_no_error_formats_a_value(source: str) -> None:
    """A key that leads nowhere is called by its kind, or cut; so is what is missing below it."""
    before = str(_Loud.formatted)
    with pytest.raises(TemplateFailure, match="is undefined") as caught:
        compile_template(source).render({**WIDE, "l": [_Loud()]})
    assert len(str(caught.value)) < 320
    assert str(_Loud.formatted) == before, "a value was formatted"


class _Loud(dict[str, Any]):
    """Counts how often it is formatted."""

    formatted = 0

    def __repr__(self) -> str:
        type(self).formatted += 1
        return "x"


@pytest.mark.parametrize(("source", "why"), REFUSED, ids=lambda text: text[:30])
@pytest.mark.timeout(30)
def test_what_is_no_template_is_refused_on_save(source: str, why: str) -> None:
    """Statements that need files, nesting without end and sheer length do not compile; the error says which it was."""
    with pytest.raises(TemplateError) as caught:
        compile_template(source)
    assert stopped_by(why, str(caught.value))


def test_a_failed_render_leaves_the_next_ones_alone() -> None:
    """The budget is each render's own, in every thread."""
    bomb = compile_template("{% for i in range(9999) %}{% for j in range(9999) %}{% endfor %}{% endfor %}")
    good = compile_template("{% for i in range(1000) %}{{ i }}{% endfor %}")
    lengths = []

    def work() -> None:
        with pytest.raises(TemplateFailure):
            bomb.render({})
        lengths.append(len(good.render({})))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert lengths == [2890] * 4
    assert {len(good.render({})) for _ in range(50)} == {2890}


@pytest.mark.timeout(30)
def test_constants_are_bounded_when_they_are_compiled() -> None:
    """Jinja computes what is constant on save, in the API's process: within the same budget."""
    walk = "{{ '" + "x" * 20_000 + "' | join(',', attribute='" + "a." * 15_000 + "a') }}"
    with pytest.raises((TemplateFailure, TemplateError)) as caught:
        compile_template(walk).render({})
    assert stopped_by("takes more than 250000 steps", str(caught.value))


@pytest.mark.timeout(30)
def test_json_is_indented_by_a_little_only() -> None:
    """Whatever a template asks for; a text of gigabytes would be made before it could be refused."""
    for name in ("json", "tojson"):
        assert compile_template("{{ x | " + name + "(1000000000) }}").render({"x": [1]}) == "[\n        1\n]"
        assert compile_template("{{ 'x' | list | " + name + "(1000000000) | length }}").render({}) in {"15", "19"}


def test_the_context_is_not_changed() -> None:
    """No template can write to the event."""
    context: dict[str, Any] = {"customer": {"tags": ["a"]}, "n": 1}
    compile_template("{% set n = 2 %}{% set customer = 3 %}{{ n }}").render(context)
    assert context == {"customer": {"tags": ["a"]}, "n": 1}
