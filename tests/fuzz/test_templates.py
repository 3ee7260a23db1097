"""The fuzzer of templates, for a short while; ``make fuzz-templates`` runs it for long."""

import gc
from collections.abc import Iterator, Sequence

import pytest

from app.domain.templating import TemplateError, compile_template
from tests.fuzz.grammar import grown
from tests.fuzz.templates import MAX_BYTES, MAX_CPU_S, cost_of, fuzz, numbers_of, shrunk


@pytest.fixture(autouse=True)
def _as_in_a_small_process() -> Iterator[None]:
    """Leave what the session holds to itself: a collection of its whole heap would count as a template's CPU."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.timeout(240)
def test_no_template_costs_too_much() -> None:
    """Twenty seconds' worth: none takes more than 300 ms of CPU or 32 MB."""
    said: list[str] = []
    assert not fuzz(20, seed=20_261_128, first=0, say=said.append), said


def test_a_run_can_be_repeated() -> None:
    """A template follows from the seed and its number."""
    assert grown(numbers_of(1, 5)) == grown(numbers_of(1, 5)) != grown(numbers_of(1, 6))


def test_most_of_what_grows_compiles() -> None:
    """Else nothing would be tried but the parser."""
    compiled = 0
    for number in range(60):
        try:
            compile_template(grown(numbers_of(2, number)))
        except TemplateError:
            continue
        compiled += 1
    assert compiled > 20


def test_what_is_found_is_shrunk() -> None:
    """Numbers that it fails without are left out."""

    def fails(numbers: Sequence[int]) -> bool:
        return 7 in numbers and 9 in numbers

    assert shrunk([*range(50)], fails) == [7, 9]


def test_the_measure_sees_memory_and_time() -> None:
    """Either alone is too much."""
    # So much at once is never taken from what the process has freed before.
    assert cost_of(lambda: b"x" * (48 * 2**20)).size > MAX_BYTES
    assert cost_of(lambda: sum(range(10**8))).cpu > MAX_CPU_S
    assert not cost_of(lambda: sum(range(10))).too_much
