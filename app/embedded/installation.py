"""Bring up everything of the embedded default, in the order that each part needs: what ``headrace up`` does."""

import asyncio
import os
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from app.domain.errors import SettingsError, SetupError
from app.embedded.broker import make_kafka
from app.embedded.child import Child, end_leftovers
from app.embedded.database_logins import database_urls
from app.embedded.detection import look
from app.embedded.free_ports import HOST
from app.embedded.postgres import make_postgres
from app.embedded.processes import (
    Ports,
    choose_ports,
    claim_usual_port,
    environment,
    headrace,
    role_processes,
    stand_ins,
    usual_port_lock,
)
from app.embedded.service import Service
from app.embedded.supervisor import Supervisor
from app.processes.home import Lock, close_to_others
from app.processes.running import state_file, write_state

Say = Callable[[str], None]
_API_WITHIN_S = 120.0


class Installation:
    """Broker, database, stand-ins, roles and admin of one clone, under one supervisor.

    Args:
        home: The clone's data folder.
        roles: Names of the worker roles to run.
        say: Prints one line of progress.
    """

    def __init__(self, home: Path, roles: list[str], say: Say) -> None:
        self.home = home
        self.facts: dict[str, Any] = {}
        self.environment: dict[str, str] = {}
        self._roles = roles
        self._say = say
        self._lock = Lock(home / "up.lock")
        self._usual_port = usual_port_lock()
        self._supervisor = Supervisor(self._changed)
        self._workers: list[Child] = []
        self._urls: dict[str, str] = {}

    async def start(self) -> None:
        """Start all; returns once the API answers.

        Raises:
            AlreadyStartedError: It runs already.
            SetupError: A part did not come up; the message says which and why.
        """
        self._lock.acquire()
        close_to_others(self.home)
        self.publish(ready=False)  # from now on `headrace down` finds whom to stop
        await asyncio.to_thread(end_leftovers, list((self.home / "pids").glob("*.json")))
        kafka, postgres = await self._start_services()
        ports = choose_ports(self.home, self._roles, usual=claim_usual_port(self._usual_port))
        self.environment = environment(self.home, ports, kafka.url, postgres.url)
        await self._prepare_services(postgres)
        self._supervisor.start(stand_ins(self.home, ports))
        self._workers = role_processes(self.home, self._roles, self.environment, self._urls, ports.pages)
        self._supervisor.start(self._workers)
        self._say(f"Roles: {', '.join(self._roles)} and admin started")
        self._describe(ports, kafka, postgres)
        await self._wait_for_api(ports)

    async def stop(self) -> None:
        """Stop all, last started first; what another process runs here goes on, and is found as before."""
        await self._supervisor.stop()
        if self._lock.held:
            state_file(self.home).unlink(missing_ok=True)
        self._usual_port.release()
        self._lock.release()

    def restart_roles(self) -> None:
        """Ask every role to end; the supervisor starts them again."""
        for worker in self._workers:
            worker.ask_to_stop()

    def publish(self, **facts: Any) -> None:
        """Write the state for other commands, with ``facts`` added."""
        self.facts.update(facts)
        found = {"roles": self._supervisor.pids(), "environment": self.environment, "database_urls": self._urls}
        write_state(self.home, {**self.facts, **found})

    async def _start_services(self) -> tuple[Service, Service]:
        facts = await asyncio.to_thread(look)
        kafka, postgres = make_kafka(self.home, libs_home=self.home, facts=facts), make_postgres(self.home, facts=facts)
        started: list[Service] = []
        names = {"kafka": "Kafka", "postgres": "Postgres"}

        async def bring(service: Service) -> None:
            self._say(f"{names[service.name]}: starting")
            await asyncio.to_thread(service.prepare)
            service.spawn()
            started.append(service)
            await asyncio.to_thread(service.wait_ready)
            self._say(f"{names[service.name]}: serves")

        try:
            results = await asyncio.gather(bring(postgres), bring(kafka), return_exceptions=True)
        finally:
            self._supervisor.keep(started)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return kafka, postgres

    async def _prepare_services(self, postgres: Service) -> None:
        commands = self._prepare_database(postgres), self._run("topics", "--before-roles")
        results = await asyncio.gather(*commands, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _prepare_database(self, postgres: Service) -> None:
        await self._run("migrate")
        await self._make_users(postgres)
        await self._run("templates")

    async def _make_users(self, postgres: Service) -> None:
        processes, shared = [*self._roles, "admin"], postgres.pid is None
        make = partial(database_urls, self.home, postgres.url, processes, shared=shared)
        try:
            self._urls = await asyncio.to_thread(make)
            self._say("Database users: one for each role")
        except SettingsError as error:
            self._urls = dict.fromkeys(processes, postgres.url)
            self._say(f"Database users: none, every role logs in as the owner; {error}")

    async def _run(self, *command: str) -> None:
        process = await asyncio.create_subprocess_exec(
            *headrace(*command),
            env={**os.environ, **self.environment},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            said, _ = await process.communicate()
        except asyncio.CancelledError:
            process.send_signal(signal.SIGTERM)
            raise
        lines = said.decode(errors="replace").strip()
        if process.returncode:
            raise SetupError(f"`headrace {command[0]}` failed:\n{lines}")
        self._say(lines)

    def _describe(self, ports: Ports, kafka: Service, postgres: Service) -> None:
        self.publish(
            api_url=ports.api_url,
            kafka=kafka.url,
            database_url=postgres.url,
            smtp=f"127.0.0.1:{ports.smtp}",
            mail_url=ports.mail_url,
            receiver_url=ports.receiver_url,
            messages_url=ports.messages_url,
            pages={role: f"http://{HOST}:{port}" for role, port in ports.pages.items()},
            ready=False,
        )

    async def _wait_for_api(self, ports: Ports) -> None:
        admin = self._workers[-1]
        deadline = asyncio.get_running_loop().time() + _API_WITHIN_S
        while not await asyncio.to_thread(_answers, f"{ports.api_url}/readyz"):
            if asyncio.get_running_loop().time() > deadline:
                raise SetupError(f"the API did not answer; see {admin.log}\n{admin.log_tail()}")
            await asyncio.sleep(0.2)

    def _changed(self, name: str) -> None:
        self._say(f"{name} ended and was started again; see {self.home / 'logs' / name}.log")
        if self.facts:
            self.publish()


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=2) as answer:  # noqa: S310 - our own http URL
            return bool(answer.status == 200)  # noqa: PLR2004 - HTTP's OK
    except (URLError, OSError):
        return False
