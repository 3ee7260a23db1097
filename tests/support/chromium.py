"""Chromium as a person has it: windows signed in or not, dark or light, large or a phone's, with or without scripts.

What a page must never do is watched for as long as a window is open: an error in its console (a report against the
Content-Security-Policy is one), an exception in a script, a request to another host. Closing the window tells them.
"""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request, async_playwright, expect

from app.admin.cookies import SESSION
from tests.support.deadlines import scaled

SCREENSHOTS: Final = Path("build/pages")
DESK: Final = (1280, 800)
PHONE: Final = (390, 844)
_NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
_AXE: Final = files("axe_playwright_python") / "axe.min.js"
_LAYOUT: Final = Path(__file__).with_name("layout.js")
_WCAG: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# What a look can change; the rest is the same page, looked at in the light and on a desk.
_OF_LOOKS: Final = ["color-contrast", "link-in-text-block", "target-size", "scrollable-region-focusable"]
_WITHIN_MS: Final = 10_000


def chromium_path() -> str:
    """Return where Chromium is.

    Raises:
        RuntimeError: It is not installed; the text says how it is.
    """
    given = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if given is None:
        raise RuntimeError("Chromium is missing: apt-get install -y chromium (or name one in CHROMIUM)")
    return given


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Run Chromium for the block."""
    async with async_playwright() as playwright:
        # Its own sandbox needs what containers and root do not have; it opens nothing but our pages.
        browser = await playwright.chromium.launch(executable_path=chromium_path(), args=["--no-sandbox"])
        yield browser
        await browser.close()


@dataclass
class Window:
    """One window; ``url`` is the installation's, without a slash at its end.

    Attributes:
        wrong: What the pages did that they must not; a test that means one to happen takes it out.
    """

    page: Page
    context: BrowserContext
    url: str
    look: str
    wrong: list[str] = field(default_factory=list)

    async def go(self, path: str) -> None:
        """Open a path."""
        await self.page.goto(self.url + path)

    async def heading(self) -> str:
        """Return the page's heading, as it is read."""
        return await self.page.get_by_role("heading", level=1).inner_text()

    async def looked_at(self, name: str) -> None:
        """Keep a screenshot of the page as it is now, and find what keeps people from using it, or looks wrong at once.

        Raises:
            AssertionError: There is something.
        """
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        await self.page.screenshot(path=SCREENSHOTS / f"{name}-{self.look}.png", full_page=True)
        found = [*await self.violations(), *await self.looks_wrong()]
        assert not found, f"{name} ({self.look}):\n" + "\n".join(found)

    async def looks_wrong(self) -> list[str]:
        """Return what ``layout.js`` sees: what hangs over an edge, is cut off, broken, too narrow, or on something."""
        found: list[str] = await self.page.evaluate(_LAYOUT.read_text())
        return found

    async def violations(self) -> list[str]:
        """Return what axe finds against WCAG 2.2 AA, an element a line."""
        await self.page.evaluate(_AXE.read_text())
        first = self.look == "light-desk"
        wanted = {"type": "tag", "values": _WCAG} if first else {"type": "rule", "values": _OF_LOOKS}
        ran = await self.page.evaluate(
            # In frames stands what others wrote, in a sandbox that no script comes into.
            "(wanted) => axe.run(document, { runOnly: wanted, resultTypes: ['violations'], iframes: false })",
            wanted,
        )
        return [
            f"{one['id']}: {one['help']}: {' '.join(map(str, node['target']))}: {node.get('failureSummary', '')}"
            for one in ran["violations"]
            for node in one["nodes"]
        ]

    def watch(self) -> None:
        """Note from now on what its pages must not do."""
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.wrong.append(f"exception: {error}"))
        self.page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        # Of a mail in its frame: no script runs there, whatever would run one, Chromium's own driver among them.
        kept_out = message.text.startswith("Blocked script execution in") and "frame is sandboxed" in message.text
        if message.type in {"error", "warning"} and not kept_out:
            self.wrong.append(f"console: {message.text} ({self.page.url})")

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in {"data", "blob", "about"} and f"{parts.scheme}://{parts.netloc}" != self.url:
            self.wrong.append(f"asked another host: {request.url}")


@asynccontextmanager
async def window(
    browser: Browser,
    url: str,
    *,
    session: str = "",
    dark: bool = False,
    phone: bool = False,
    scripts: bool = True,
    **options: Any,
) -> AsyncIterator[Window]:
    """Open a window of its own for the block, in its own browser profile.

    Args:
        browser: Chromium.
        url: The installation's.
        session: The cookie of somebody who is signed in.
        dark: Whether the person prefers dark pages.
        phone: Whether the window is a phone's.
        scripts: Whether pages may run scripts.
        options: Playwright's, of a context.

    Raises:
        AssertionError: A page did what it must not.
    """
    width, height = PHONE if phone else DESK
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        java_script_enabled=scripts,
        has_touch=phone,
        timezone_id="America/Sao_Paulo",
        locale="en-GB",
        **options,
    )
    context.set_default_timeout(scaled(_WITHIN_MS))
    expect.set_options(timeout=scaled(_WITHIN_MS))
    if session:
        await context.add_cookies([{"name": SESSION, "value": session, "url": url, "httpOnly": True}])
    page = await context.new_page()
    opened = Window(page, context, url, "-".join(("dark" if dark else "light", "phone" if phone else "desk")))
    opened.watch()
    try:
        yield opened
    finally:
        await context.close()
    assert not opened.wrong, "\n".join(opened.wrong)
