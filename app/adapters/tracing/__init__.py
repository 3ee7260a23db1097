"""Tracing over OpenTelemetry."""
