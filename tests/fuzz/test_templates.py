"""The fuzzer of templates, for a short while; ``make fuzz-templates`` runs it for long."""

from collections.abc import Sequence

import pytest

from app.domain.templating import TemplateError, compile_template
from tests.fuzz.grammar import grown
from tests.fuzz.templates import fuzz, hostile_context, least, numbers_of, shrunk


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


def test_the_measure_sees_memory() -> None:
    """A template that holds much is seen to."""
    held = "".join(f"{{% set v{number} = big ~ {number} %}}" for number in range(12))
    took = least(held, hostile_context())
    assert took.size > 1_000_000
    assert not took.too_much
