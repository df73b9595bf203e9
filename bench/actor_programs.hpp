// The actor programs that are measured, for any CAF actor system.
#pragma once
#include <atomic>
#include <caf/all.hpp>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>

namespace troupe::bench {

/// Where a program says that it has ended. Any thread.
class finish_line {
public:
  void cross() {
    std::lock_guard guard{mutex_};
    crossed_ = true;
    changed_.notify_all();
  }
  void wait() {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [this] { return crossed_; });
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool crossed_ = false;
};

using actor_program = std::function<void(caf::actor_system&, finish_line&)>;

/// Crosses the line when it was called `count` times.
class countdown {
public:
  countdown(std::uint64_t count, finish_line& done) : state_(std::make_shared<state>(count, done)) {}
  void one_less() const {
    if (state_->left.fetch_sub(1, std::memory_order_acq_rel) == 1)
      state_->done.cross();
  }

private:
  struct state {
    state(std::uint64_t count, finish_line& line) : left(count), done(line) {}
    std::atomic<std::uint64_t> left;
    finish_line& done;
  };
  std::shared_ptr<state> state_;
};

inline caf::behavior ponger(caf::event_based_actor*) {
  return {[](int number) { return number + 1; }};
}

inline caf::behavior pinger(caf::event_based_actor* self, caf::actor other, int last, countdown left) {
  self->send(other, 0);
  return {[=](int number) {
    if (number < last) {
      self->send(other, number);
      return;
    }
    self->send_exit(other, caf::exit_reason::user_shutdown);
    self->quit();
    left.one_less();
  }};
}

/// Pairs that send a number to and fro: `messages` for each pair.
inline void ping_pong(caf::actor_system& sys, int pairs, std::uint64_t messages, finish_line& done) {
  const countdown left(static_cast<std::uint64_t>(pairs), done);
  for (int i = 0; i < pairs; ++i)
    sys.spawn(pinger, sys.spawn(ponger), static_cast<int>(messages / 2), left);
}

inline caf::behavior receiver(caf::event_based_actor* self, std::uint64_t count, countdown left) {
  return {[=, seen = std::uint64_t{0}](int) mutable {
    if (++seen == count) {
      self->quit();
      left.one_less();
    }
  }};
}

/// Actors that send `messages` each to one.
inline void fan_in(caf::actor_system& sys, int senders, std::uint64_t messages, finish_line& done) {
  const auto all = static_cast<std::uint64_t>(senders) * messages;
  auto sink = sys.spawn(receiver, all, countdown(1, done));
  for (int i = 0; i < senders; ++i)
    sys.spawn([=](caf::event_based_actor* self) {
      for (std::uint64_t number = 0; number < messages; ++number)
        self->send(sink, static_cast<int>(number));
    });
}

/// Actors that end as soon as they have begun.
inline void creation(caf::actor_system& sys, std::uint64_t actors, finish_line& done) {
  const countdown left(actors, done);
  for (std::uint64_t i = 0; i < actors; ++i)
    sys.spawn([left](caf::event_based_actor*) { left.one_less(); });
}

} // namespace troupe::bench
