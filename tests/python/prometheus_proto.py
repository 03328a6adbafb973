"""How is a protobuf exposition read? Classes made from the fields of Prometheus' metrics.proto."""
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2

F = descriptor_pb2.FieldDescriptorProto
STRING, DOUBLE, UINT64, UINT32 = F.TYPE_STRING, F.TYPE_DOUBLE, F.TYPE_UINT64, F.TYPE_UINT32
SINT32, SINT64, INT64, MESSAGE, ENUM = F.TYPE_SINT32, F.TYPE_SINT64, F.TYPE_INT64, F.TYPE_MESSAGE, F.TYPE_ENUM

# message -> (field, number, type, repeated?)
MESSAGES = {
    "LabelPair": [("name", 1, STRING), ("value", 2, STRING)],
    "Gauge": [("value", 1, DOUBLE)],
    "Counter": [("value", 1, DOUBLE), ("exemplar", 2, "Exemplar"), ("created_timestamp", 3, "Timestamp")],
    "Quantile": [("quantile", 1, DOUBLE), ("value", 2, DOUBLE)],
    "Summary": [("sample_count", 1, UINT64), ("sample_sum", 2, DOUBLE), ("quantile", 3, ["Quantile"])],
    "Untyped": [("value", 1, DOUBLE)],
    "Histogram": [("sample_count", 1, UINT64), ("sample_sum", 2, DOUBLE), ("bucket", 3, ["Bucket"]),
                  ("sample_count_float", 4, DOUBLE), ("schema", 5, SINT32), ("zero_threshold", 6, DOUBLE),
                  ("zero_count", 7, UINT64), ("zero_count_float", 8, DOUBLE), ("negative_span", 9, ["BucketSpan"]),
                  ("negative_delta", 10, [SINT64]), ("negative_count", 11, [DOUBLE]), ("positive_span", 12, ["BucketSpan"]),
                  ("positive_delta", 13, [SINT64]), ("positive_count", 14, [DOUBLE]), ("created_timestamp", 15, "Timestamp"),
                  ("exemplars", 16, ["Exemplar"])],
    "Bucket": [("cumulative_count", 1, UINT64), ("upper_bound", 2, DOUBLE), ("exemplar", 3, "Exemplar"),
               ("cumulative_count_float", 4, DOUBLE)],
    "BucketSpan": [("offset", 1, SINT32), ("length", 2, UINT32)],
    "Exemplar": [("label", 1, ["LabelPair"]), ("value", 2, DOUBLE), ("timestamp", 3, "Timestamp")],
    "Metric": [("label", 1, ["LabelPair"]), ("gauge", 2, "Gauge"), ("counter", 3, "Counter"), ("summary", 4, "Summary"),
               ("untyped", 5, "Untyped"), ("histogram", 7, "Histogram"), ("timestamp_ms", 6, INT64)],
    "MetricFamily": [("name", 1, STRING), ("help", 2, STRING), ("type", 3, "MetricType"), ("metric", 4, ["Metric"]),
                     ("unit", 5, STRING)],
}
TYPES = ["COUNTER", "GAUGE", "SUMMARY", "UNTYPED", "HISTOGRAM", "GAUGE_HISTOGRAM"]


def _family_class():
    package = "io.prometheus.client"
    file = descriptor_pb2.FileDescriptorProto(name="metrics.proto", package=package, syntax="proto2",
                                              dependency=["google/protobuf/timestamp.proto"])
    kinds = file.enum_type.add(name="MetricType")
    for number, name in enumerate(TYPES):
        kinds.value.add(name=name, number=number)
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, number, kind in fields:
            repeated = isinstance(kind, list)
            kind = kind[0] if repeated else kind
            added = message.field.add(name=field, number=number, label=F.LABEL_REPEATED if repeated else F.LABEL_OPTIONAL)
            if not isinstance(kind, str):
                added.type = kind
                continue
            added.type = ENUM if kind == "MetricType" else MESSAGE
            added.type_name = ".google.protobuf.Timestamp" if kind == "Timestamp" else f".{package}.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(timestamp_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.MetricFamily"))


MetricFamily = _family_class()


def families(data):
    """The families of a delimited body; unknown fields or bytes left over are errors."""
    at, found = 0, {}
    while at < len(data):
        size = shift = 0
        while True:
            byte = data[at]
            at += 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        family = MetricFamily.FromString(data[at:at + size])
        assert family.IsInitialized() and family.ByteSize() > 0
        assert len(family.name) > 0 and family.name not in found, family.name
        at += size
        found[family.name] = family
    assert at == len(data)
    return found


def labels(metric):
    return {pair.name: pair.value for pair in metric.label}


def native_buckets(histogram):
    """[(index, count)] of the positive buckets."""
    index, count, out = 0, 0, []
    deltas = iter(histogram.positive_delta)
    for number, span in enumerate(histogram.positive_span):
        assert span.offset >= 0 or number == 0
        index += span.offset
        for _ in range(span.length):
            count += next(deltas)
            assert count >= 0
            out.append((index, count))
            index += 1
    assert next(deltas, None) is None
    return out
