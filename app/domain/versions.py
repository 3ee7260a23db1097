"""Which version of a thing a change is meant for: the one that was read, one of several, or any."""

# As ``If-Match`` has it (RFC 9110, 13.1.1): one or several versions; None for any.
Expected = int | frozenset[int] | None


def is_expected(version: int, expected: Expected) -> bool:
    """Tell whether a thing at a version is what a change is meant for."""
    return expected is None or (version in expected if isinstance(expected, frozenset) else version == expected)
