"""The pages: what people see, rendered here, over the same services as the API (docs/pages.md).

Links and forms do everything; scripts make it quicker. A page is an operation too, so that access checks, limits,
metrics and the log are the API's; what is its own is how it shows an error, and that a form brings the session's token
against forgery as a field.
"""
