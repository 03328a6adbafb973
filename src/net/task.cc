#include "net/task.h"

#include <array>
#include <new>

#include "base/log.h"

namespace gw::net {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)

void* FramePool::Allocate(size_t bytes) { return ::operator new(bytes); }
void FramePool::Free(void* frame, size_t bytes) noexcept { ::operator delete(frame, bytes); }

#else

namespace {

constexpr size_t kClassBytes = 128;
constexpr size_t kClasses = 64;        // frames up to 8 KiB are recycled
constexpr size_t kKeptPerClass = 256;

struct FreeFrame {
  FreeFrame* next;
};

struct FreeLists {
  std::array<FreeFrame*, kClasses> head{};
  std::array<size_t, kClasses> count{};
  bool is_swept = false;  // somebody empties it when the thread ends
};
// Nothing to construct or destroy, so that an access is an address and not a question.
constinit thread_local FreeLists t_free;

struct Sweeper {
  ~Sweeper() {
    for (FreeFrame*& head : t_free.head) {
      while (head != nullptr) ::operator delete(std::exchange(head, head->next));
    }
    t_free.count.fill(kKeptPerClass);  // what ends later goes to the heap
  }
};

void SweepAtThreadEnd() {
  thread_local Sweeper sweeper;
  (void)sweeper;
  t_free.is_swept = true;
}

}  // namespace

void* FramePool::Allocate(size_t bytes) {
  const size_t cls = (bytes - 1) / kClassBytes;
  if (cls < kClasses && t_free.head[cls] != nullptr) {
    FreeFrame* frame = t_free.head[cls];
    t_free.head[cls] = frame->next;
    --t_free.count[cls];
    return frame;
  }
  return ::operator new(cls < kClasses ? (cls + 1) * kClassBytes : bytes);
}

void FramePool::Free(void* frame, size_t bytes) noexcept {
  const size_t cls = (bytes - 1) / kClassBytes;
  if (cls >= kClasses || t_free.count[cls] >= kKeptPerClass) {
    ::operator delete(frame);
    return;
  }
  if (!t_free.is_swept) [[unlikely]] SweepAtThreadEnd();
  t_free.head[cls] = new (frame) FreeFrame{t_free.head[cls]};
  ++t_free.count[cls];
}

#endif

namespace {

struct Detached {
  struct promise_type {
    static void* operator new(size_t bytes) { return FramePool::Allocate(bytes); }
    static void operator delete(void* frame, size_t bytes) noexcept { FramePool::Free(frame, bytes); }
    Detached get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() noexcept;
  };
};

// The frame is gone after this; nobody waits for it.
void Detached::promise_type::unhandled_exception() noexcept {
  try {
    log::Error("a background task ended by an exception", {{"what", WhatOf(std::current_exception())}});
  } catch (...) {
    return;  // no memory to say so
  }
}

Detached RunDetached(Task<void> task) { co_await task; }

}  // namespace

std::string WhatOf(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& error) {
    return error.what();
  } catch (...) {
    return "not a std::exception";
  }
}

void Spawn(Task<void> task) { RunDetached(std::move(task)); }

}  // namespace gw::net
