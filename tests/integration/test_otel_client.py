"""Do the official SDK and the official conventions agree with us? A client and an upstream that are traced by
opentelemetry-sdk with the gateway between them; names, values and types as opentelemetry-semantic-conventions has them."""
import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest
import requests
from opentelemetry import baggage, trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased
from opentelemetry.semconv import _incubating, attributes as stable
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes as gen_ai
from opentelemetry.semconv._incubating.metrics import gen_ai_metrics
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from gateway import PATIENCE, ROOT, row
from otlp_receiver import Collector, attributes
from rawhttp import Raw, chat_body, request

SERVER, CLIENT = 2, 3
WAIT = 10 * PATIENCE
PROPAGATOR = CompositePropagator([TraceContextTextMapPropagator(), W3CBaggagePropagator()])


class Traced:
    """A process that is instrumented with the SDK."""

    def __init__(self, name):
        self.exporter = InMemorySpanExporter()
        provider = TracerProvider(sampler=ParentBased(ALWAYS_ON), shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracer = provider.get_tracer(name)

    def spans(self):
        return self.exporter.get_finished_spans()


@pytest.fixture
def collector():
    with Collector() as receiver:
        yield receiver


@pytest.fixture
def start(gateway_factory, upstream, collector):
    def make(rows, env=None, **litellm):
        return gateway_factory(
            {"model_list": [row(name, model, upstream.v1, info={"id": f"id-{name}"}) for name, model in rows.items()],
             "litellm_settings": {"callbacks": ["prometheus", "otel"], "forward_traceparent_to_llm_provider": True, **litellm},
             "router_settings": {"num_retries": 0, "disable_cooldowns": True}},
            env={"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "50",
                 "OTEL_BLRP_SCHEDULE_DELAY": "50", **(env or {})})

    return make


def ask(gateway, client, parent, stream):
    """One request inside a client span whose context the propagator writes; what the SDK knows of the span."""
    with client.tracer.start_as_current_span("ask", context=parent, kind=trace.SpanKind.CLIENT) as span:
        headers = {}
        PROPAGATOR.inject(headers, context=baggage.set_baggage("tenant", "blue"))
        answer = gateway.chat("ok", headers=headers, stream=stream)
        assert answer.status_code == 200 and (not stream or "[DONE]" in answer.text)
        return span.get_span_context(), headers


def extracted(call, server):
    """What the instrumented upstream makes of the request that came: its span's context and its parent's."""
    context = PROPAGATOR.extract(call.headers, context=Context())
    with server.tracer.start_as_current_span("generate", context=context, kind=trace.SpanKind.SERVER) as span:
        return span.get_span_context(), trace.get_current_span(context).get_span_context(), context


# ------------------------------------------------------------------ one trace from client to upstream
@pytest.mark.parametrize("stream", [False, True])
def test_client_gateway_and_upstream_share_a_trace(start, collector, upstream, stream):
    gateway = start({"ok": "openai/ok"})
    client, engine = Traced("client"), Traced("engine")
    sent, headers = ask(gateway, client, Context(), stream)
    assert headers.keys() == {"traceparent", "baggage"}
    spans = collector.wait_spans(2, WAIT)
    (server,) = [s for s in spans if s.kind == SERVER]
    (attempt,) = [s for s in spans if s.kind == CLIENT]
    own, parent, context = extracted(upstream.calls[-1], engine)
    ids = {sent.trace_id, int.from_bytes(server.trace_id, "big"), int.from_bytes(attempt.trace_id, "big"), own.trace_id}
    assert ids == {sent.trace_id}
    assert server.parent_span_id == sent.span_id.to_bytes(8, "big") and attempt.parent_span_id == server.span_id
    assert parent.span_id.to_bytes(8, "big") == attempt.span_id and parent.is_remote and parent.trace_flags.sampled
    assert parent.trace_flags == sent.trace_flags == server.flags & 0xFF, "also that its id is random"
    (ask_span,), (generate,) = client.spans(), engine.spans()
    assert generate.parent.span_id == int.from_bytes(attempt.span_id, "big") and generate.context.span_id == own.span_id
    assert ask_span.start_time <= server.start_time_unix_nano < server.end_time_unix_nano
    assert not baggage.get_all(context), "what a client says of itself is not for providers"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("sampled", [True, False])
def test_the_decision_and_the_state_of_a_trace_go_through(start, collector, upstream, sampled, stream):
    gateway = start({"ok": "openai/ok"})
    client, engine = Traced("client"), Traced("engine")
    state = {"vendor": "a:1;b", "tenant@system": "x/y"}
    flags = trace.TraceFlags(trace.TraceFlags.SAMPLED if sampled else trace.TraceFlags.DEFAULT)
    before = trace.SpanContext(0xABCDEF << 64 | 7, 0xFEED, is_remote=True, trace_flags=flags,
                               trace_state=trace.TraceState(list(state.items())))
    sent, _ = ask(gateway, client, trace.set_span_in_context(trace.NonRecordingSpan(before), Context()), stream)
    own, parent, _ = extracted(upstream.calls[-1], engine)
    assert sent.trace_id == parent.trace_id == own.trace_id == before.trace_id
    assert parent.trace_flags.sampled == own.trace_flags.sampled == sampled
    assert dict(parent.trace_state) == dict(own.trace_state) == state
    assert list(parent.trace_state) == list(state), "in its order"
    assert len({before.span_id, sent.span_id, parent.span_id, own.span_id}) == 4
    assert len(client.spans()) == len(engine.spans()) == sampled
    assert gateway.terminate() == 0  # flushes
    spans = collector.spans()
    assert len(spans) == 2 * sampled
    for span in spans:
        assert span.trace_state == "vendor=a:1;b,tenant@system=x/y"
    if sampled:
        assert parent.span_id.to_bytes(8, "big") in [s.span_id for s in spans if s.kind == CLIENT]


# Only the first line was passed on.
@pytest.mark.parametrize("traces", [True, False])
def test_several_lines_of_tracestate_are_one_list(start, collector, upstream, traces):
    gateway = start({"ok": "openai/ok"}, {} if traces else {"OTEL_TRACES_EXPORTER": "none"})
    lines = [("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), ("tracestate", "a=1, b=2"),
             ("TraceState", "c=3"), ("tracestate", ""), ("tracestate", "d=" + "x" * 250), ("tracestate", "e=" + "y" * 250)]
    with Raw(gateway.port) as raw:
        assert raw.send(request(gateway.key, chat_body("ok"), headers=lines)).answer().status == 200
    state = extracted(upstream.calls[-1], Traced("engine"))[1].trace_state
    assert [*state.items()][:4] == [("a", "1"), ("b", "2"), ("c", "3"), ("d", "x" * 250)]
    assert ("e" in state) == (not traces), "ours holds 512 bytes; without one it goes on as it came"
    if traces:
        assert {s.trace_state for s in collector.wait_spans(2, WAIT)} == {"a=1,b=2,c=3,d=" + "x" * 250}


# ------------------------------------------------------------------ names
# LiteLLM's own, and the conventions' older name of a provider, for backends that read these.
OF_LITELLM = {"gen_ai.usage.total_tokens", "error.message"}
OLDER = {"gen_ai.system"}
DOUBLES = {"gen_ai.request.temperature", "gen_ai.request.top_p", "gen_ai.request.top_k", "gen_ai.request.frequency_penalty",
           "gen_ai.request.presence_penalty", "gen_ai.response.time_to_first_chunk"}
TEXT_LISTS = {"gen_ai.request.stop_sequences", "gen_ai.response.finish_reasons"}
INTEGERS = re.compile(r"gen_ai\.(usage\..*|request\.(max_tokens|seed|choice\.count))|.*\.port|.*status_code")


def names_of(module):
    """The names a module of the conventions has; those that it says are replaced or gone are not among them."""
    text = inspect.getsource(module)
    constants = re.findall(r'^\w+: Final = "([^"]+)"\n(?:"""\n(.*?)""")?', text, re.M | re.S)
    assert constants, module.__name__
    return {name for name, says in constants if not re.match(r"Deprecated: (?!Moved to)", says)}


def official():
    folders = [stable, importlib.import_module(_incubating.__name__ + ".attributes")]
    return set.union(*(names_of(importlib.import_module(f"{folder.__name__}.{found.name}"))
                       for folder in folders for found in pkgutil.iter_modules(folder.__path__)))


def in_the_source():
    files = [p for p in (Path(ROOT) / "src").rglob("*.cc") if not p.name.endswith("_test.cc")]
    return {name for file in files for name in re.findall(r'"(gen_ai\.[a-z_.]+)"', file.read_text())}


def instruments():
    """name -> unit, of the metrics of the conventions."""
    class Meter:
        create_histogram = staticmethod(lambda name, description, unit: (name, unit))

    return dict(make(Meter) for name, make in vars(gen_ai_metrics).items() if name.startswith("create_"))


def test_no_name_in_the_source_is_unknown():
    known = names_of(gen_ai) | set(instruments())
    assert "gen_ai.prompt" not in known and "gen_ai.request.model" in known, "what is replaced does not count"
    assert in_the_source() - known == {"gen_ai.usage.total_tokens"} | OLDER


def values(enum):
    return {member.value for member in enum}


def test_what_is_exported_follows_the_conventions(start, collector, upstream):
    rows = {"ok": "openai/ok", "all": "openai/detailed", "flow": "openai/stream-5-20", "bad": "openai/status-500",
            "claude": "anthropic/ok"}
    providers = {"mistral": "mistral_ai", "xai": "x_ai", "groq": "groq", "deepseek": "deepseek",
                 "perplexity": "perplexity"}
    rows |= {name: f"{name}/ok" for name in providers}
    gateway = start(rows, {"OTEL_LOGS_EXPORTER": "otlp", "LITELLM_OTEL_INTEGRATION_ENABLE_METRICS": "true",
                           "OTEL_METRIC_EXPORT_INTERVAL": "100",
                           "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_AND_EVENT"})
    gateway.chat("all", temperature=1, top_p=1, top_k=5, frequency_penalty=0, presence_penalty=0, max_tokens=9, seed=1, n=2,
                 stop=["x"])
    gateway.chat("flow", stream=True, stream_options={"include_usage": True})
    gateway.chat("bad")
    gateway.post("/v1/completions", {"model": "ok", "prompt": "hi"})
    gateway.post("/v1/embeddings", {"model": "ok", "input": "hi"})
    gateway.post("/v1/audio/speech", {"model": "ok", "voice": "alloy", "input": "hi"})
    requests.post(gateway.url + "/v1/audio/transcriptions", data={"model": "ok"}, files={"file": ("a.wav", b"RIFF")},
                  headers={"Authorization": f"Bearer {gateway.key}"}, timeout=30)
    gateway.post("/v1/messages", {"model": "claude", "max_tokens": 5, "system": "be kind",
                                  "messages": [{"role": "user", "content": "hi"}]})
    for name in providers:
        gateway.chat(name)
    asked = 8 + len(providers)
    have = [attributes(one) for one in collector.wait_spans(2 * asked, WAIT)]
    have += [attributes(one) for one in collector.wait_logs(asked, WAIT)]
    metrics = {}

    def of_conventions(receiver):
        metrics.clear()
        for export in receiver.of("/v1/metrics"):
            for metric in (m for r in export.message.resource_metrics for s in r.scope_metrics for m in s.metrics):
                if metric.name.startswith("gen_ai."):
                    metrics[metric.name] = metric
        durations = metrics.get("gen_ai.client.operation.duration")
        return durations and sum(p.count for p in durations.histogram.data_points) == asked

    assert collector.wait_for(of_conventions, WAIT)
    assert {name: m.unit for name, m in metrics.items()}.items() <= instruments().items() and len(metrics) == 4
    have += [attributes(point) for metric in metrics.values() for point in metric.histogram.data_points]
    resource = attributes(collector.of("/v1/traces")[0].message.resource_spans[0].resource)

    seen = {name for one in have for name in one}
    foreign = {name for name in seen | set(resource) if not name.startswith("litellm.")} - official()
    assert foreign == OF_LITELLM | OLDER
    assert seen >= in_the_source() - set(instruments()), "a name that this test does not provoke"
    for one in have:
        for name, value in one.items():
            kind = float if name in DOUBLES else list if name in TEXT_LISTS else int if INTEGERS.fullmatch(name) else None
            assert kind is None or type(value) is kind, (name, value)
    told = {name: {one[name] for one in have if name in one} for name in seen if name not in TEXT_LISTS}
    assert told["gen_ai.operation.name"] <= values(gen_ai.GenAiOperationNameValues)
    assert told["gen_ai.output.type"] <= values(gen_ai.GenAiOutputTypeValues)
    assert told["gen_ai.token.type"] == values(gen_ai.GenAiTokenTypeValues)
    assert told["gen_ai.provider.name"] == {"openai", "anthropic", *providers.values()}
    assert told["gen_ai.provider.name"] <= values(gen_ai.GenAiProviderNameValues)
