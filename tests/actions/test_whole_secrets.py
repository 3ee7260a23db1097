"""A template prints a secret whole or not at all, and no error of ours quotes what one was printed into."""

import base64
from typing import Any, Final

import pytest

from app.actions.configs import compile_action, validate_config
from app.domain.errors import ActionFailedError
from app.domain.templating import TemplateError, compile_template
from tests.support.commands import context_of, prepared

HOOK: Final = {"url": "https://shop.example/hook"}
SECRET: Final = "S3cr3t-9f27a1-canary"


@pytest.mark.parametrize(
    "source",
    [
        "http://127.7.7.7:9900{{ secrets.OWN[0:6] }}/",
        '{{ "x" if secrets.OWN[0] == "S" else (1//0) }}',
        '{{ secrets.OWN|list|join("~") }}',
        "{{ secrets.OWN | upper }}",
        "{{ secrets.OWN | truncate(3) }}",
        "{{ secrets.OWN | urlencode | upper }}",
        "{{ secrets.OWN | tojson | length }}",
        "{{ secrets.OWN | length }}",
        "{{ secrets.OWN.upper() }}",
        "{{ secrets.OWN.find('S') }}",
        "{{ 'a' ~ secrets.OWN }}",
        "{{ secrets.OWN + 'a' }}",
        "{{ [secrets.OWN] }}",
        "{{ {'a': secrets.OWN} }}",
        "{{ secrets.OWN is string }}",
        "{{ not secrets.OWN }}",
        "{{ 'S' in secrets.OWN }}",
        "{{ range(10)[secrets.OWN] }}",
        "{{ order | default(secrets.OWN) }}",
        "{{ 'shop' | basic(secrets.OWN) }}",
        "{{ secrets.OWN | basic(secrets.OTHER) }}",
        "{% if secrets.OWN > 'S' %}x{% endif %}",
        "{% for c in secrets.OWN %}{{ c }}{% endfor %}",
        "{% set s = secrets.OWN %}{{ s[0] }}",
        "{% set s %}{{ secrets.OWN }}{% endset %}{{ s[0] }}",
        "{% macro m() %}{{ secrets.OWN }}{% endmacro %}{{ m()[0] }}",
        "{% macro m(a) %}{{ a[0] }}{% endmacro %}{{ m(secrets.OWN) }}",
        "{% macro m() %}{{ caller()[0] }}{% endmacro %}{% call m() %}{{ secrets.OWN }}{% endcall %}",
        "{% filter upper %}{{ secrets.OWN }}{% endfilter %}",
        "{% with s = secrets.OWN %}{{ s[0] }}{% endwith %}",
        "{% for o in [[1]] recursive %}{{ secrets.OWN }}{{ loop(o)[0] if o != 1 }}{% endfor %}",
    ],
)
def test_no_template_looks_into_a_secret(source: str) -> None:
    """On save it is refused with the field and with how to write it; a stored one fails its step with the same."""
    with pytest.raises(TemplateError, match=r"secrets\.O\w+ can only be printed whole: \{\{ secrets\."):
        compile_template(source)
    config = {**HOOK, "body": {"a": source}}
    assert [error.path for error in validate_config("webhook", config)] == ["config.body.a"]
    with pytest.raises(ActionFailedError, match=r"config\.body\.a: line 1: .* can only be printed whole"):
        compile_action("webhook", config)


@pytest.mark.parametrize(
    ("source", "printed"),
    [
        ("Bearer {{ secrets.OWN }}", f"Bearer {SECRET}"),
        ("{{ secrets['OWN'] | urlencode }}", SECRET),
        ('{"token": {{ secrets.OWN | tojson }}}', f'{{"token": "{SECRET}"}}'),
        ("{% if order.id %}{{ secrets.OWN }}{% else %}none{% endif %}", SECRET),
        ("{% for n in [1, 2] %}{{ secrets.OWN }};{% endfor %}", f"{SECRET};{SECRET};"),
        (
            "Basic {{ secrets.OWN | basic('shop') }}",
            "Basic " + base64.b64encode(f"shop:{SECRET}".encode()).decode(),
        ),
    ],
)
def test_a_secret_is_printed_whole(source: str, printed: str) -> None:
    """By itself, for a URL, for JSON and for Basic authorization, also where a condition is around it."""
    template = compile_template(source)
    assert template.secrets == {"OWN"}
    assert template.render({"order": {"id": 1}, "secrets": {"OWN": SECRET}}) == printed


def test_basic_authorization_is_blotted_out() -> None:
    """What the filter makes is a spelling of the secret, whatever the user's name."""
    for user in ("a", "ab", "abc"):
        sent = compile_template(f"{{{{ secrets.OWN | basic('{user}') }}}}").render({"secrets": {"OWN": SECRET}})
        assert "***" in context_of(OWN=SECRET).redact.text(f"got {sent}")


@pytest.mark.parametrize(
    ("action", "config"),
    [
        ("webhook", {"url": "http://127.7.7.7:9900{{ secrets.OWN }}/"}),
        ("webhook", {"url": "http://[{{ secrets.OWN }}/"}),
        ("webhook", {"url": "http://\u2100{{ secrets.OWN }}/"}),
        ("send_sms", {"to": "+49{{ secrets.OWN }}", "text": "a"}),
        ("send_whatsapp", {"to": "+49{{ secrets.OWN }}", "text": "a"}),
        ("send_email", {"to": "{{ secrets.OWN }}", "subject": "a", "text": "a"}),
        ("send_email", {"to": "a@b.example", "reply_to": "{{ secrets.OWN }}", "subject": "a", "text": "a"}),
    ],
)
def test_errors_quote_nothing_with_a_secret_in_it(action: str, config: dict[str, Any]) -> None:
    """Neither the whole of it nor a piece, before anything is blotted out."""
    with pytest.raises(ActionFailedError) as caught:
        prepared(action, config, context=context_of(OWN=SECRET))
    assert not {SECRET[at : at + 3] for at in range(len(SECRET) - 2)} & {
        str(caught.value)[at : at + 3] for at in range(len(str(caught.value)))
    }
