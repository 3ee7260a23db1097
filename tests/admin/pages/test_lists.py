"""What a list is filtered by stands in its address; which page of it is shown is no filter."""

from urllib.parse import quote

from aiohttp.test_utils import make_mocked_request

from app.admin.pages.executions.filters import ExecutionListQuery
from app.admin.pages.lists import asked, next_page


def test_the_cursor_is_in_the_query_alone() -> None:
    """So that a link to the same list begins it anew, and to its next rows has one cursor."""
    first = make_mocked_request("GET", "/executions?entity=c-1&status=failed")
    _, given, wrong = asked(first, ExecutionListQuery)
    assert (given, wrong) == ({"entity": "c-1", "status": "failed"}, {})
    following = next_page(first, "/executions", given, "here")
    assert following
    second = make_mocked_request("GET", following)
    query, again, wrong = asked(second, ExecutionListQuery)
    assert (query.cursor, again, wrong) == ("here", given, {})


def test_what_is_wrong_is_left_out_and_said_without_the_cursor() -> None:
    """A cursor of another list is no filter that holds."""
    request = make_mocked_request("GET", f"/executions?entity=c-1&cursor={quote('of another')}")
    query, given, wrong = asked(request, ExecutionListQuery)
    assert (query.cursor, query.entity, given, set(wrong)) == (None, "c-1", {"entity": "c-1"}, {"cursor"})
