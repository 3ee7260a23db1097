"""Workflows as files say them: YAML or JSON, read with the line of every field."""
