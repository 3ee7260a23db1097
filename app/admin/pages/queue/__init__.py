"""The queue, for who may operate: how each role keeps up, what is left alone, and the dead letters."""

from typing import Final

from app.admin.pages.declared import form, page
from app.admin.pages.queue.letters import LETTERS, act_on_many, discard, replay, show_letter, show_letters
from app.admin.pages.queue.standing import show_queue

PAGES: Final = (
    page("/queue", "queuePage", "Queue", show_queue, permission="operate"),
    page(LETTERS, "deadLettersPage", "Dead letters", show_letters, permission="operate"),
    form(f"{LETTERS}/many", "deadLettersForm", "Replay or discard many", act_on_many, permission="operate"),
    page(f"{LETTERS}/{{number}}", "deadLetterPage", "A dead letter", show_letter, permission="operate"),
    form(
        f"{LETTERS}/{{number}}/replay", "replayForm", "Replay a dead letter", replay,
        permission="operate", conflicts=True,
    ),
    form(
        f"{LETTERS}/{{number}}/discard", "discardForm", "Discard a dead letter", discard,
        permission="operate", conflicts=True,
    ),
)  # fmt: skip
