"""Built-in templates for reviews, deliveries and conversations."""

from typing import Any, Final

from app.services.workflows.starters.parts import (
    HAS_EMAIL,
    SIGNATURE,
    asked,
    duration,
    mail,
    note,
    steps,
    stop_unless_order_is,
    subject,
    task,
    template,
    wait,
)

SUPPORT: Final[tuple[dict[str, Any], ...]] = (
    template(
        "support",
        "Act on a bad review",
        "Answers a message with a low score at once, before other work, and gives the team a task to call.",
        "message.received",
        priority=3,
        conditions=[{"field": "message.score", "operator": "<=", "value": "[[score]]"}],
        actions=steps(
            task("Call {{ customer.name | default(customer.id) }}: review with score {{ message.score }}", "[[due]]"),
            note("Bad review, score {{ message.score }}: {{ message.text | default('no text') }}"),
            mail(
                "[[subject]]",
                "we have read your review, and are sorry that we did not do better.",
                "Somebody from our team will get in touch with you. If you would like to add something, reply to this"
                " e-mail.",
                conditions=[HAS_EMAIL],
            ),
        ),
        placeholders=[
            asked("score", "integer", "Bad is a score of at most", 2, minimum=1, maximum=10),
            duration("due", "The team has", "4h"),
            subject("We are sorry, and want to make it right"),
            SIGNATURE,
        ],
    ),
    template(
        "support",
        "Ask for a review after delivery",
        "Some days after a delivery asks for a review; nobody is asked twice within a month.",
        "order.delivered",
        reentry="once per 30 days",
        conditions=[HAS_EMAIL],
        actions=steps(
            wait("[[wait]]"),
            mail(
                "[[subject]]",
                "your order {{ order.id }} reached you some days ago. Are you happy with it?",
                "Tell us, and others, in a sentence: [[review]]",
            ),
        ),
        placeholders=[
            duration("wait", "Ask after", "5d"),
            subject("How do you like your order?"),
            asked(
                "review",
                "text",
                "Where reviews are written",
                "just reply to this e-mail.",
                min_length=1,
                max_length=500,
                help="A link to your page of reviews",
            ),
            SIGNATURE,
        ],
    ),
    template(
        "support",
        "Apologise for a late delivery",
        "Where a paid order is not delivered by the day that you promise: tells the customer before they ask, and gives"
        " the team a task.",
        "order.paid",
        reentry={"once": True, "key": "order.id"},
        conditions=[HAS_EMAIL],
        actions=steps(
            wait("[[promised]]"),
            stop_unless_order_is("paid", "order {{ order.id }} is no longer on its way"),
            task(
                "Find out where order {{ order.id }} is, and tell {{ customer.name | default(customer.id) }}", "[[due]]"
            ),
            mail(
                "[[subject]]",
                "your order {{ order.id }} should have reached you by now. We are sorry that it has not.",
                "We are looking into it and will tell you more within a day. [[amends]]",
            ),
        ),
        placeholders=[
            duration("promised", "You promise delivery within", "5d"),
            duration("due", "The team has", "1d"),
            subject("Your order {{ order.id }} is late, and we are sorry"),
            asked(
                "amends",
                "text",
                "What you offer for it",
                "Thank you for your patience.",
                max_length=500,
                help="A voucher's code, perhaps",
            ),
            SIGNATURE,
        ],
    ),
    template(
        "support",
        "Ask how a conversation went",
        "Asks for feedback some time after a conversation was resolved.",
        "conversation.resolved",
        reentry={"once": True, "key": "conversation.id"},
        conditions=[HAS_EMAIL],
        actions=steps(
            wait("[[wait]]"),
            mail(
                "[[subject]]",
                "you asked us something, and we hope that it is settled.",
                "How did we do? Reply with a number from 1 to 5, and a word if you like.",
            ),
        ),
        placeholders=[
            duration("wait", "Ask after", "2h"),
            subject("How did we do?"),
            SIGNATURE,
        ],
    ),
)
