"""Placeholders of workflow templates: their declarations, their values, and where these go."""
