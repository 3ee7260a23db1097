"""Built-in templates for customers who come, stay away or miss an appointment."""

from typing import Any, Final

from app.services.workflows.starters.parts import (
    HAS_EMAIL,
    SIGNATURE,
    asked,
    duration,
    mail,
    note,
    steps,
    subject,
    tag,
    task,
    template,
    wait,
)

CUSTOMERS: Final[tuple[dict[str, Any], ...]] = (
    template(
        "welcome",
        "Welcome a new customer",
        "Greets who has just become a customer, marks them as new, and asks a few days later how they are getting on.",
        "customer.created",
        reentry="once",
        conditions=[HAS_EMAIL],
        actions=steps(
            mail(
                "[[subject]]",
                "welcome, and thank you for joining us. We are glad to have you.",
                "If there is anything you need, reply to this e-mail: a person reads it.",
            ),
            tag("[[tag]]"),
            wait("[[wait]]"),
            mail(
                "How are you getting on?",
                "you have been with us for a little while now. Is there anything that we can help with?",
                "Reply with a word; we answer every e-mail.",
            ),
        ),
        placeholders=[
            subject("Welcome, {{ customer.name | default('and thank you') }}"),
            asked("tag", "tag", "Tag for new customers", "new-customer"),
            duration("wait", "Ask how it goes after", "3d"),
            SIGNATURE,
        ],
    ),
    template(
        "welcome",
        "Thank for the first order",
        "Thanks a customer for the first order that they pay; the tag and the re-entry keep it to the first.",
        "order.paid",
        reentry="once",
        conditions=[
            {**HAS_EMAIL, "logic": "AND"},
            {"field": "customer.tags", "operator": "not_contains", "value": "[[tag]]"},
        ],
        actions=steps(
            mail(
                "[[subject]]",
                "thank you for your first order with us. We have received your payment for order {{ order.id }}, and"
                " are getting it ready.",
                "You will hear from us when it is on its way.",
            ),
            tag("[[tag]]"),
        ),
        placeholders=[
            subject("Thank you for your first order"),
            asked("tag", "tag", "Tag for who has ordered once", "first-order"),
            SIGNATURE,
        ],
    ),
    template(
        "reengagement",
        "Win back customers who stay away",
        "Every day, writes once to each customer whose last order was long ago; the tag keeps it from writing again.",
        "temporal.daily",
        reentry="once per 180 days",
        conditions=[HAS_EMAIL],
        actions=steps(
            mail(
                "[[subject]]",
                "it has been a while since your last order, and we would love to see you again.",
                "[[offer]]",
            ),
            tag("[[tag]]"),
        ),
        placeholders=[
            duration("away", "Away for at least", "90d"),
            asked("at", "time", "Time of day", "10:00"),
            asked("timezone", "timezone", "In the time zone", "UTC"),
            subject("We have missed you"),
            asked(
                "offer",
                "text",
                "What you offer",
                "Have a look at what is new: there is something for you.",
                min_length=1,
                max_length=2000,
                help="A sentence or two, with a voucher's code perhaps",
            ),
            asked("tag", "tag", "Tag for who was written to", "win-back"),
            SIGNATURE,
        ],
    )
    | {
        "trigger": {
            "type": "temporal.daily",
            "config": {
                "at": "[[at]]",
                "timezone": "[[timezone]]",
                "audience": [
                    {"field": "customer.last_order_at", "operator": "<", "value": {"now": "-[[away]]"}, "logic": "AND"},
                    {"field": "customer.tags", "operator": "not_contains", "value": "[[tag]]"},
                ],
            },
        }
    },
    template(
        "reengagement",
        "Offer another appointment",
        "Writes to a customer who missed an appointment, gives the team a task to find another, and notes both.",
        "appointment.missed",
        reentry={"once": True, "key": "appointment.id"},
        conditions=[HAS_EMAIL],
        actions=steps(
            mail(
                "[[subject]]",
                "we had an appointment, and could not meet you. That happens!",
                "Reply with two or three times that suit you, and we will arrange another.",
            ),
            task("Find {{ customer.name | default(customer.id) }} another appointment", "[[due]]"),
            note("Missed an appointment; another was offered by e-mail."),
        ),
        placeholders=[
            subject("Shall we find another time?"),
            duration("due", "The team has", "2d"),
            SIGNATURE,
        ],
    ),
)
