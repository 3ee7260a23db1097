"""The processes of the embedded default around broker and database: stand-ins, roles, admin; and their settings."""

import os
import secrets
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app.adapters.secrets.cipher import new_key
from app.embedded.child import Child, Command
from app.embedded.free_ports import HOST, keep_or_pick
from app.embedded.provider_logins import role_variables, stand_in_variables
from app.processes.home import AlreadyStartedError, Lock, read_json, write_json
from app.processes.parent_watch import PARENT_VARIABLE
from app.processes.role_names import usual_metrics_port
from app.settings.variables import BESIDE_SETTINGS, known_variables

_API_PORT = 8080
ALLOW_PRIVATE = "HEADRACE_WEBHOOK_ALLOW_PRIVATE"
_PAGE_VARIABLE = "HEADRACE_METRICS_PORT"
_ONE_PROCESS = frozenset(
    {"HEADRACE_INSTANCE", "HEADRACE_LOG_FORMAT", "HEADRACE_LOG_LEVEL", "HEADRACE_METRICS_HOST", _PAGE_VARIABLE}
) | frozenset(BESIDE_SETTINGS)


@dataclass(frozen=True, slots=True)
class Ports:
    """Ports of the processes that listen, all on 127.0.0.1; kept from one start to the next while they are free.

    ``pages`` are those of the roles' pages: health, readiness and metrics.
    """

    api: int
    smtp: int
    mail: int
    receiver: int
    messages: int
    pages: Mapping[str, int] = field(default_factory=dict)

    @property
    def api_url(self) -> str:
        """Where the API and the pages are."""
        return f"http://{HOST}:{self.api}"

    @property
    def mail_url(self) -> str:
        """Where the page with what was mailed is."""
        return f"http://{HOST}:{self.mail}"

    @property
    def receiver_url(self) -> str:
        """Where webhooks can be sent."""
        return f"http://{HOST}:{self.receiver}"

    @property
    def messages_url(self) -> str:
        """Where SMS and WhatsApp messages are sent, and the page with what arrived."""
        return f"http://{HOST}:{self.messages}"


def claim_usual_port(lock: Lock) -> bool:
    """Return whether this installation may take 8080: two that start at once would both find it free.

    Args:
        lock: ``usual_port_lock()``, held for as long as the port may be in use.
    """
    try:
        lock.acquire()
    except (AlreadyStartedError, OSError):  # another folder's, or another user's
        return False
    return True


def usual_port_lock() -> Lock:
    """Return the lock that all installations on this machine share."""
    return Lock(Path(tempfile.gettempdir()) / f"headrace-port-{_API_PORT}.lock")


def choose_ports(home: Path, roles: Sequence[str] = (), *, usual: bool) -> Ports:
    """Return ports that are free, those of the last start where possible; first choices are the usual, if ``usual``.

    Side effect: remembers them for the next start.
    """
    saved = read_json(home / "ports.json")
    api = saved.get("api", _API_PORT)
    chosen = {
        "api": keep_or_pick(api if usual or api != _API_PORT else None),
        "smtp": keep_or_pick(saved.get("smtp")),
        "mail": keep_or_pick(saved.get("mail")),
        "receiver": keep_or_pick(saved.get("receiver")),
        "messages": keep_or_pick(saved.get("messages")),
    }
    pages = _choose_pages(saved.get("pages", {}), roles, usual=usual)
    write_json(home / "ports.json", {**chosen, "pages": pages})
    return Ports(**chosen, pages=pages)


def _choose_pages(saved: Mapping[str, int], roles: Sequence[str], *, usual: bool) -> dict[str, int]:
    """Return a port for each role's page; none where HEADRACE_METRICS_PORT is 0."""
    if os.environ.get(_PAGE_VARIABLE) == "0":
        return {}
    firsts = {role: saved.get(role, usual_metrics_port(role) if usual else None) for role in roles}
    return {role: keep_or_pick(first) for role, first in firsts.items()}


def jwt_secret(home: Path) -> str:
    """Return this installation's secret for tokens, made at its first start."""
    return _kept(home, "jwt_secret", lambda: secrets.token_urlsafe(36))


def secrets_key(home: Path) -> str:
    """Return the key of this installation's secret store, made at its first start."""
    return _kept(home, "secrets_key", new_key)


def _kept(home: Path, name: str, make: Callable[[], str]) -> str:
    saved = read_json(home / "secret.json")
    if name not in saved:
        saved = {**saved, name: make()}
        write_json(home / "secret.json", saved)
    return str(saved[name])


def environment(home: Path, ports: Ports, kafka: str, database_url: str) -> dict[str, str]:
    """Return the variables that every role gets; what the user has set stays, except where things are."""
    defaults = {
        "HEADRACE_JWT_SECRET": jwt_secret(home),
        "HEADRACE_SECRETS_KEY": secrets_key(home),
        "HEADRACE_SMTP_HOST": HOST,
        "HEADRACE_SMTP_PORT": str(ports.smtp),
        # The demo's webhooks go to a receiver on this machine.
        ALLOW_PRIVATE: "true",
        "HEADRACE_DATA_DIR": str(home / "workers"),
        "HEADRACE_HOME": str(home),
        **role_variables(home, ports.messages_url),
    }
    fixed = {
        "KAFKA_BOOTSTRAP_SERVERS": kafka,
        "DATABASE_URL": database_url,
        "HEADRACE_ADMIN_HOST": HOST,
        "HEADRACE_ADMIN_PORT": str(ports.api),
        "HEADRACE_STAND_IN_MAIL_URL": ports.mail_url,
        "HEADRACE_STAND_IN_MESSAGES_URL": ports.messages_url,
        "HEADRACE_STAND_IN_WEBHOOKS_URL": ports.receiver_url,
    }
    return {**defaults, **settings_given(os.environ), **fixed}


def settings_given(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the settings that a user gives an installation, which commands in another terminal go by too.

    Such as the prefix of its topics, or how a broker of the user's lets us in. Not what is one process's own.
    """
    return {name: variables[name] for name in known_variables() - _ONE_PROCESS if name in variables}


def stand_ins(home: Path, ports: Ports) -> list[Child]:
    """Return the mail server, the webhook receiver and the message providers, not started."""
    module = (sys.executable, "-m", "app.embedded.stand_in")
    return [
        Child(Command("mail", (*module, "mail", str(ports.smtp), str(ports.mail))), home),
        Child(Command("receiver", (*module, "webhooks", str(ports.receiver))), home),
        Child(Command("messages", (*module, "messages", str(ports.messages)), stand_in_variables(home)), home),
    ]


def role_processes(
    home: Path, roles: Sequence[str], env: Mapping[str, str], urls: Mapping[str, str], pages: Mapping[str, int]
) -> list[Child]:
    """Return one process for each role and the admin API, not started.

    Args:
        home: The data folder.
        roles: Their names.
        env: The variables that all of them get.
        urls: Their DATABASE_URLs, by name.
        pages: Ports of their pages, by name; what is left out has none.
    """
    variables = {**env, PARENT_VARIABLE: str(os.getpid())}
    commands = {**{role: headrace("worker", role) for role in roles}, "admin": headrace("admin")}
    return [
        Child(
            Command(name, argv, {**variables, "DATABASE_URL": urls[name], _PAGE_VARIABLE: str(pages.get(name, 0))}),
            home,
        )
        for name, argv in commands.items()
    ]


def headrace(*arguments: str) -> tuple[str, ...]:
    """Return the argv of one of our own commands."""
    return (sys.executable, "-m", "app.cli", *arguments)
