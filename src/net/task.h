// Task<T>: a lazy coroutine that is awaited exactly once; Spawn() starts one that nobody awaits.
//
// Ownership: a Task owns its frame; awaiting it keeps the frame in the awaiting coroutine's frame.
// A coroutine is never destroyed while it waits for I/O: cancel the I/O, it resumes and unwinds.
// Frames come from a per-thread free list, so a request allocates none in the steady state.
// Exceptions: our own code throws none, but memory can run out and code can be wrong. What escapes
// from a task is thrown again where it is awaited, so that frames unwind and give back what they
// hold; what escapes from a spawned one is logged and ends that task alone.
// House rules (g++ 12): no braced list of non-trivial temporaries in a co_await expression;
// parameters by value, or by reference to what the awaiting frame owns; no detached capturing
// lambda coroutines.
#pragma once

#include <coroutine>
#include <cstdlib>
#include <exception>
#include <optional>
#include <string>
#include <utility>

namespace gw::net {

// Size-class free list of coroutine frames. Sanitizer builds use the plain heap, so that a frame
// used after its end is seen.
class FramePool {
 public:
  static void* Allocate(size_t bytes);
  static void Free(void* frame, size_t bytes) noexcept;
};

struct PromiseBase {
  std::coroutine_handle<> continuation;
  std::exception_ptr failure;

  static void* operator new(size_t bytes) { return FramePool::Allocate(bytes); }
  static void operator delete(void* frame, size_t bytes) noexcept { FramePool::Free(frame, bytes); }

  std::suspend_always initial_suspend() noexcept { return {}; }
  struct FinalAwaiter {
    bool await_ready() noexcept { return false; }
    template <typename P>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<P> h) noexcept {
      return h.promise().continuation;
    }
    void await_resume() noexcept {}
  };
  FinalAwaiter final_suspend() noexcept { return {}; }
  void unhandled_exception() noexcept { failure = std::current_exception(); }
  void RethrowFailure() {
    if (failure) [[unlikely]] std::rethrow_exception(std::exchange(failure, nullptr));
  }
};

template <typename T>
class [[nodiscard]] Task {
 public:
  struct promise_type : PromiseBase {
    std::optional<T> value;
    Task get_return_object() {
      return Task(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    void return_value(T v) { value.emplace(std::move(v)); }
  };

  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task& operator=(Task&&) = delete;
  ~Task() {
    if (handle_) handle_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) noexcept {
    handle_.promise().continuation = caller;
    return handle_;
  }
  T await_resume() {
    handle_.promise().RethrowFailure();
    return std::move(*handle_.promise().value);
  }

 private:
  explicit Task(std::coroutine_handle<promise_type> h) : handle_(h) {}
  std::coroutine_handle<promise_type> handle_;
};

template <>
class [[nodiscard]] Task<void> {
 public:
  struct promise_type : PromiseBase {
    Task get_return_object() {
      return Task(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    void return_void() {}
  };

  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task& operator=(Task&&) = delete;
  ~Task() {
    if (handle_) handle_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) noexcept {
    handle_.promise().continuation = caller;
    return handle_;
  }
  void await_resume() { handle_.promise().RethrowFailure(); }

 private:
  explicit Task(std::coroutine_handle<promise_type> h) : handle_(h) {}
  std::coroutine_handle<promise_type> handle_;
};

// Runs `task` now, up to its first wait; the frame frees itself at the end.
void Spawn(Task<void> task);

// What an exception says of itself.
[[nodiscard]] std::string WhatOf(const std::exception_ptr& failure);

}  // namespace gw::net
