"""A stand-in for an OpenTelemetry collector: OTLP over HTTP, as strict as the real one about what it is sent."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

TYPE = "application/x-protobuf"
PATH = "/v1/traces"


@dataclass(frozen=True)
class Collected:
    """A span as it came, with the resource that it is of."""

    name: str
    service: str
    resource: dict[str, Any]
    trace_id: str
    span_id: str
    parent_id: str
    kind: int
    began: int
    ended: int
    attributes: dict[str, Any]
    failed: bool
    message: str
    state: str


@dataclass
class Collector:
    """What was collected, and what was refused and why.

    Attributes:
        status: What it answers instead of taking spans, if not 200.
        held: Clear, it answers nobody until it is set.
    """

    port: int = 0
    spans: list[Collected] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    status: int = 200
    asked: int = 0
    held: threading.Event = field(default_factory=threading.Event)

    def named(self, name: str) -> list[Collected]:
        """The spans of a name."""
        return [span for span in self.spans if span.name == name]

    def take(self, path: str, headers: dict[str, str], body: bytes) -> None:
        """Take a request in.

        Raises:
            ValueError: A collector would refuse it.
        """
        if path != PATH:
            raise ValueError(f"{path} is not {PATH}")
        if headers.get("content-type") != TYPE:
            raise ValueError(f"content type {headers.get('content-type')} is not {TYPE}")
        encoding = headers.get("content-encoding", "identity")
        if encoding not in {"identity", "gzip"}:
            raise ValueError(f"content encoding {encoding}")
        request = ExportTraceServiceRequest()
        try:
            request.ParseFromString(gzip.decompress(body) if encoding == "gzip" else body)
        except (DecodeError, OSError) as error:
            raise ValueError(f"no OTLP: {error}") from None
        self.headers.append(headers)
        self.spans.extend(list(_spans(request)))


def _spans(request: ExportTraceServiceRequest) -> Iterator[Collected]:
    if not request.resource_spans:
        raise ValueError("no resource")
    for resource in request.resource_spans:
        about = {one.key: _plain(one.value) for one in resource.resource.attributes}
        if not about.get("service.name"):
            raise ValueError("a resource without service.name")
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield _checked(span, about)


def _checked(span: Span, about: dict[str, Any]) -> Collected:
    for name, found, length in (("trace_id", span.trace_id, 16), ("span_id", span.span_id, 8)):
        if len(found) != length or not any(found):
            raise ValueError(f"{name} has not {length} bytes, or is all zeros")
    if span.parent_span_id and (len(span.parent_span_id) != 8 or not any(span.parent_span_id)):
        raise ValueError("parent_span_id has not 8 bytes, or is all zeros")
    if not span.name or span.kind == Span.SPAN_KIND_UNSPECIFIED:
        raise ValueError("a span without a name or a kind")
    if not 0 < span.start_time_unix_nano <= span.end_time_unix_nano:
        raise ValueError("a span that ends before it begins")
    keys = [one.key for one in span.attributes]
    if len(set(keys)) < len(keys) or not all(keys):
        raise ValueError("attributes that are given twice, or without a key")
    return Collected(
        span.name,
        about["service.name"],
        about,
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        span.kind,
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        {one.key: _plain(one.value) for one in span.attributes},
        span.status.code == 2,
        span.status.message,
        span.trace_state,
    )


def _plain(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind is None:
        raise ValueError("an attribute without a value")
    return [_plain(one) for one in value.array_value.values] if kind == "array_value" else getattr(value, kind)


@contextmanager
def collector(port: int = 0) -> Iterator[Collector]:
    """Run one, in threads of its own."""
    found = Collector()
    found.held.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.asked += 1
            found.held.wait()
            status = found.status
            if status == 200:
                try:
                    found.take(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
                except ValueError as error:
                    found.refused.append(str(error))
                    status = 400
            answer = ExportTraceServiceResponse().SerializeToString() if status == 200 else b""
            self.send_response(status)
            self.send_header("Content-Type", TYPE)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    found.port = server.server_port
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield found
    finally:
        found.held.set()
        server.shutdown()
        server.server_close()
