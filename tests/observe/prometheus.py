"""A Prometheus of its own, which scrapes the pages of a stack with the rules that ship."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from app.embedded.child import Child, Command
from app.embedded.free_ports import HOST, pick_ports
from deploy.prometheus.rules import rules
from tests.observe.times import SHORT
from tests.support.prometheus import program
from tests.support.waiting import eventually


class Prometheus:
    """What is asked of it.

    Args:
        http: A client at its address.
    """

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http

    async def ask(self, path: str, **values: str) -> Any:
        """Return what it answers; raises what it says is wrong with a query."""
        async with self._http.post(f"/api/v1/{path}", data=values) as answer:
            told = await answer.json()
        assert told["status"] == "success", f"{values}: {told.get('error')}"
        return told["data"]

    async def names(self) -> list[str]:
        """Return the names of our metrics that it has samples of."""
        async with self._http.get("/api/v1/label/__name__/values") as answer:
            return [name for name in (await answer.json())["data"] if name.startswith("headrace_")]

    async def firing(self) -> set[str]:
        """Return the alerts that fire now."""
        async with self._http.get("/api/v1/alerts") as answer:
            found = (await answer.json())["data"]["alerts"]
        return {one["labels"]["alertname"] for one in found if one["state"] == "firing"}

    async def ready(self) -> bool:
        """Tell whether it serves."""
        try:
            async with self._http.get("/-/ready") as answer:
                return answer.ok
        except aiohttp.ClientError:
            return False


@asynccontextmanager
async def prometheus(home: Path, pages: Mapping[str, int]) -> AsyncIterator[Prometheus]:
    """Run it.

    Args:
        home: Folder of its data, its configuration and its log.
        pages: The port of each role's page.
    """
    _write(home, pages)
    (port,) = pick_ports(1)
    argv = (
        str(program("prometheus")),
        f"--config.file={home}/prometheus.yml",
        f"--storage.tsdb.path={home}/data",
        f"--web.listen-address={HOST}:{port}",
        "--log.level=warn",
    )
    child = Child(Command("prometheus", argv), home)
    child.spawn()
    try:
        async with aiohttp.ClientSession(f"http://{HOST}:{port}") as http:
            made = Prometheus(http)
            await eventually(made.ready, within=60, every=0.2, what="Prometheus")
            yield made
    finally:
        child.stop()


def _write(home: Path, pages: Mapping[str, int]) -> None:
    home.mkdir(parents=True, exist_ok=True)
    (home / "rules.yml").write_text(rules(SHORT))
    (home / "prometheus.yml").write_text(json.dumps(_configuration(home, pages)))


def _configuration(home: Path, pages: Mapping[str, int]) -> dict[str, Any]:
    """Return what ships, but for where the pages are and how often they are read. JSON is YAML."""
    targets = [{"targets": [f"{HOST}:{port}"], "labels": {"role": role}} for role, port in pages.items()]
    return {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [f"{home}/rules.yml"],
        "scrape_configs": [{"job_name": "headrace", "honor_labels": True, "static_configs": targets}],
    }
