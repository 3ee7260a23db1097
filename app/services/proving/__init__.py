"""``headrace prove``: the load, the ledger of what must come of it, the recount and the report; all of it pure."""
