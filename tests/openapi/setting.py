"""The names of the variables by which the run tells its hooks where the API is and what is there."""

BASE = "FUZZ_BASE"
TOKEN = "FUZZ_TOKEN"
DOCUMENT = "FUZZ_DOCUMENT"
ROWS = "FUZZ_ROWS"
ANSWERS = "FUZZ_ANSWERS"
