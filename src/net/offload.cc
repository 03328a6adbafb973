#include "net/offload.h"

#include <sys/resource.h>
#include <unistd.h>

namespace gw::net {

void RunBehindLoops() {
  constexpr int kNice = 5;  // a third of a loop's weight: behind, not starved
  // A kernel that refuses leaves the priority as it was; nothing depends on it.
  (void)setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNice);
}

OffloadThread::OffloadThread() : thread_([this] { Run(); }) {}

OffloadThread::~OffloadThread() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void OffloadThread::Submit(std::function<void()> work) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    queue_.push_back(std::move(work));
  }
  wake_.notify_one();
}

void OffloadThread::Run() {
  RunBehindLoops();
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    auto work = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    work();
    lock.lock();
  }
}

}  // namespace gw::net
