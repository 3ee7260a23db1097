"""E-mails as they are seen: whatever their HTML tries, it runs nothing, sends nothing and reaches no page of ours."""

from collections.abc import Callable
from typing import Any

from playwright.async_api import Route

from tests.admin.conftest import Api
from tests.admin.pages.bench import on_bench
from tests.admin.pages.conftest import Visit
from tests.support.chromium import SCREENSHOTS
from tests.support.waiting import eventually

# Each of them would change the title, leave the page, or ask a host.
HOSTILE = """
<p style="color: rgb(1, 2, 3)">Dear Ana</p>
<script>top.document.title = "taken"; document.body.textContent = "taken";</script>
<img src="https://evil.example/pixel.png" alt="remote"><img src="x" onerror="top.document.title = 'taken'" alt="broken">
<img alt="inline" width="1" src="data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7">
<link rel="stylesheet" href="https://evil.example/style.css"><iframe src="https://evil.example/frame"></iframe>
<meta http-equiv="refresh" content="0; url=https://evil.example/refresh"><base href="https://evil.example/">
<a href="https://evil.example/top" target="_top">to top</a> <a href="javascript:top.document.title='taken'">script</a>
<a href="https://evil.example/self" target="_self">here</a>
<form action="https://evil.example/form" method="post"><button>Send</button></form>
<svg onload="top.document.title = 'taken'"></svg>
"""


async def test_an_email_can_do_nothing(visit: Visit, somebody: Callable[..., Any], api: Api) -> None:
    """Scripts, forms, links out of the frame, refreshes, remote pictures: the page stays as it is, no host is asked."""
    who = await somebody()
    async with visit(who) as window:
        page, reached = window.page, list[str]()

        async def answer(route: Route) -> None:
            reached.append(route.request.url)
            await route.abort()

        await window.context.route("https://evil.example/**", answer)
        await on_bench(window, who, "email-preview")
        await page.evaluate(
            "(html) => { document.querySelector('email-preview').sent = { subject: 'Hello', text: 'Dear Ana', html } }",
            HOSTILE,
        )
        mail = page.frame_locator("iframe")
        await mail.get_by_text("Dear Ana").wait_for()
        for link in ("to top", "script"):
            await mail.get_by_role("link", name=link).click()
        await mail.get_by_role("button", name="Send").click()
        assert await mail.get_by_alt_text("inline").evaluate("(image) => image.naturalWidth") == 1
        assert await mail.get_by_alt_text("remote").evaluate("(image) => image.naturalWidth") == 0
        await page.screenshot(path=SCREENSHOTS / "email-preview-light-desk.png")
        style = "(text) => getComputedStyle(text).color"
        assert await mail.get_by_text("Dear Ana").evaluate(style) == "rgb(1, 2, 3)"
        assert (await page.title(), page.url, len(window.context.pages)) == ("Bench", f"{api.url}/bench", 1)
        await mail.get_by_role("link", name="here").click()
        # A link that stays in the frame: the page around it lets nothing be there but what is ours.
        await eventually(lambda: any("frame-src" in one for one in window.wrong))
        assert (await page.title(), page.url) == ("Bench", f"{api.url}/bench")
        # The browser tells of each that it has not let out; none came as far as the network.
        assert reached == []
        assert not [one for one in window.wrong if "exception" in one]
        # Once the frame is gone nothing more is told: it may be drawn a second time until then.
        await page.goto("about:blank")
        window.wrong.clear()


async def test_the_frames_document_is_for_our_own_pages(api: Api, somebody: Callable[..., Any]) -> None:
    """Without the session's token nothing is shown; what is shown may not be framed elsewhere, and has no origin."""
    who = await somebody()
    form = {"html": "<p>Dear Ana</p>", "csrf_token": "wrong"}
    async with api.client.post("/previews/email", data=form, headers=who.cookie) as refused:
        assert refused.status == 403
    form["csrf_token"] = who.headers["X-CSRF-Token"]
    async with api.client.post("/previews/email", data=form, headers=who.cookie) as shown:
        assert (shown.status, shown.content_type) == (200, "text/html")
        policy = shown.headers["Content-Security-Policy"].split("; ")
        assert {"default-src 'none'", "sandbox", "frame-ancestors 'self'", "img-src data:"} <= set(policy)
        assert "script-src" not in shown.headers["Content-Security-Policy"]
