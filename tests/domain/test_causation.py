"""The causation chain grows by a link an execution, and survives whatever others put in it."""

from collections.abc import Callable
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.causation import MAX_CHAIN_CHARS, MAX_LINKS, Link, extend_chain, read_chain

LINKS = st.builds(Link, st.uuids(), st.uuids())


@given(st.lists(LINKS, max_size=8))
def test_a_chain_reads_back_oldest_first(links: list[Link]) -> None:
    """What was appended link by link is read in the same order."""
    chain: str | None = None
    for link in links:
        chain = extend_chain(chain, link)
    assert read_chain(chain) == links


def test_a_long_chain_loses_its_oldest_links_and_fits_its_attribute() -> None:
    """However many executions led here, the newest are told and the attribute's limit holds."""
    links = [Link(UUID(int=n), UUID(int=n + 1)) for n in range(MAX_LINKS + 20)]
    chain: str | None = None
    for link in links:
        chain = extend_chain(chain, link)
    assert read_chain(chain) == links[-MAX_LINKS:]
    assert len(chain or "") <= MAX_CHAIN_CHARS


@pytest.mark.parametrize("count", [0, 1, 2, MAX_LINKS - 2, MAX_LINKS - 1, MAX_LINKS, MAX_LINKS + 1])
@pytest.mark.parametrize(
    "write", [str, str.upper, lambda text: text.replace(",", " ,"), lambda text: f"x,{text}", "{},".format]
)
def test_a_chain_is_extended_alike_however_it_is_written(count: int, write: Callable[[str], str]) -> None:
    """One that is written as ours are is not read for it, which must not show."""
    *links, last = (Link(UUID(int=n), UUID(int=n + 1)) for n in range(count + 1))
    text = write(",".join(map(str, links)))
    assert extend_chain(text, last) == ",".join(map(str, [*links, last][-MAX_LINKS:]))


@given(st.text(), LINKS)
def test_foreign_text_in_a_chain_is_passed_over(text: str, link: Link) -> None:
    """A chain that others wrote can hold anything; our own link still stands at its end."""
    assert read_chain(extend_chain(text, link))[-1] == link
