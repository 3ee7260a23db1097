"""Whether a process is traced, by OpenTelemetry's own variables; one that is not pays nothing for it."""

import subprocess
import sys

import pytest

from app.processes.tracing import is_traced

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}


@pytest.mark.parametrize(
    ("environ", "traced"),
    [
        ({}, False),
        (ENDPOINT, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": " "}, False),
        ({"OTEL_SERVICE_NAME": "headrace"}, False),
        ({**ENDPOINT, "OTEL_SDK_DISABLED": "true"}, False),
        ({**ENDPOINT, "OTEL_SDK_DISABLED": "false"}, True),
        ({**ENDPOINT, "OTEL_TRACES_EXPORTER": "none"}, False),
        ({**ENDPOINT, "OTEL_TRACES_EXPORTER": "otlp"}, True),
    ],
)
def test_a_collector_that_is_named_turns_it_on(environ: dict[str, str], traced: bool) -> None:  # noqa: FBT001 - a case
    """Unless the SDK is disabled, or traces have no exporter."""
    assert is_traced(environ) is traced


def test_a_worker_that_is_not_traced_imports_nothing_of_it() -> None:
    """OpenTelemetry and protobuf are megabytes, which an idle worker does without."""
    code = (
        "import sys, app.processes.worker, app.processes.roles, app.processes.tracing;"
        "print([name for name in sys.modules if name.startswith(('opentelemetry', 'google.protobuf', 'requests'))])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert told.stdout.strip() == "[]"
