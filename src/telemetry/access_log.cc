// One JSON line per request, to standard output or a file.
#include "telemetry/access_line.h"
#include "telemetry/line_writer.h"
#include "telemetry/sinks.h"

namespace gw::telemetry {

namespace {

class AccessLog final : public Sink {
 public:
  AccessLog(const SinkContext& context, const std::string& file)
      : writer_(LineWriter::Of(context.delivery, name(), file)) {}

  [[nodiscard]] std::string_view name() const override { return "access_log"; }
  void OnRecord(const RequestRecord& record) override {
    line_.clear();
    AppendAccessLine(record, line_);
    writer_->Add(line_);
  }
  void OnTick(TimePoint now) override { writer_->Look(now); }
  net::Task<void> Flush(TimePoint deadline) override { return writer_->Drain(deadline); }

 private:
  const std::shared_ptr<LineWriter> writer_;
  std::string line_;  // reused
};

}  // namespace

void AddAccessLog(const SinkContext& context, SinkList& sinks) {
  const config::AccessLogSettings& settings = context.snapshot->telemetry.access_log;
  if (settings.on) sinks.push_back(std::make_unique<AccessLog>(context, settings.file));
}

}  // namespace gw::telemetry
