// What the contracts of sessions share: a log, two actors, and a close that is waited for.
#pragma once
#include "sessions/system.hpp"
#include <caf/all.hpp>
#include <chrono>
#include <doctest/doctest.h>
#include <mutex>
#include <string>
#include <vector>

namespace troupe::test {
using namespace std::chrono_literals;

/// Lines from any thread, in order.
class shared_log {
public:
  void add(const std::string& line) {
    std::lock_guard guard{mutex_};
    lines_.push_back(line);
  }
  std::vector<std::string> lines() const {
    std::lock_guard guard{mutex_};
    return lines_;
  }

private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

/// An actor of plain CAF that never answers what it is asked.
class silent_actor final : public caf::event_based_actor {
public:
  explicit silent_actor(caf::actor_config& config) : event_based_actor(config) {}
  const char* name() const override { return "silent"; }
  caf::behavior make_behavior() override {
    return {[this](int) { promise_ = make_response_promise(); },
            [this](const std::string&) { quit(caf::sec::runtime_error); }};
  }
  void on_exit() override { promise_ = {}; } // it refers to this actor

private:
  caf::response_promise promise_;
};

/// An actor that cannot be asked to exit, only killed.
class stubborn_actor final : public caf::event_based_actor {
public:
  explicit stubborn_actor(caf::actor_config& config) : event_based_actor(config) {
    set_exit_handler([this](caf::exit_msg& exit) {
      if (exit.reason == caf::exit_reason::kill)
        quit(exit.reason);
    });
  }
  caf::behavior make_behavior() override {
    return {[](int) {}};
  }
};

template <class Backend>
cleanup_report close(Backend& backend, const session& s, std::optional<duration> budget = {}) {
  auto ended = backend.sys().block_on(s.close(budget));
  REQUIRE_MESSAGE(ended.has_value(), ended.describe());
  return *ended;
}

} // namespace troupe::test
