"""A hundred hostile templates, each through the API's dry run: what it costs, and whether it ends with a reason."""

import time
from typing import Any, Final

import psutil

from tests.attack.ground import Ground
from tests.attack.report import Check
from tests.domain.test_templating_hostile import WALKS

_MOST_CPU_S: Final = 0.6
_MOST_GROWTH: Final = 64 * 1024 * 1024
_NEVER_ANSWERED: Final = (500, 502, 503, 504)
_HUNDRED: Final = 100
_LONG: Final = "'x' * 4096"
_LOOPS: Final = (
    "{% for a in range(10000) %}{% for b in range(10000) %}{{ a * b }}{% endfor %}{% endfor %}",
    "{% for a in many %}{% if {}[many] is defined %}x{% endif %}{% endfor %}",
    "{% for a in many %}{{ {}[text] is defined }}{% endfor %}",
    "{% for a in many %}{{ many is eq many }}{% endfor %}",
    "{% for a in many %}{{ many|sort|first }}{% endfor %}",
    "{% for a in many %}{{ many|join|length }}{% endfor %}",
    "{% for a in many %}{{ many|tojson|length }}{% endfor %}",
    "{% for a in many %}{{ text.split('x')|length }}{% endfor %}",
    "{% for a in many %}{{ text|replace('x', 'xy')|length }}{% endfor %}",
    "{% for a in many %}{{ text|upper|lower|title|length }}{% endfor %}",
    "{% for a in many %}{{ text in text }}{% endfor %}",
    "{% for a in many %}{% set b = many + many %}{% endfor %}",
    "{% for a in many %}{{ many|map('string')|select('in', text)|list|length }}{% endfor %}",
    "{% for a in many %}{{ many|unique|list|length }}{{ many|groupby(0)|list|length }}{% endfor %}",
    "{% macro m(n) %}{{ m(n + 1) }}{% endmacro %}{{ m(0) }}",
    "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(40) }}",
    "{% for a in tree recursive %}{{ loop(a) }}{% endfor %}",
    "{% for a in tree recursive %}{{ loop(tree) }}{% endfor %}",
    "{% set ns = namespace(t='x') %}{% for a in range(40) %}{% set ns.t = ns.t + ns.t %}{% endfor %}{{ ns.t }}",
    "{% set ns = namespace(t=2) %}{% for a in range(40) %}{% set ns.t = ns.t * ns.t %}{% endfor %}{{ ns.t }}",
    "{{ 9 ** 9 ** 9 }}",
    "{{ 'x' * 999999999 }}",
    "{{ [0] * 999999999 }}",
    "{{ text|center(999999999) }}",
    "{{ many|batch(1)|map('list')|list }}",
    "{{ many|slice(10000)|list }}",
    "{{ '%999999999d'|format(1) }}",
    "{{ '{:999999999}'.format(1) }}",
    "{{ text|wordwrap(1) }}",
    "{{ text|urlize }}",
    "{{ text|indent(999)|indent(999) }}",
    "{{ (many|map(attribute='" + "a." * 20000 + "a')|list) }}",
    "{% for a in many %}{{ many[-1:0:-1]|length }}{% endfor %}",
    "{% for a in many %}{{ (many|reverse|list)[0] }}{% endfor %}",
    "{% for a in many %}{{ many|sum }}{{ many|max }}{{ many|min }}{% endfor %}",
    "{% for a in many %}{{ many|batch(3, '-')|list|length }}{% endfor %}",
    "{% filter upper %}{% for a in many %}{{ text }}{% endfor %}{% endfilter %}",
    "{% set x %}{% for a in many %}{{ text }}{% endfor %}{% endset %}{{ x }}",
    "{% call(x) m() %}{% endcall %}",
    "{{ many|random }}",
)


def hostile() -> list[str]:
    """Return a hundred templates and more."""
    nested = ["{% if 1 %}" * depth + "x" + "{% endif %}" * depth for depth in (10, 90, 200, 1000)]
    brackets = ["{{ " + "(" * depth + "1" + ")" * depth + " }}" for depth in (50, 500, 5000)]
    chains = ["{{ text" + "|upper" * count + " }}" for count in (10, 1000, 8000)]
    sums = ["{{ " + " + ".join(["1"] * count) + " }}" for count in (100, 3000, 15_000)]
    names = ["{{ " + ".".join(["a"] * count) + " }}" for count in (100, 30_000)]
    many = ["{{ a }}" * 9000, "{% set a = 1 %}" * 4000, "{# x #}" * 9000, "{% raw %}{{{% endraw %}" * 2000]
    walls = [f"{{% for a in many %}}{{{{ {_LONG} ~ a }}}}{{% endfor %}}", "{{ " + "[" * 400 + "]" * 400 + " }}"]
    return [*WALKS, *_LOOPS, *nested, *brackets, *chains, *sums, *names, *many, *walls]


async def hostile_templates_cost_little(ground: Ground) -> list[Check]:
    """Each is tried as a draft's text over a large event; nobody's request takes the API with it."""
    check, sources = Check("hostile templates, by the API's dry run"), hostile()
    process = psutil.Process(ground.stack.worker("admin").pid)
    slowest, most = 0.0, 0
    for source in sources:
        used, memory, began = sum(process.cpu_times()[:2]), process.memory_info().rss, time.monotonic()
        status = await _tried(ground, source)
        cpu, growth = sum(process.cpu_times()[:2]) - used, process.memory_info().rss - memory
        slowest, most = max(slowest, cpu), max(most, growth)
        held = status not in _NEVER_ANSWERED and cpu <= _MOST_CPU_S and growth <= _MOST_GROWTH
        said = f"{status}, {cpu:.2f} s CPU, {time.monotonic() - began:.2f} s, {growth >> 20} MiB"
        check.note(f"{source[:80]!r}: {said}", held=held)
        measured = {"cpu_s": round(cpu, 3), "memory_mib": round(growth / 2**20, 1)}
        check.each.append({"template": source[:200], "status": status, **measured})
    check.note(f"only {len(sources)} templates", held=len(sources) >= _HUNDRED)
    check.figures |= {"CPU at most, s": slowest, "memory grew at most by, MiB": most / 2**20}
    return [check]


async def _tried(ground: Ground, source: str) -> int:
    try:
        answer = await ground.call("POST", "/api/v1/workflows/test", _draft(source), token=ground.token())
    except TimeoutError:
        return _NEVER_ANSWERED[-1]
    return answer.status


def _draft(source: str) -> dict[str, Any]:
    action = {"type": "create_note", "order": 1, "config": {"text": source}}
    data = {
        "text": "x" * 60_000,
        "many": list(range(20_000)),
        "tree": [[[[[]]]]],
        "customer": {"id": "c", "name": "Ada", "tags": ["a"]},
    }
    return {
        "workflow": {"name": "hostile", "trigger": {"type": "order.paid"}, "actions": [action]},
        "event": {"data": data},
    }
