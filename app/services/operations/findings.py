"""What a look at an installation finds, in words, with what to do about it: judged from facts alone."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from app.settings import Settings
from app.topics import TopicSpec

_MOST_NAMED: Final = 5
_ACCOUNTS: Final = {
    "send_sms": ("twilio_account_sid", "HEADRACE_TWILIO_ACCOUNT_SID"),
    "send_whatsapp": ("whatsapp_phone_number_id", "HEADRACE_WHATSAPP_PHONE_NUMBER_ID"),
}
_TABLE: Final = "matcher-workflows-changelog"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        check: What it is about.
        state: A problem keeps a role from starting; a warning is said.
        says: What was found.
        do: What to do about it; empty where there is nothing to do.
        passing: It may be over by itself: starting again can help.
    """

    check: str
    state: Literal["ok", "warning", "problem"]
    says: str
    do: str = ""
    passing: bool = False

    def __str__(self) -> str:
        """Return it in one line."""
        return f"{self.check}: {self.says}" + (f"; {self.do}" if self.do else "")


def of_migrations(found: str | None, known: Sequence[str]) -> Finding:
    """Compare what was applied with what this version knows; more than it knows is fine, since migrations only add."""
    if found is None:
        says = "no migration is applied, or not the one that lets a role see which are"
        return Finding("migrations", "problem", says, "run `headrace migrate`")
    if found not in known:
        return Finding("migrations", "ok", f"{found}, which is newer than this version's {known[-1]}")
    missing = len(known) - 1 - known.index(found)
    if missing:
        says = f"{missing} of {len(known)} are missing: the database is at {found}, this version needs {known[-1]}"
        return Finding("migrations", "problem", says, "run `headrace migrate`")
    return Finding("migrations", "ok", f"all {len(known)} applied")


def of_topics(there: Mapping[str, int], needed: Sequence[TopicSpec], prefix: str) -> Iterator[Finding]:
    """Compare the topics that are there, with their partitions, with those that are needed."""
    missing = [spec.name for spec in needed if spec.name not in there]
    short = [spec for spec in needed if there.get(spec.name, spec.partitions) < spec.partitions]
    if needed and len(missing) == len(needed):
        yield _no_topic(there, prefix)
    elif missing:
        says = f"{len(missing)} of {len(needed)} are missing, or may not be seen: {_named(missing)}"
        yield Finding("topics", "problem", says, "run `headrace topics`")
    if short:
        counts = [f"{spec.name} ({there[spec.name]} of {spec.partitions})" for spec in short]
        do = "run `headrace topics --add-partitions`, or set HEADRACE_EVENTS_PARTITIONS and HEADRACE_ACTIONS_PARTITIONS"
        yield Finding("topics", "problem", f"there are fewer partitions than declared: {_named(counts)}", do)
    if not missing and not short:
        yield Finding("topics", "ok", f"all {len(needed)} there")


def _no_topic(there: Mapping[str, int], prefix: str) -> Finding:
    others = sorted(name.removesuffix(_TABLE) for name in there if name.endswith(_TABLE))
    says = f"none of the needed ones is there under the prefix {prefix}"
    if others:
        return Finding(
            "topics", "problem", f"{says}; there is an installation under {_named(others)}",
            "set HEADRACE_TOPIC_PREFIX to that, or run `headrace topics` for a new one",
        )  # fmt: skip
    return Finding("topics", "problem", says, "run `headrace topics`, or mend HEADRACE_TOPIC_PREFIX")


def of_secrets(sealed: Sequence[tuple[str, bytes]] | None, *, has_key: bool, opens: Callable[[bytes], bool]) -> Finding:
    """Say whether what is sealed can be opened with the keys that are set."""
    variable = "HEADRACE_SECRETS_KEY"
    if sealed is None:
        return Finding("secrets", "ok", "not looked at: the database user may not read them, and need not")
    if not sealed:
        return Finding("secrets", "ok", "none stored" if has_key else f"none stored; without {variable} none can be")
    if not has_key:
        says = f"{variable} is not set, but {len(sealed)} are stored: {_named([name for name, _ in sealed])}"
        return Finding("secrets", "problem", says, f"set {variable} to the key that they were sealed with")
    closed = [name for name, value in sealed if not opens(value)]
    if closed:
        says = f"{variable} opens {len(sealed) - len(closed)} of {len(sealed)}; not {_named(closed)}"
        # One that is lost breaks its own workflows alone; that none opens is a wrong key.
        state: Literal["warning", "problem"] = "problem" if len(closed) == len(sealed) else "warning"
        return Finding(
            "secrets", state, says, "add the key that they were sealed with behind it, with a comma, or store them anew"
        )
    return Finding("secrets", "ok", f"all {len(sealed)} can be opened")


def of_accounts(in_use: Iterable[str] | None, settings: Settings) -> Iterator[Finding]:
    """Say which providers' accounts active workflows need that are not set.

    No problem, but a warning: whoever may write a workflow could else keep the executors from starting.
    """
    if in_use is None:
        return
    lacking = [(kind, *_ACCOUNTS[kind]) for kind in sorted(set(in_use) & _ACCOUNTS.keys())]
    for kind, field, variable in lacking:
        if not getattr(settings, field):
            says = f"active workflows use {kind}, and {variable} is not set: these steps fail"
            yield Finding("accounts", "warning", says, f"set {variable} and what belongs to it (docs/actions.md)")


def _named(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
