"""The page at ``/docs``: all of the document, no script, nothing from elsewhere, and a policy that holds it to that."""

import base64
import hashlib
import re
import shlex
from collections import Counter
from html import escape, unescape
from html.parser import HTMLParser
from typing import Any

import orjson

from app.admin.docs_page.operation import curl
from app.admin.docs_page.page import docs_page
from tests.admin.conftest import Api
from tests.admin.test_openapi import DOCUMENT

_VOID = {"meta", "br", "link", "img", "input", "hr"}


class Page(HTMLParser):
    """What stands on a page: its tags, ids and links, and whether each tag is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags[tag] += 1
        self.attributes |= {name for name, _ in attrs}
        found = dict(attrs)
        self.ids += [value for value in [found.get("id")] if value]
        self.links += [value for value in [found.get("href")] if value]
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close it."""
        assert self.open.pop() == tag


async def served(api: Api) -> tuple[str, Any]:
    """The page as the API serves it, and its headers."""
    async with api.client.get("/docs") as response:
        assert (response.status, response.content_type) == (200, "text/html")
        return await response.text(), response.headers


async def test_the_page_shows_every_operation_and_schema(api: Api) -> None:
    """Each has a place of its own, every link leads somewhere, and every example is there."""
    html, _ = await served(api)
    page = Page(html)
    assert not page.open
    assert len(set(page.ids)) == len(page.ids)
    operations = {one["operationId"] for methods in DOCUMENT["paths"].values() for one in methods.values()}
    assert {f"operation-{name}" for name in operations} <= set(page.ids)
    assert {f"schema-{name}" for name in DOCUMENT["components"]["schemas"]} <= set(page.ids)
    for link in page.links:
        assert link == "/openapi.json" or link.removeprefix("#") in page.ids, link
    assert escape("Paid {{ order.total }}: call {{ customer.name }}") in html


async def test_the_page_needs_no_script_and_nothing_from_elsewhere(api: Api) -> None:
    """No script, no style but its own, which the policy knows by its digest; nothing else is allowed by it."""
    html, headers = await served(api)
    page = Page(html)
    assert not page.tags.keys() & {"script", "link", "img", "iframe", "form", "object"}
    assert not [name for name in page.attributes if name.startswith("on") or name in {"src", "style"}]
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ")
    assert f"style-src 'sha256-{digest}';" in policy
    assert "unsafe" not in policy
    assert "prefers-color-scheme:dark" in style[1]
    assert "url(" not in style[1]


def test_what_the_document_says_is_text_on_the_page() -> None:
    """Nothing of the document is taken as HTML."""
    evil = "<script>alert(1)</script>"
    document = orjson.loads(orjson.dumps(DOCUMENT))
    document["info"]["description"] = document["tags"][0]["description"] = evil
    document["paths"]["/api/v1/workflows"]["post"]["summary"] = evil
    document["components"]["schemas"]["Problem"]["description"] = evil
    html = docs_page(document)
    assert "<script" not in html
    assert html.count(escape(evil)) >= 4


def test_the_line_that_calls_an_operation_is_one_that_a_shell_takes() -> None:
    """Its body is the example, whole, whatever quotes are in it."""
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            words = shlex.split(unescape(curl(method.upper(), path, operation)).replace("\\\n", " "))
            assert words[0] == "curl"
            if "requestBody" in operation:
                content = next(iter(operation["requestBody"]["content"].values()))
                assert orjson.loads(words[words.index("-d") + 1]) == orjson.loads(orjson.dumps(content["example"]))
