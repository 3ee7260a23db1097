"""What is made of the facts about an installation: what is wrong, and the command or variable that mends it."""

import pytest

from app.services.operations.findings import Finding, of_accounts, of_migrations, of_secrets, of_topics
from app.settings import Settings
from app.topics import TopicSpec

KNOWN = ["0001", "0002", "0003"]
NEEDED = [TopicSpec("t.events.order", 4), TopicSpec("t.executions", 8)]
THERE = {"t.events.order": 4, "t.executions": 8, "others": 1}
SEALED = [("secret A", b"one"), ("secret B", b"two")]


@pytest.mark.parametrize(
    ("found", "state", "says"),
    [
        ("0003", "ok", "all 3 applied"),
        ("0001", "problem", "2 of 3 are missing: the database is at 0001, this version needs 0003"),
        (None, "problem", "no migration is applied"),
        ("0004", "ok", "newer than this version's 0003"),
    ],
)
def test_migrations(found: str | None, state: str, says: str) -> None:
    """Older than this version: `headrace migrate`; newer is fine, as after a rollback, because migrations only add."""
    finding = of_migrations(found, KNOWN)
    assert (finding.state, finding.do) == (state, "run `headrace migrate`" if state == "problem" else "")
    assert says in finding.says


def test_topics_that_are_all_there() -> None:
    """With as many partitions as declared, or more."""
    (finding,) = of_topics({**THERE, "t.executions": 9}, NEEDED, "t.")
    assert (finding.state, finding.says) == ("ok", "all 2 there")


def test_a_topic_that_is_missing_or_short() -> None:
    """Each by its name, with the command that mends it."""
    (missing,) = of_topics({"t.executions": 8}, NEEDED, "t.")
    assert (missing.state, missing.do) == ("problem", "run `headrace topics`")
    assert "t.events.order" in missing.says
    (short,) = of_topics({**THERE, "t.executions": 2}, NEEDED, "t.")
    assert (short.state, short.do.split(",")[0]) == ("problem", "run `headrace topics --add-partitions`")
    assert "t.executions (2 of 8)" in short.says


def test_a_wrong_prefix_is_told_from_topics_that_were_never_made() -> None:
    """Where another installation is there, its prefix is named."""
    (nothing,) = of_topics({}, NEEDED, "t.")
    assert "under the prefix t." in nothing.says
    assert "run `headrace topics`, or mend HEADRACE_TOPIC_PREFIX" in nothing.do
    (other,) = of_topics({"headrace.matcher-workflows-changelog": 1, "headrace.executions": 8}, NEEDED, "t.")
    assert "there is an installation under headrace." in other.says
    assert "HEADRACE_TOPIC_PREFIX" in other.do


@pytest.mark.parametrize(
    ("sealed", "has_key", "opening", "state", "says"),
    [
        (None, False, (), "ok", "not looked at"),
        ([], False, (), "ok", "none stored"),
        (SEALED, True, (b"one", b"two"), "ok", "all 2 can be opened"),
        (SEALED, False, (), "problem", "HEADRACE_SECRETS_KEY is not set, but 2 are stored: secret A, secret B"),
        (SEALED, True, (), "problem", "HEADRACE_SECRETS_KEY opens 0 of 2; not secret A, secret B"),
        (SEALED, True, (b"two",), "warning", "HEADRACE_SECRETS_KEY opens 1 of 2; not secret A"),
    ],
)
def test_secrets(
    sealed: list[tuple[str, bytes]] | None, *, has_key: bool, opening: tuple[bytes, ...], state: str, says: str
) -> None:
    """No key, or a wrong one, keeps executors from starting; one that cannot be opened is its workflows' matter."""
    finding = of_secrets(sealed, has_key=has_key, opens=lambda value: value in opening)
    assert (finding.state, bool(finding.do)) == (state, state != "ok")
    assert says in finding.says


def test_accounts_are_warned_of() -> None:
    """A user's workflow must not keep executors from starting; what nobody uses needs no account."""
    settings = Settings(twilio_account_sid=f"AC{'0' * 32}", twilio_auth_token="x", twilio_from="+1")
    assert list(of_accounts(None, settings)) == []
    assert list(of_accounts({"send_email", "send_sms"}, settings)) == []
    (finding,) = of_accounts({"send_whatsapp", "send_sms"}, settings)
    assert (finding.state, "HEADRACE_WHATSAPP_PHONE_NUMBER_ID" in finding.do) == ("warning", True)


def test_a_finding_is_one_line() -> None:
    """For logs and errors."""
    assert str(Finding("topics", "problem", "none", "run `headrace topics`")) == "topics: none; run `headrace topics`"
