"""Workflows and templates: written, checked, stored, indexed and started by hand."""
