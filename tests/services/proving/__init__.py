"""The pure parts of ``headrace prove``."""
