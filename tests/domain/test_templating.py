"""Templates by example: what they print, what fails them, and how that is said."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.templating import TemplateError, TemplateFailure, compile_template

EVENT: dict[str, Any] = {
    "customer": {"name": "Ada <ada@example.org>", "vip": True, "phone": None, "ltv": "1234.5", "tags": ["a", "b"]},
    "order": {
        "id": 7,
        "items": [{"name": "tea", "price": 4.25}, {"name": "cup", "price": 12}],
        "paid_at": "2026-03-01T23:30:00Z",
        "values": "own",
    },
}


def render(source: str, *, html: bool = False) -> str:
    """Render over the event."""
    return compile_template(source, html=html).render(EVENT)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("no template\n", "no template\n"),
        ("Order {{ order.id }}", "Order 7"),
        ("{{ order.items[1].name }}{{ order.items.0.name }}", "cuptea"),
        (
            "{% for item in order.items %}{{ loop.index }} {{ item.name }}{{ ', ' if not loop.last }}{% endfor %}",
            "1 tea, 2 cup",
        ),
        ("{{ order.values }}", "own"),
        ("{% for key, tag in {'x': 1}.items() %}{{ key }}{{ tag }}{% endfor %}", "x1"),
        ("{{ customer.vip }} {{ customer.phone }}|", "true |"),
        ("{{ customer.tags }}", '["a", "b"]'),
        ("{{ {'ü': customer.vip}|json }}", '{"ü": true}'),
        ("{{ order.items|sum('price') }}", "16.25"),
        ("{{ order.items|map(attribute='name')|join(' & ') }}", "tea & cup"),
        ("{{ order.items|selectattr('price', '>', 5)|map(attribute='name')|first }}", "cup"),
        (
            "{{ customer.ltv|money }} {{ 1234567.005|money('EUR') }} {{ 12|money('', 0) }}",
            "1,234.50 1,234,567.01 EUR 12",
        ),
        (
            "{{ order.paid_at|date }} {{ order.paid_at|date('%d/%m %H:%M', 'America/Sao_Paulo') }}",
            "2026-03-01 01/03 20:30",
        ),
        ("{{ '2026-03-01T01:00:00+02:00'|date('%d %H:%M %z') }}", "01 01:00 +0200"),
        ("{{ 'a-b'|replace('-', '+')|upper }} {{ 'x'.upper() ~ 1 ~ true }}", "A+B X1true"),
        ("{{ 'x'|center(3) }}|{{ 2.345|round(2) }}|{{ '12'|int + 1 }}|{{ 'ab' * 2 }}", " x |2.35|13|abab"),
        ("{{ [1, 2, 3]|batch(2)|list }} {{ 'a\nb'|indent(2) }}", "[[1, 2], [3]] a\n  b"),
        ("{{ 7 % 4 }} {{ 2 ** 3 }} {{ 'a' + 'b' }} {{ order.items[:1]|length }}", "3 8 ab 1"),
        ("{% set n = namespace(x=0) %}{% for i in range(4) %}{% set n.x = n.x + i %}{% endfor %}{{ n.x }}", "6"),
        ("{% macro m(a, b='!') %}{{ a }}{{ b }}{% endmacro %}{{ m('x') }}{{ m('y', b='?') }}", "x!y?"),
        ("{% if customer.nickname is defined %}a{% else %}b{% endif %}", "b"),
    ],
)
def test_what_templates_print(source: str, text: str) -> None:
    """Members before methods, JSON for what is neither text nor number, and the filters."""
    assert render(source) == text


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("{{ nowhere }}", "nowhere is undefined"),
        ("{{ customer.nickname }}", "customer.nickname is undefined"),
        ("{{ customer['nickname'] }}", "customer.nickname is undefined"),
        ("{{ customer.address.city.zip }}", "customer.address.city.zip is undefined"),
        ("{{ order.items[5].name }}", "order.items.5.name is undefined"),
        ("{{ nowhere.at.all|upper }}", "nowhere.at.all is undefined"),
        ("{% if customer.nickname %}{% endif %}", "customer.nickname is undefined"),
        ("{% for x in customer.orders %}{% endfor %}", "customer.orders is undefined"),
        ("{{ customer.nickname ~ 'x' }}", "customer.nickname is undefined"),
        ("{{ customer.nickname == 'x' }}", "customer.nickname is undefined"),
        ("{{ customer.nickname + 1 }}", "customer.nickname is undefined"),
        ("{{ 2 * customer.nickname }}", "customer.nickname is undefined"),
        ("{{ customer.nickname|json }}", "customer.nickname is undefined"),
        ("{{ customer.nickname|join }}", "customer.nickname is undefined"),
        ("{{ [customer.nickname] }}", "undefined"),
        ("{{ customer.greet() }}", "customer.greet is undefined"),
    ],
)
def test_an_undefined_variable_fails_and_is_named(source: str, name: str) -> None:
    """By its whole path, with the line, however it is used."""
    for html in (False, True):
        with pytest.raises(TemplateFailure) as caught:
            render("\n" + source, html=html)
        assert name in str(caught.value)


def test_the_failure_has_the_line() -> None:
    """Lines count from 1."""
    with pytest.raises(TemplateFailure, match=r"^line 3: customer\.x is undefined$"):
        render("a\nb\n{{ customer.x }}")


@pytest.mark.parametrize(
    "source",
    [
        "{{ nowhere|default('x') }}",
        "{{ customer.nickname|default('x') }}",
        "{{ customer.address.city.zip|default('x') }}",
        "{{ customer['address']['city']|d('x') }}",
        "{{ order.items[5].name|default('x') }}",
    ],
)
def test_default_opts_out(source: str) -> None:
    """At any depth of a path."""
    assert render(source) == "x"


def test_html_escapes_what_variables_bring_in() -> None:
    """Only in HTML templates, also through filters and concatenation, but not the template's own markup."""
    source = (
        "<b>{{ customer.name }}</b>{{ customer.name ~ '' }}{{ customer.tags }}{{ customer.name|replace('q', 'y') }}"
    )
    assert "Ada <ada@example.org>" in render(source)
    assert render(source, html=True).count("Ada &lt;ada@example.org&gt;") == 3
    assert render("{{ '<i>'|safe ~ customer.name }}", html=True) == "<i>Ada &lt;ada@example.org&gt;"
    assert render("{{ ['<', '>'|safe]|join('&') }}", html=True) == "&lt;&amp;>"


