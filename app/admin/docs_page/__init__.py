"""The page at ``/docs``: the OpenAPI document as HTML of our own, which needs no script and nothing from elsewhere."""
