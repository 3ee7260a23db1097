"""One of our elements on a page of its own, under the policy of all pages: what it does without a page around it."""

from typing import Any, Final

from playwright.async_api import Route

from app.admin.pages.assets import address
from app.admin.pages.rendering import POLICY, environment
from app.domain.sessions import csrf_token
from tests.support.chromium import Window
from tests.support.sessions import SignedIn

_STYLES: Final = ("css/tokens.css", "css/base.css", "css/components.css", "css/pages/editor.css", "css/pages/steps.css")
_PAGE: Final = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Bench</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="csrf-token" content="{csrf}">{styles}
<script type="module" src="/bench.js"></script></head><body>{sprite}<div class="stage alone"><main id="main">
<h1>Bench</h1><section class="card"><h2>Here</h2><{tag} {attributes}></{tag}></section></main></div>
<div class="toasts" role="status" aria-live="polite"></div></body></html>"""
_SCRIPT: Final = """
import "{module}";
import {{ fieldsOf }} from "{fields}";
const types = await (await fetch("/api/v1/action-types")).json();
const {{ sample }} = await (await fetch("/api/v1/event-types/order.paid")).json();
const element = document.querySelector("{tag}");
const known = {{ types, fields: fieldsOf({{ sample }}), sample, draft: () => window.draft, ...{properties} }};
for (const [name, value] of Object.entries(known)) element[name] = value;
window.edits = 0;
element.addEventListener("edited", () => {{ window.edits += 1; }});
document.documentElement.dataset.ready = "yes";
"""


async def on_bench(window: Window, who: SignedIn, tag: str, properties: str = "{}", attributes: str = "") -> None:
    """Show one element.

    Args:
        window: A window of somebody who is signed in.
        who: Who that is.
        tag: The element's name, which is its module's.
        properties: What it is given beside action types, fields and a sample of ``order.paid``: JavaScript.
        attributes: Its attributes, as HTML has them.
    """
    styles = "".join(f'<link rel="stylesheet" href="{address(name)}">' for name in _STYLES)
    sprite = environment().get_template("parts/icon.html").module.sprite()  # type: ignore[attr-defined]  # a macro
    body = _PAGE.format(csrf=csrf_token(who.token), styles=styles, sprite=sprite, tag=tag, attributes=attributes)
    module, fields = address(f"js/{tag}.js"), address("js/event-fields.js")
    script = _SCRIPT.format(module=module, fields=fields, tag=tag, properties=properties)

    async def show(route: Route) -> None:
        is_script = route.request.url.endswith(".js")
        kind = "text/javascript" if is_script else "text/html; charset=utf-8"
        headers = {"Content-Security-Policy": POLICY, "Content-Type": kind}
        await route.fulfill(body=script if is_script else body, headers=headers)

    await window.page.route(f"{window.url}/bench*", show)
    await window.go("/bench")
    await window.page.locator("html[data-ready]").wait_for()


async def value_of(window: Window, tag: str) -> Any:
    """Return the element's value."""
    return await window.page.evaluate("(tag) => document.querySelector(tag).value", tag)
