#include "telemetry/line_writer.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>

#include "base/log.h"

namespace gw::telemetry {

namespace {

// Lines that a reader has not taken; beyond it new ones are dropped and counted.
constexpr size_t kUnwrittenBytesMax = size_t{8} << 20;
// A pipe takes so much whole or not at all: other writers of the same pipe do not cut our lines.
constexpr size_t kPieceBytes = 4096;
constexpr Duration kFullPause = std::chrono::milliseconds(1);
constexpr Duration kRotationLook = std::chrono::seconds(1);
constexpr Duration kComplaintInterval = std::chrono::seconds(60);

// The telemetry thread's own; one entry per target in use.
std::map<std::string, std::weak_ptr<LineWriter>>& Writers() {
  thread_local std::map<std::string, std::weak_ptr<LineWriter>> writers;
  return writers;
}

// A descriptor of our own that never blocks; others that share standard output keep theirs as it is.
int OpenTarget(const std::string& file, bool* is_socket) {
  *is_socket = false;
  if (!file.empty()) return open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0640);
  struct stat info {};
  if (fstat(STDOUT_FILENO, &info) != 0) return -1;
  if (S_ISSOCK(info.st_mode)) {
    *is_socket = true;
    return fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
  }
  return open("/proc/self/fd/1", O_WRONLY | O_APPEND | O_CLOEXEC | O_NONBLOCK);
}

// Up to kPieceBytes of whole lines; a longer line alone.
size_t PieceOf(std::string_view text) {
  if (text.size() <= kPieceBytes) return text.size();
  const size_t end = text.substr(0, kPieceBytes).rfind('\n');
  return end == std::string_view::npos ? std::min(text.find('\n') + 1, text.size()) : end + 1;
}

}  // namespace

std::shared_ptr<LineWriter> LineWriter::Of(const DeliveryContext& context, std::string_view sink,
                                           const std::string& file) {
  std::weak_ptr<LineWriter>& known = Writers()[file];
  std::shared_ptr<LineWriter> writer = known.lock();
  if (writer == nullptr) {
    writer = std::make_shared<LineWriter>(Private{}, context, sink, file);
    writer->self_ = writer;
    known = writer;
  }
  return writer;
}

LineWriter::LineWriter(Private, const DeliveryContext& context, std::string_view sink, std::string file)
    : context_(context), sink_(sink), file_(std::move(file)) {
  Open();
}

LineWriter::~LineWriter() { Close(); }

void LineWriter::Open() {
  fd_ = OpenTarget(file_, &is_socket_);
  if (fd_ >= 0) return;
  const int why = errno;
  const TimePoint now = SteadyClock::now();
  if (complained_ != TimePoint{} && now - complained_ < kComplaintInterval) return;
  complained_ = now;
  log::Error("the access log cannot be opened", {{"file", file_}, {"why", std::strerror(why)}});
}

void LineWriter::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

void LineWriter::Add(std::string_view line) {
  if (fd_ < 0) {
    context_.observer.OnRecords(sink_, "dropped_error", 1);
    return;
  }
  if (text_.size() + line.size() > kUnwrittenBytesMax) {
    context_.observer.OnRecords(sink_, "dropped_queue", 1);
    return;
  }
  // What was given up in the middle of a line must not run into the next one.
  if (text_.empty() && is_torn_) text_ += '\n';
  text_ += line;
  if (!is_pumping_) net::Spawn(Pump(self_.lock()));
}

// logrotate renames the file: the lines that follow belong into a new one.
void LineWriter::Look(TimePoint now) {
  if (file_.empty() || now - looked_ < kRotationLook) return;
  looked_ = now;
  struct stat ours {}, named {};
  const bool is_same = fd_ >= 0 && fstat(fd_, &ours) == 0 && stat(file_.c_str(), &named) == 0 &&
                       ours.st_ino == named.st_ino && ours.st_dev == named.st_dev;
  if (is_same) return;
  if (fd_ >= 0) WriteSome();  // lines of before belong into the old file; a file takes them at once
  const bool is_line_begun = !text_.empty() && is_torn_;
  if (is_line_begun) return;
  Close();
  Open();
}

void LineWriter::WriteSome() {
  size_t written = 0;
  while (written < text_.size()) {
    const std::string_view left = std::string_view(text_).substr(written);
    const size_t size = PieceOf(left);
    const ssize_t done = is_socket_ ? send(fd_, left.data(), size, MSG_DONTWAIT | MSG_NOSIGNAL)
                                    : write(fd_, left.data(), size);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0 && errno != EAGAIN) {
      text_.erase(0, written);
      GiveUp("dropped_error");  // nobody reads any more, or the disk is full
      return;
    }
    if (done <= 0) break;
    const auto end = left.begin() + done;
    context_.observer.OnRecords(sink_, "delivered", static_cast<uint64_t>(std::count(left.begin(), end, '\n')));
    written += static_cast<size_t>(done);
    is_torn_ = left[static_cast<size_t>(done) - 1] != '\n';
  }
  text_.erase(0, written);
}

void LineWriter::GiveUp(std::string_view outcome) {
  const auto lines = static_cast<uint64_t>(std::count(text_.begin(), text_.end(), '\n'));
  if (lines > 0) context_.observer.OnRecords(sink_, outcome, lines);
  text_.clear();
}

// Runs while something waits. A full pipe is tried again soon: its reader may be fast.
net::Task<void> LineWriter::Pump(std::shared_ptr<LineWriter> self) {
  self->is_pumping_ = true;
  (void)co_await net::Sleep(self->context_.loop, kFullPause, nullptr);  // gathers what the tick brings
  while (!self->text_.empty()) {
    self->WriteSome();
    if (self->text_.empty()) break;
    (void)co_await net::Sleep(self->context_.loop, kFullPause, nullptr);
  }
  self->is_pumping_ = false;
}

net::Task<void> LineWriter::Drain(TimePoint deadline) {
  while (!text_.empty() && SteadyClock::now() < deadline) {
    (void)co_await net::Sleep(context_.loop, kFullPause, nullptr);
  }
  if (self_.use_count() <= 2) GiveUp("dropped_queue");  // its sink and its pump: nobody goes on with it
  while (is_pumping_ && text_.empty()) {
    (void)co_await net::Sleep(context_.loop, kFullPause, nullptr);
  }
}

}  // namespace gw::telemetry
