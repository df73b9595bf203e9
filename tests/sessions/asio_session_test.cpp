// Sessions on the Asio dispatcher keep the contract, and what only threads can show.
#include "tests/contracts/ownership_contract.hpp"
#include "tests/contracts/session_contract.hpp"
#include "tests/contracts/supervision_contract.hpp"
#include "tests/sessions/asio_sessions.hpp"
#include <thread>

namespace troupe::test {

TROUPE_SESSION_CONTRACT(asio_sessions);
TROUPE_OWNERSHIP_CONTRACT(asio_sessions);
TROUPE_SUPERVISION_CONTRACT(asio_sessions);

namespace {
/// Keeps a thread until it is opened.
class gate {
public:
  void open() { open_ = true; }
  void pass() {
    waiting_ = true;
    while (!open_)
      std::this_thread::sleep_for(100us);
    gone_ = true;
  }
  void await_waiting() const {
    while (!waiting_)
      std::this_thread::sleep_for(100us);
  }
  bool is_gone() const { return gone_; }

private:
  std::atomic<bool> open_ = false, waiting_ = false, gone_ = false;
};
} // namespace

TEST_CASE("code that never returns is abandoned when the budget is spent; what it may use outlives it") {
  gate gate;
  shared_log log;
  asio_sessions backend; // its threads use the above until it is gone
  auto s = backend.sys().open_session({.name = "stuck"});
  REQUIRE(!s.acquire("file", {}, [&] { log.add(gate.is_gone() ? "closed" : "closed too early"); }));
  auto task = s.spawn([&] { gate.pass(); }, {.name = "endless"});
  gate.await_waiting();
  auto report = close(backend, s, 20ms);
  CHECK(report.outcome == close_outcome::dirty);
  REQUIRE(report.survivors.size() == 2);
  CHECK(report.survivors[0].name == "endless");
  CHECK(report.survivors[0].verdict == survivor_verdict::running);
  CHECK(report.survivors[0].spawned_at.find("asio_session_test.cpp:") == 0);
  CHECK(report.survivors[1].name == "file");
  CHECK(report.survivors[1].kept_alive_by == "task " + to_string(task.id()) + ", abandoned while it ran");
  CHECK(task.error() == errc::task_abandoned);
  CHECK(s.validate_cleanup() == errc::not_clean);
  CHECK(log.lines().empty());
  gate.open();
  auto root = backend.sys().shutdown(10s);
  CHECK(root.outcome == close_outcome::dirty);
  REQUIRE(root.children.size() == 1);
  CHECK(root.children[0].survivors.size() == 2);
  CHECK(log.lines() == std::vector<std::string>{"closed"});
  CHECK(s.report().counters.stale == 1);
}

TEST_CASE("a closer that never returns is given up on, and named") {
  gate gate;
  asio_sessions backend; // its threads use the above until it is gone
  auto s = backend.sys().open_session();
  REQUIRE(!s.acquire("file", {}, [&] { gate.pass(); }));
  auto report = close(backend, s, 20ms);
  REQUIRE(report.survivors.size() == 1);
  CHECK(report.survivors[0].kind == survivor_kind::resource);
  CHECK(report.survivors[0].kept_alive_by == "its closer, which has not returned");
  gate.open();
}

TEST_CASE("a system whose threads are all stuck is still shut down within its budget, with a report") {
  gate gate, other;
  asio_sessions backend; // its threads use the above until it is gone
  auto s = backend.sys().open_session();
  auto first = s.spawn([&] { gate.pass(); }), second = s.spawn([&] { other.pass(); });
  gate.await_waiting();
  other.await_waiting();
  auto waits = s.spawn([] {}, {.name = "never gets its turn"});
  auto started = std::chrono::steady_clock::now();
  auto report = backend.sys().shutdown(100ms);
  CHECK(std::chrono::steady_clock::now() - started < 10s);
  CHECK(report.outcome == close_outcome::dirty);
  REQUIRE(report.children.size() == 1);
  CHECK(report.children[0].survivors.size() == 2);
  CHECK(waits.peek().is_cancelled());
  gate.open();
  other.open();
}

TEST_CASE("a handle may outlive its system") {
  session kept, refused;
  {
    asio_sessions backend;
    kept = backend.sys().open_session({.name = "kept"});
    REQUIRE(!kept.own(backend.sys().caf().spawn<stubborn_actor>(), "stubborn"));
    REQUIRE(!kept.supervise({"poller", restart::permanent, []() -> async<void> { co_await sleep_for(1h); }}));
    static_cast<void>(backend.sys().shutdown(20ms));
    refused = kept.open_session();
  }
  CHECK(kept.state() == session_state::closed);
  CHECK(kept.path().find("'kept'") != std::string::npos);
  CHECK(refused.error() == errc::session_closed);
}

TEST_CASE("two systems live side by side") {
  asio_sessions one, other;
  auto a = one.sys().open_session(), b = other.sys().open_session();
  CHECK(a.id() == b.id());
  CHECK(*one.sys().block_on(a.spawn([] { return 1; })) == 1);
  CHECK(*other.sys().block_on(b.spawn([] { return 2; })) == 2);
  CHECK(one.sys().shutdown().is_clean());
  CHECK(b.is_open());
}

TEST_CASE("sessions are opened, used and closed from many threads at once") {
  asio_sessions backend;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        auto s = backend.sys().open_session({.deadline = i % 3 ? std::optional<duration>{} : 1ms});
        auto below = s.open_session();
        for (int j = 0; j < 4; ++j) {
          s.spawn([]() -> async<void> { co_await sleep_for(100us); }).detach();
          auto dropped = below.spawn([]() -> async<void> { co_await yield(); });
        }
        auto moved = below.spawn([]() -> async<void> { co_await sleep_for(200us); });
        static_cast<void>(below.detach(std::move(moved)));
        if (moved.valid())
          moved.detach();
        i % 2 ? s.start_close() : s.cancel();
      }
    });
  for (auto& thread : threads)
    thread.join();
  auto report = backend.sys().shutdown(30s);
  CHECK(report.is_clean());
  CHECK(report.children_closed == 200);
  CHECK(report.children_dirty + report.children_failed == 0);
}

TEST_CASE("who sees that a session has closed sees that its tasks have settled") {
  gate gate;
  troupe::system sys{{.background_threads = 2, .log = [&](auto&) { gate.pass(); }}};
  auto s = sys.open_session({.on_failure = failure_policy::log});
  // Whoever settles it is held up when it has just left its session's books.
  auto task = s.spawn([] { throw std::runtime_error{"no answer"}; });
  gate.await_waiting();
  auto report = sys.block_on(s.close());
  REQUIRE(report);
  CHECK(report->counters.failed == 1);
  CHECK(task.is_ready());
  CHECK(task.state() == task_state::done_error);
  gate.open();
}

TEST_CASE("the end of a session can be awaited at any moment of its end, and of its parent's") {
  asio_sessions backend;
  std::atomic<int> unanswered = 0;
  std::uint64_t rejected = 0;
  for (int i = 0; i < 60; ++i) {
    auto above = backend.sys().open_session();
    auto below = above.open_session();
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t)
      threads.emplace_back([&] {
        for (bool last = false; !last;) {
          last = above.state() == session_state::closed;
          auto ended = below.closed();
          unanswered += ended.is_ready() && !ended.peek().has_value();
          ended.detach();
        }
      });
    above.start_close();
    for (auto& thread : threads)
      thread.join();
    rejected += above.report().counters.rejected + below.report().counters.rejected;
  }
  CHECK(unanswered == 0);
  CHECK(rejected == 0);
}

} // namespace troupe::test
