"""The report of a run as one page: no script, nothing from elsewhere, light and dark."""

from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from app.services.proving.chart import chart
from app.services.proving.report import Report, spoken, summary
from app.services.proving.timing import Recovery

_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --paper: #fff; --line: #d0d7de; --good: #116329;
  --bad: #a40e26; --sent: #8c959f; --came: #0550ae; --fault: #bc4c00; --wash: #f6f8fa; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9198a1; --paper: #0d1117; --line: #3d444d;
  --good: #56d364; --bad: #ff7b72; --sent: #7d8590; --came: #79c0ff; --fault: #ffa657; --wash: #151b23; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 2rem 1rem 4rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; margin: 0 0 .25rem; } h2 { font-size: 1.15rem; margin: 2.25rem 0 .5rem; }
.soft { color: var(--soft); margin: 0; }
.outcome { font-size: 1.2rem; font-weight: 600; margin: 1.25rem 0; padding: .75rem 1rem;
  border-left: .35rem solid; background: var(--wash); } .good { color: var(--good); } .bad { color: var(--bad); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(10.5rem, 1fr)); gap: .75rem; margin: 0; }
.figures div { border: 1px solid var(--line); border-radius: .4rem; padding: .6rem .8rem; }
dt { color: var(--soft); font-size: .85rem; } dd { margin: 0; font-size: 1.35rem; font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; margin-bottom: .75rem; } .wide td { white-space: nowrap; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { overflow-wrap: normal; text-align: left; padding: .35rem .75rem .35rem 0;
  border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; } td.number, th.number { text-align: right; } svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--soft); font: 12px system-ui, sans-serif; } .axis { stroke: var(--line); }
.sent { fill: none; stroke: var(--sent); stroke-width: 1.5; stroke-dasharray: 4 3; }
.came { fill: none; stroke: var(--came); stroke-width: 1.75; } .fault { stroke: var(--fault); stroke-width: 1.25; }
.frozen { fill: var(--fault); opacity: .14; } .key span { display: inline-block; width: 1.5rem; margin: 0 .35rem 0 1rem;
  border-top: 2px solid; vertical-align: middle; } .key span:first-child { margin-left: 0; }
"""


def page(report: Report) -> str:
    """Return the page."""
    return "\n".join(("<!doctype html>", '<html lang="en">', *_head(report), *_body(report), "</html>", ""))


def _head(report: Report) -> Iterator[str]:
    yield '<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    yield "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    yield f"<title>headrace prove {escape(report.run)}</title>"
    yield f"<style>{_STYLE}</style></head>"


def _body(report: Report) -> Iterator[str]:
    verdict = report.verdict
    yield "<body><main>"
    yield f"<h1>headrace prove <code>{escape(report.run)}</code></h1>"
    yield f'<p class="soft">Begun {escape(report.began)}, Headrace {escape(report.version)}</p>'
    told = summary(report)
    yield f'<p class="outcome {"good" if verdict.good else "bad"}">{escape(told["outcome"])}</p>'
    yield from _figures(report)
    if verdict.timing.by_second:
        yield "<h2>Second by second</h2>"
        yield from chart(verdict.timing)
    yield "<h2>What was expected</h2><table><tbody>"
    for name in ("events", "expected", "faults"):
        yield f'<tr><th scope="row">{escape(name.capitalize())}</th><td>{escape(told[name])}</td></tr>'
    effects = "webhooks, tags and notes" if report.crm else "webhooks; the CRM took no part"
    yield f'<tr><th scope="row">Effects</th><td>{effects}</td></tr></tbody></table>'
    yield from _faults(verdict.timing.recoveries, report.left_out)
    yield from _wrong(verdict.wrong)
    yield "</main></body>"


def _figures(report: Report) -> Iterator[str]:
    verdict, times = report.verdict, report.verdict.timing
    must = (
        ("lost", verdict.lost),
        ("twice, unmarked", verdict.twice_unmarked),
        ("customers out of order", verdict.disordered),
        ("not as it must end", verdict.failed),
    )
    yield '<dl class="figures">'
    for name, count in must:
        yield f'<div><dt>{name}</dt><dd class="{"bad" if count else "good"}">{count:,}</dd></div>'
    yield f"<div><dt>twice, marked uncertain</dt><dd>{verdict.twice_marked:,}</dd></div>"
    for name, seconds in (("latency p50", times.p50), ("latency p99", times.p99), ("longest stall", times.stall)):
        yield f"<div><dt>{name}</dt><dd>{spoken(seconds)}</dd></div>"
    yield "</dl>"


def _faults(recoveries: Sequence[Recovery], left_out: Sequence[str]) -> Iterator[str]:
    if recoveries:
        yield '<h2>Faults</h2><div class="wide"><table><thead><tr>'
        yield '<th class="number">after</th><th>what</th><th>role</th>'
        yield '<th class="number">a process again after</th><th class="number">caught up after</th></tr></thead><tbody>'
        for one in recoveries:
            back = "" if one.back_s is None else spoken(one.back_s)
            again = "never" if one.seconds is None else spoken(one.seconds)
            yield f'<tr><td class="number">{one.at_s:.0f} s</td><td>{escape(one.kind)}</td><td>{escape(one.role)}</td>'
            yield f'<td class="number">{back}</td><td class="number">{again}</td></tr>'
        yield "</tbody></table></div>"
    if left_out:
        yield f'<p class="soft">There was no time for: {escape(", ".join(left_out))}.</p>'


def _wrong(wrong: Sequence[str]) -> Iterator[str]:
    if wrong:
        yield "<h2>What is wrong</h2><ul>"
        yield from (f"<li>{escape(what)}</li>" for what in wrong)
        yield "</ul>"
