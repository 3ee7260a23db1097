"""Whether this process is traced, which OpenTelemetry's own variables say; without them nothing of it is imported."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

from app.execution.tracing import NO_TRACING
from app.ports.tracing import Tracer
from app.settings import Settings

log = logging.getLogger(__name__)

_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_SPOKEN: Final = "http/protobuf"


def is_traced(environ: Mapping[str, str]) -> bool:
    """Tell whether spans are to be recorded: a collector is named, and neither the SDK nor its exporter is off."""
    off = environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    exporter = environ.get("OTEL_TRACES_EXPORTER", "otlp").strip().lower() or "otlp"
    return any(environ.get(name, "").strip() for name in _ENDPOINTS) and not off and exporter != "none"


@asynccontextmanager
async def tracing(settings: Settings, role: str) -> AsyncIterator[Tracer]:
    """Record spans for as long as the block runs, if the environment asks for it; sends the last of them behind it."""
    if not is_traced(os.environ):
        yield NO_TRACING
        return
    for name in _PROTOCOLS:
        if os.environ.get(name, _SPOKEN) != _SPOKEN:
            log.warning("%s=%s is not spoken; spans are sent as %s", name, os.environ[name], _SPOKEN)
    from app.adapters.tracing.exporting import to_collector  # noqa: PLC0415 - megabytes, for who is traced only
    from app.adapters.tracing.otel import OtelTracer  # noqa: PLC0415 - the same

    tracer = OtelTracer(f"headrace-{role}", settings.instance, to_collector())
    try:
        yield tracer
    finally:
        await asyncio.to_thread(tracer.close)
