"""Sentences of the log are said to people in the same words by the server and by the list that grows."""

from typing import Any, Final

import pytest

from app.admin.pages.log_words import in_person_words
from tests.admin.pages.conftest import Visit

CASES: Final = [
    ("step 0 (send_email): to[0]: line 1: customer.email is undefined",
     "Step 1 (Send an e-mail): the customer has no e-mail address"),
    ("to[0]: must be one address", "“to”: must be one address"),
    ("step 3 (own_action): no answer", "Step 4 (Own action): no answer"),
    ("not run, because step 0 failed and its on_error is stop",
     "Not carried out, because step 1 failed and the workflow ends there"),
    ("1 of 2 actions succeeded; step 1 (apply_tag) failed: None; stop_workflow ended it",
     "1 of 2 steps succeeded; step 2 (Put a tag on the customer) failed; a step ended it, as the workflow says"),
    ("the shop said <b>no</b>: HTTP 500", "The shop said <b>no</b>: HTTP 500"),
    ("smtp.example.com refused it", "smtp.example.com refused it"),
    ("", ""),
]  # fmt: skip


@pytest.mark.parametrize(("said", "words"), CASES, ids=[words[:40] for _, words in CASES])
def test_the_log_is_said_in_words(said: str, words: str) -> None:
    """Steps counted from 1 and by what they do; fields by name, without where in their text it went wrong."""
    assert in_person_words(said) == words


async def test_the_list_that_grows_says_the_same(visit: Visit, somebody: Any) -> None:
    """Of every case."""
    async with visit(await somebody()) as window:
        await window.go("/executions")
        path = await window.page.locator("script[src*='js/pages/executions']").get_attribute("src")
        said = await window.page.evaluate(
            """async ([page, texts]) => {
              const { inPersonWords } = await import(new URL("../log-words.js", new URL(page, location)));
              return texts.map((text) => inPersonWords(text));
            }""",
            [path, [text for text, _ in CASES]],
        )
        assert said == [words for _, words in CASES]
