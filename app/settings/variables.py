"""The names of variables: which there are, and which one a misspelt one is meant to be."""

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from app.settings import Settings

PREFIX: Final = "HEADRACE_"
# Read where no settings are, and what for.
BESIDE_SETTINGS: Final = {
    "HEADRACE_API_TOKEN": "a token or an API key, with which commands call the API at HEADRACE_API_URL",
    "HEADRACE_API_URL": "where commands find the API; by default that of `make up` in this clone",
    "HEADRACE_HOME": "the data folder of `headrace up`",
    "HEADRACE_PARENT": "the process that a role ends with, set by `headrace up`",
    **{
        f"HEADRACE_DATABASE_PASSWORD_{role}": "for `headrace database-users`"
        for role in ("API", "DASHBOARDS", "EXECUTOR", "MATCHER", "SCHEDULER", "SINK", "SOURCES")
    },
}
_NEAR: Final = 0.6
_NEARER: Final = 0.9
# What Kubernetes sets in every pod for each service of the namespace, unless `enableServiceLinks` is false.
_SERVICE_LINK: Final = re.compile(r"_SERVICE_(HOST|PORT)(_[A-Z0-9_]+)?$|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$")


@dataclass(frozen=True, slots=True)
class Misspelt:
    """A variable that nothing reads.

    Attributes:
        name: As it is set.
        meant: The one that it comes nearest to; empty where none does.
    """

    name: str
    meant: str

    @property
    def ours(self) -> bool:
        """Whether it surely is meant for Headrace: another program may read one without the prefix."""
        return self.name.startswith(PREFIX)

    def __str__(self) -> str:
        """Say so, without its value."""
        return f"{self.name} is set, and nothing reads it" + (f": is {self.meant} meant?" if self.meant else "")


def known_variables() -> frozenset[str]:
    """Return every variable that is read."""
    named = (field.alias or f"{PREFIX}{name.upper()}" for name, field in Settings.model_fields.items())
    return frozenset((*named, *BESIDE_SETTINGS))


def misspelt(environment: Mapping[str, str]) -> list[Misspelt]:
    """Return the variables of an environment that are meant for Headrace, and that nothing reads, by name.

    Those are all with the prefix, and of others those that come very near to one that has none, such as
    ``KAFKA_BOOTSTRAP_SERVER``. A misspelt name is no error anywhere else: the default is taken, without a word.
    """
    known = known_variables()
    return sorted(_found(environment, known), key=lambda one: one.name)


def _found(environment: Mapping[str, str], known: frozenset[str]) -> Iterator[Misspelt]:
    bare = [name for name in known if not name.startswith(PREFIX)]
    for name in environment.keys() - known:
        if not name.startswith(PREFIX):
            near = difflib.get_close_matches(name, bare, 1, _NEARER)
            if near and near[0] not in environment:
                yield Misspelt(name, near[0])
        elif not _SERVICE_LINK.search(name):
            yield Misspelt(name, _nearest(name, known))


def _nearest(name: str, known: frozenset[str]) -> str:
    bare = name.removeprefix(PREFIX)
    if bare in known:
        return bare
    # The prefix is the same in all: what comes after it is compared.
    names = {one.removeprefix(PREFIX): one for one in known}
    near = difflib.get_close_matches(bare, names, 1, _NEAR)
    return names[near[0]] if near else ""
