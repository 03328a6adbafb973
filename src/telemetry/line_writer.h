// Lines to a file, a pipe or a terminal, without ever waiting for whoever reads them.
//
// One writer per target and process: after a reload the new sink goes on with the old one's, so that
// lines never mix. Thread rule: the telemetry thread only.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "telemetry/delivery.h"

namespace gw::telemetry {

class LineWriter {
  struct Private {};  // only Of() makes one

 public:
  LineWriter(Private, const DeliveryContext& context, std::string_view sink, std::string file);
  // The writer of `file` (empty: standard output), a new one if nobody holds it. `sink`: for counts.
  [[nodiscard]] static std::shared_ptr<LineWriter> Of(const DeliveryContext& context, std::string_view sink,
                                                      const std::string& file);
  ~LineWriter();
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;

  // `line` with its newline. Dropped and counted when too much waits.
  void Add(std::string_view line);
  // Opens a file that was renamed, or that could not be opened, anew.
  void Look(TimePoint now);
  // Until all is written, the reader is gone, or the deadline has passed.
  [[nodiscard]] net::Task<void> Drain(TimePoint deadline);

 private:
  static net::Task<void> Pump(std::shared_ptr<LineWriter> self);
  void Open();
  void Close();
  void WriteSome();
  void GiveUp(std::string_view outcome);

  const DeliveryContext context_;
  const std::string sink_, file_;
  std::weak_ptr<LineWriter> self_;
  int fd_ = -1;
  bool is_socket_ = false;
  std::string text_;  // not written yet; whole lines but for what a partial write left
  bool is_torn_ = false;  // the last byte that was written ends no line
  bool is_pumping_ = false;
  TimePoint looked_{}, complained_{};
};

}  // namespace gw::telemetry
