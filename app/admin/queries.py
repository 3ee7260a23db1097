"""What every query and request of the API shares: unknown keys are refused, pages have a limit and a cursor."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Limit = Annotated[int, Field(ge=1, le=200, description="Rows a page")]
Cursor = Annotated[str | None, Field(max_length=200, description="The next_cursor of the page before")]
Text = Annotated[str | None, Field(min_length=1, max_length=256)]


class Query(BaseModel):
    """A query string or request body: what is not one of its fields is refused."""

    model_config = ConfigDict(extra="forbid")
