"""Why a step failed is said by its form's titles, and by what is missing: no path, and no step 0."""

import pytest

from app.actions.error_words import error_in_words, place_in_words
from app.admin.pages.log_words import in_person_words


@pytest.mark.parametrize(
    ("action_type", "error", "words"),
    [
        ("send_email", "to[0]: line 1: customer.email is undefined", "The customer has no e-mail address"),
        ("send_sms", "to: line 1: customer.phone is undefined", "The customer has no phone number"),
        ("send_email", "to: no recipient", "There is nobody to send it to"),
        ("send_email", "to[1]: 'x' is not one e-mail address", "To: 'x' is not one e-mail address"),
        ("send_email", "subject: line 1: order.id is undefined", "Subject: there is no order id"),
        ("send_email", "text: line 3: order.id.x is undefined", "Text: there is no order id x"),
        ("send_email", "html: line 3: nests or calls itself too deep", "HTML, line 3 nests or calls itself too deep"),
        ("webhook", "headers.X-Shop: holds a line break", "Headers, X-Shop holds a line break"),
        ("apply_tag", "tag: is empty", "Tag is empty"),
        ("webhook", "HTTP 503", "HTTP 503"),
        ("webhook", "Twilio: no such number", "Twilio: no such number"),
        ("gone", "to[0]: is empty", "To[0]: is empty"),
    ],
)
def test_an_error_is_said_in_the_words_of_the_form(action_type: str, error: str, words: str) -> None:
    """What is missing, or the field by its title; what names no field stays."""
    assert error_in_words(action_type, error) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "step 0 (send_email): to[0]: line 1: customer.email is undefined",
            "Step 1 (Send an e-mail): the customer has no e-mail address",
        ),
        (
            (
                "1 of 3 actions succeeded; step 1 (send_sms) failed: to: is empty; step 2 (webhook) was skipped: "
                "not run, because step 1 failed and its on_error is stop."
            ),
            (
                "1 of 3 steps succeeded; step 2 (Send a text message) failed: To is empty; "
                "step 3 (Call another system) "
                "was skipped: not carried out, because step 2 failed and the workflow ends there."
            ),
        ),
        (
            "2 of 2 actions succeeded; stop_workflow ended it.",
            "2 of 2 steps succeeded; a step ended it, as the workflow says.",
        ),
    ],
)
def test_the_log_counts_from_one(text: str, words: str) -> None:
    """Every step with what it does, and what kept it."""
    assert in_person_words(text) == words


def test_a_place_is_said() -> None:
    """As it is counted on the page."""
    assert place_in_words("actions[1].config.to[0]") == "Step 2, to"
    assert place_in_words("workflow.conditions[0].value") == "Condition 1, value"
    assert place_in_words("actions[0]") == "Step 1"
    assert place_in_words("trigger.config.at") == "trigger config at"
