"""How two commits' costs are compared."""

from tests.benchmarks.against import costs, table


def _turn(**us: float) -> dict[str, object]:
    return {"processes": [{"name": name, "us_per_execution": value} for name, value in us.items()]}


def test_medians_over_the_turns_are_compared() -> None:
    """Of each process, and of all of them but the receiver, which is the world outside."""
    before = costs([_turn(sink=10, kafka=5, receiver=99), _turn(sink=20, kafka=15, receiver=1)])
    assert before == {"sink": 15, "kafka": 10, "receiver": 50, "all": 25}
    said = table(before, {"sink": 7.5, "kafka": 10, "all": 17.5})
    assert said.splitlines()[1].split() == ["receiver", "50", "0", "-"]
    assert ["sink", "15", "8", "0.50"] in [line.split() for line in said.splitlines()]
