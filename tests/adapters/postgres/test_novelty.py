"""When commands are taken to be new."""

from app.adapters.postgres.claims import Novelty


def _until_expected(novelty: Novelty) -> int:
    passed = 0
    while not novelty.expected():
        passed += 1
    return passed


def test_commands_are_new_until_some_are_not() -> None:
    """At first and as long as they prove to be, every batch is taken to be new."""
    novelty = Novelty()
    for _ in range(3):
        assert novelty.expected()
        novelty.confirmed()


def test_the_more_often_they_are_not_the_longer_nobody_expects_it() -> None:
    """After one miss a batch is passed over, then two, four, up to 64; one that is new after all makes up for it."""
    novelty, passed = Novelty(), []
    for _ in range(8):
        novelty.refuted()
        passed.append(_until_expected(novelty))
    assert passed == [1, 2, 4, 8, 16, 32, 64, 64]
    novelty.confirmed()
    novelty.refuted()
    assert _until_expected(novelty) == 1
