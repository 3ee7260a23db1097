"""Sentences of the log as a person reads them: steps counted from 1 and by what they do, fields and values by name.

The list that grows says them in the same words (``log-words.js``); a test holds the two together.
"""

import re
from typing import Final

from app.actions.error_words import steps_in_words
from app.actions.step_words import type_title

_BROKE_OFF: Final = re.compile(r"\bnot run, because step (\d{1,2}) failed and its on_error is stop\b")
_STEP: Final = re.compile(r"\bstep (\d{1,2}) \(([a-z_]+)\)")
# ``to[0]: line 1: customer.email is undefined``: which field, where in its template, and what is not there.
_NOT_FILLED_IN: Final = re.compile(r"\b([a-z][a-z_]*)(?:\[\d+\])?: line \d+: ")
_NOT_THERE: Final = re.compile(r"(?<![^\s(])([^\s(]+) is undefined\b")
_ENTRY: Final = re.compile(r"\b([a-z][a-z_]*)\[\d+\]: ")
_ACTIONS: Final = re.compile(r"\b(\d+ of \d+) actions succeeded\b")
_WITHOUT_A_REASON: Final = re.compile(r" failed: None\b")
# An address or a name that begins a sentence stays as it is written.
_FIRST_WORD: Final = re.compile(r"\A[a-z]+(?=[,:;.!?]?(?:\s|\Z))")


def in_person_words(text: str) -> str:
    """Say a sentence of the log to a person: ``step 0 (send_email)`` is step 1, which sends an e-mail."""
    said = _BROKE_OFF.sub(
        lambda found: f"not carried out, because step {int(found[1]) + 1} failed and the workflow ends there",
        steps_in_words(text),
    )
    said = _STEP.sub(lambda found: f"step {int(found[1]) + 1} ({type_title(found[2])})", said)
    said = _NOT_FILLED_IN.sub(r"“\1” cannot be filled in: ", said)
    said = _ENTRY.sub(r"“\1”: ", _NOT_THERE.sub(r"there is no \1", said))
    said = _WITHOUT_A_REASON.sub(" failed", _ACTIONS.sub(r"\1 steps succeeded", said))
    said = said.replace("stop_workflow ended it", "a step ended it, as the workflow says")
    return _FIRST_WORD.sub(lambda found: found[0].capitalize(), said)
