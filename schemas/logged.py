"""What the sink takes for an execution: as cheap a look at a record's shape as there is, before it becomes a row.

Whatever is stored is read again by every page and list; a row of another shape could not be.
"""

import re
from typing import Any, Final

import msgspec

from app.domain.errors import PoisonError
from schemas.execution import Execution
from schemas.fast_reader import FastReader
from schemas.incoming import MAX_SLIP_NESTING, load_object
from schemas.json_places import not_utf8

# A time that only metrics ask for refuses no row.
_DECODER: Final[msgspec.json.Decoder[Any]] = msgspec.json.Decoder(FastReader(Execution, apart=("event_at",)).shape)
# msgspec says the place last: "Expected `int` - at `$.results[0].step`".
_PLACED: Final = re.compile(r"(?P<said>.*) - at `\$\.?(?P<path>.*)`", re.DOTALL)
_MAX_DETAIL: Final = 300


def check_execution(value: bytes) -> None:
    """Check that a record holds an execution.

    Raises:
        PoisonError: As of :func:`schemas.incoming.load_object`; or ``invalid_execution``, naming the field.
    """
    try:
        _DECODER.decode(value)
    except msgspec.ValidationError as error:
        load_object(value, max_nesting=MAX_SLIP_NESTING)  # what is no object at all is called what others call it
        placed = _PLACED.fullmatch(str(error))
        said = f"{placed['path']}: {placed['said']}" if placed else str(error)
        raise PoisonError("invalid_execution", said[:_MAX_DETAIL]) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        odd = not_utf8(value)
        raise PoisonError("not_json", f"the value {odd}" if odd else str(error)[:_MAX_DETAIL]) from None