def test_a_failure_never_shows_a_value() -> None:
    """A value may be a secret; errors name types and variables only."""
    context = {"secret": "hunter2"}
    for expression in (
        "secret|int(0, 2)",
        "secret|money",
        "secret|date",
        "secret|sum",
        "secret + 1",
        "{}[secret]",
        "range(**{secret: 1})",
    ):
        with pytest.raises(TemplateFailure) as caught:
            compile_template("{{ " + expression + " }}").render(context)
        assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("source", "line"),
    [("a\n{{ b", 2), ("{% if x %}", 1), ("\n\n{% nope %}", 3), ("{{ a|nope }}", 1), ("{{ a.'b' }}", 1)],
)
def test_a_syntax_error_has_its_line(source: str, line: int) -> None:
    """What does not compile is refused on save, with the line."""
    with pytest.raises(TemplateError, match=rf"^line {line}: "):
        compile_template(source)


def test_a_template_is_compiled_once() -> None:
    """The same source is the same template; HTML is another."""
    assert compile_template("{{ once }}") is compile_template("{{ once }}")
    assert compile_template("{{ once }}") is not compile_template("{{ once }}", html=True)


def test_the_output_is_bounded() -> None:
    """65,536 characters are fine, one more is not."""
    template = compile_template("{{ a }}")
    assert len(template.render({"a": "x" * 65_536})) == 65_536
    with pytest.raises(TemplateFailure, match="65536"):
        template.render({"a": "x" * 65_537})


def test_an_honest_template_fits_the_bounds() -> None:
    """A table of 1,000 order lines renders."""
    items = [{"name": f"item {n}", "price": n} for n in range(1_000)]
    row = "<td>{{ i.name }}</td><td>{{ i.price|money }}</td>"
    source = "{% for i in items %}{% if i.price > 0 %}" + row + "{% endif %}{% endfor %}"
    assert compile_template(source, html=True).render({"items": items}).count("<td>") == 1_998


names = st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True).map(lambda name: f"v_{name}")


@given(st.dictionaries(names, st.text(max_size=50) | st.integers(), min_size=1, max_size=8))
def test_all_variables_are_replaced(values: dict[str, Any]) -> None:
    """Whatever the data, every variable is replaced by it, and nothing else changes."""
    source = "|".join(f"{name}={{{{ event.{name} }}}}" for name in values)
    expected = "|".join(f"{name}={value}" for name, value in values.items())
    assert compile_template(source).render({"event": values}) == expected


@given(st.text(max_size=100))
def test_any_text_compiles_or_is_refused(source: str) -> None:
    """No source makes anything but the two errors."""
    for prefix in ("", "{{ ", "{% "):
        try:
            compile_template(prefix + source).render({})
        except (TemplateError, TemplateFailure):
            continue


@given(st.text("{}%# \n|()[].'\"~*+-/=abif19", max_size=60))
def test_any_near_template_compiles_or_is_refused(source: str) -> None:
    """The same for texts made of template syntax."""
    try:
        compile_template(source).render({"a": "x", "b": [1, {"a": 1}]})
    except (TemplateError, TemplateFailure):
        return
