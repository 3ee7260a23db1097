"""How fast roles finish records, by where they were a while ago."""

from app.services.operations.queue_pace import Pace


def test_the_pace_is_known_from_the_second_look_on() -> None:
    """Over the time between; two looks within a second say nothing; a role that is new has none yet."""
    pace = Pace()
    assert pace.rates(0.0, {"matcher": 100}) == {"matcher": None}
    assert pace.rates(0.5, {"matcher": 130}) == {"matcher": None}
    assert pace.rates(10.0, {"matcher": 350, "sink": 5}) == {"matcher": 25.0, "sink": None}


def test_it_is_of_the_last_minute() -> None:
    """A look of long ago counts no more; after a pause nothing is known again."""
    pace = Pace()
    pace.rates(0.0, {"matcher": 0})
    pace.rates(40.0, {"matcher": 0})
    assert pace.rates(80.0, {"matcher": 4000}) == {"matcher": 100.0}
    assert pace.rates(500.0, {"matcher": 9000}) == {"matcher": None}


def test_a_topic_made_anew_is_no_pace() -> None:
    """Its offsets begin at nought: a role does not take back what it has finished."""
    pace = Pace()
    pace.rates(0.0, {"matcher": 500})
    assert pace.rates(10.0, {"matcher": 3}) == {"matcher": 0.0}
