"""What the pages weigh and how soon they answer, in Chromium: issue by issue a bar, and a figure beside it.

Run by ``make bench-pages``, on a machine that does nothing else; figures go to ``build/bench-pages.json``.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Final

import orjson
import pytest
from playwright.async_api import Browser, Page, expect

from app.admin.pages.assets import assets
from tests.admin.conftest import Api
from tests.admin.log import Log
from tests.admin.pages.attacked import Attacked, looked_at
from tests.admin.pages.conftest import Visit
from tests.admin.pages.people import person
from tests.admin.pages.test_editor import comparisons, made, notes
from tests.admin.pages.test_executions import row_of, told
from tests.support.chromium import window
from tests.support.sessions import SignedIn

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(900)]

FIGURES: Final = Path("build/bench-pages.json")
PAGE_BYTES: Final = 100_000
SCRIPT_BYTES: Final = 100_000
LONG_TASK_MS: Final = 50
KEY_MS: Final = 50
PER_MINUTE: Final = 1_000
_MINUTES: Final = 0.5
_BATCH: Final = 10
# How long after it has loaded a page is watched: scripts have fetched what they show by then.
_SETTLED_MS: Final = 700
_SHIFTS: Final = """
window.shifts = [];
new PerformanceObserver((list) => list.getEntries().forEach((one) => {
  const moved = one.sources.map((each) => each.node?.outerHTML?.slice(0, 90));
  if (!one.hadRecentInput) window.shifts.push([one.value, moved]);
})).observe({ type: "layout-shift", buffered: true });
"""
_LONG: Final = """() => {
  window.long = [];
  new PerformanceObserver((list) => list.getEntries().forEach((one) => window.long.push(one.duration)))
    .observe({ type: "longtask" });
}"""
_KEYS: Final = """() => {
  window.keys = [];
  new PerformanceObserver((list) => list.getEntries().forEach((one) => {
    if (one.name === "keydown" || one.name === "input") window.keys.push(one.duration);
  })).observe({ type: "event", durationThreshold: 16 });
}"""


@dataclass
class Figures:
    """What was measured, by name; written at the end, also of what is over its bar."""

    found: dict[str, Any] = field(default_factory=dict)

    def say(self, name: str, value: Any, words: str) -> None:
        """Keep a figure, and print it."""
        self.found[name] = value
        print(f"\n  {words}")  # noqa: T201  # what `make bench-pages` is run for


@pytest.fixture(scope="module")
def figures() -> Iterator[Figures]:
    """Keep them, and write them."""
    kept = Figures()
    yield kept
    FIGURES.parent.mkdir(exist_ok=True)
    FIGURES.write_bytes(orjson.dumps(kept.found, option=orjson.OPT_INDENT_2))


@dataclass
class Loaded:
    """What came over the network since ``begin``."""

    document: int = 0
    all: int = 0
    _documents: set[str] = field(default_factory=set)

    def begin(self) -> None:
        """Forget what came before."""
        self.document = self.all = 0
        self._documents.clear()

    def response(self, told: Any) -> None:
        """Note which answer is the page itself."""
        if told["type"] == "Document" and not self._documents:
            self._documents.add(told["requestId"])

    def finished(self, told: Any) -> None:
        """Count an answer, as it was sent."""
        self.all += int(told["encodedDataLength"])
        self.document += int(told["encodedDataLength"]) if told["requestId"] in self._documents else 0


@asynccontextmanager
async def _watched(browser: Browser, url: str, who: SignedIn) -> AsyncIterator[tuple[Page, Loaded]]:
    """Open a window that has nothing in its cache, ever, and notes what comes and what moves."""
    async with window(browser, url, session=who.token) as opened:
        loaded, devtools = Loaded(), await opened.context.new_cdp_session(opened.page)
        await devtools.send("Network.enable")
        await devtools.send("Network.setCacheDisabled", {"cacheDisabled": True})
        devtools.on("Network.responseReceived", loaded.response)
        devtools.on("Network.loadingFinished", loaded.finished)
        await opened.page.add_init_script(_SHIFTS)
        yield opened.page, loaded
        opened.wrong.clear()


async def test_every_page_is_light_and_nothing_moves_while_it_loads(
    browser: Browser, with_outbox: str, there: Attacked, who: SignedIn, figures: Figures
) -> None:
    """Full lists of long texts, nothing in the cache: no document is over 100 kB as sent, none shifts its layout."""
    weights, documents, shifted = dict[str, int](), dict[str, int](), dict[str, Any]()
    async with _watched(browser, with_outbox, who) as (page, loaded):
        for one, path in looked_at(there):
            loaded.begin()
            await page.goto(with_outbox + path)
            await page.wait_for_timeout(_SETTLED_MS)
            weights[one.path], documents[one.path] = loaded.all, loaded.document
            if shifts := await page.evaluate("window.shifts ?? []"):
                shifted[one.path] = [sum(value for value, _ in shifts), shifts]
    heaviest, longest = max(weights, key=weights.__getitem__), max(documents, key=documents.__getitem__)
    figures.say(
        "page_bytes",
        {path: [documents[path], weights[path]] for path in weights},
        f"{len(weights)} pages: the heaviest with all it loads {heaviest}, {weights[heaviest]:,} bytes as sent; "
        f"the longest document {longest}, {documents[longest]:,}",
    )
    figures.say("layout_shift", shifted, f"{len(shifted)} of {len(weights)} pages shift their layout: {shifted}")
    assert max(documents.values()) < PAGE_BYTES
    assert not shifted


def test_all_scripts_together_are_light(figures: Figures) -> None:
    """As they are sent: every module of every page."""
    modules = [one for name, one in assets().items() if name.endswith(".js")]
    sent, plain = sum(len(one.packed) for one in modules), sum(len(one.body) for one in modules)
    figures.say("script_bytes", [sent, plain], f"{len(modules)} modules: {sent:,} bytes as sent, {plain:,} unpacked")
    assert sent < SCRIPT_BYTES


async def test_a_live_list_of_a_thousand_a_minute_leaves_the_page_responsive(
    visit: Visit, api: Api, log: Log, somebody: Any, figures: Figures
) -> None:
    """Half a minute of them: no task takes 50 ms, and the newest is there."""
    who, user = await person(api, somebody)
    workflow = await user.create(name="Big orders")
    async with visit(who) as opened:
        page = opened.page
        await opened.go("/executions")
        await expect(page.get_by_text("Live", exact=True)).to_be_visible()
        await page.evaluate(_LONG)
        for _ in range(round(PER_MINUTE * _MINUTES / _BATCH)):
            await told(log, workflow, _BATCH, entity="c-many")
            await page.wait_for_timeout(60_000 * _BATCH / PER_MINUTE)
        await told(log, workflow, entity="c-last")
        await expect(row_of(page, "c-last")).to_be_visible()
        long = await page.evaluate("window.long")
    figures.say("long_tasks_ms", long, f"long tasks while {PER_MINUTE:,} executions a minute end: {long or 'none'}")
    assert max(long, default=0) < LONG_TASK_MS


async def test_a_large_editor_answers_a_key_at_once(
    visit: Visit, api: Api, somebody: Callable[..., Any], figures: Figures
) -> None:
    """50 steps and 100 conditions: from a real key to what it changed on the screen, in a condition and in a step."""
    who: SignedIn = await somebody()
    path = await made(api, who, conditions=comparisons(100), actions=notes(50))
    async with visit(who) as opened:
        page = opened.page
        await opened.go(path)
        value = page.get_by_label("Value", exact=True).nth(50)
        await expect(value).to_have_value("50")
        await _typed(page, figures, "condition", value, "1234567890" * 4)
        await page.get_by_role("button", name="Step 25:").click()
        await _typed(page, figures, "step", page.get_by_label("Note").first, "A longer note of some words. " * 2)


async def _typed(page: Page, figures: Figures, where: str, control: Any, text: str) -> None:
    await control.press("End")
    await page.evaluate(_KEYS)
    await page.keyboard.type(text, delay=60)
    await page.wait_for_timeout(_SETTLED_MS)
    # Of keys that took less than 16 ms Chromium tells nothing.
    told = await page.evaluate("window.keys")
    took = sorted([*told, *[16.0] * max(0, len(text) - len(told))])
    p95 = took[int(len(took) * 0.95)]
    words = f"a key in a {where}: median {median(took):.0f} ms, p95 {p95:.0f}, most {took[-1]:.0f}"
    figures.say(f"key_ms_in_{where}", [median(took), p95, took[-1]], words)
    assert p95 < KEY_MS
