// Input from outside of a run: read from its source once, on the tape from then on.
#include "sim/determinism.hpp"
#include "sim/fuzz_input.hpp"
#include "sim/random_strategy.hpp"
#include "sim/shrink.hpp"
#include "sim/simulator.hpp"
#include "sim/tape_strategy.hpp"
#include "tests/support/threads.hpp"
#include <caf/all.hpp>
#include <doctest/doctest.h>
#include <set>
#include <thread>

using namespace troupe;

namespace {

/// An actor that keeps the packets that it gets, and is asked for a summary by another.
struct gateway {
  std::string seen;
  void listen(simulator& sim, input_source read) {
    auto receiver = sim.caf().spawn([this](caf::event_based_actor*) -> caf::behavior {
      return {[this](const std::string& packet) { seen += packet + ";"; }, [this](caf::flush_atom) { seen += "|"; }};
    });
    sim.outside("packet", std::move(read), [receiver](const std::string& packet) { caf::anon_send(receiver, packet); });
    sim.caf().spawn([receiver](caf::event_based_actor* self) { self->send(receiver, caf::flush_atom{}); });
    sim.run_until_idle();
  }
};

/// Gives these, one by one.
input_source list_of(std::vector<std::string> pieces) {
  return [pieces = std::move(pieces), next = std::size_t{0}]() mutable -> std::optional<std::string> {
    return next < pieces.size() ? std::optional(pieces[next++]) : std::nullopt;
  };
}

} // namespace

TEST_CASE("what threads have fed to a recorded run comes from its tape when it is replayed, without them" *
          doctest::skip(!troupe::testing::has_threads)) {
  int threads = 0;
  gateway current;
  const auto body = [&](simulator& sim) {
    current = {};
    input_queue packets;
    std::thread radio;
    if (sim.is_live()) {
      ++threads;
      radio = std::thread([&packets, number = threads] {
        for (int i = 0; i < 3; ++i)
          packets.push("run " + std::to_string(number) + std::string(1, '\0') + std::to_string(i));
        packets.close();
      });
    }
    current.listen(sim, [&packets] { return packets.pop(); });
    if (radio.joinable())
      radio.join();
  };
  const auto run = make_runner(body, {});
  random_strategy order{4};
  const auto recorded = run(4, order, false);
  REQUIRE(recorded.end == verdict::ok);
  const auto seen = current.seen;
  CHECK(seen.find(std::string("run 1\0", 6) + "2;") != std::string::npos);
  CHECK(threads == 1);

  // As a file, too.
  const auto text = to_text(make_tape("p", "s", "random", {.seed = 4}, recorded));
  tape_error error;
  const auto loaded = parse_tape(text, "t", error);
  REQUIRE(loaded.has_value());
  tape_strategy replay(loaded->decisions);
  const auto again = run(4, replay, false);
  CHECK(replay.followed_exactly());
  CHECK(again.trace_hash == recorded.trace_hash);
  CHECK(current.seen == seen);
  CHECK(threads == 1);

  // A second recording has other input, and is told apart although its events are the same.
  random_strategy same_order{4};
  CHECK(run(4, same_order, false).trace_hash != recorded.trace_hash);
  CHECK(threads == 2);
}

TEST_CASE("when a piece arrives is a decision") {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    gateway current;
    simulator::once(seed, [&](simulator& sim) { current.listen(sim, list_of({"a", "b"})); });
    seen.insert(current.seen);
  }
  CHECK(seen == std::set<std::string>{"|a;b;", "a;|b;", "a;b;|"});
}

TEST_CASE("sources end with the test's body, and one that throws ends the run") {
  int read = 0;
  const auto endless = [&read]() -> std::optional<std::string> { return std::to_string(++read); };
  auto result = simulator::once(0, [&](simulator& sim) {
    sim.outside("endless", endless, [](const std::string&) {});
    for (int i = 0; i < 5; ++i)
      sim.step();
  });
  CHECK(result.end == verdict::ok);
  CHECK(read > 0);
  CHECK(read <= 5);
  result = simulator::once(0, [&](simulator& sim) {
    sim.outside("torn", []() -> std::optional<std::string> { throw std::runtime_error("no carrier"); }, {});
    sim.run_until_idle();
  });
  CHECK(result.end == verdict::exception);
  CHECK(result.message == "the input 'torn' threw: no carrier");
  result = simulator::once(0, [&](simulator& sim) {
    sim.outside("long", list_of({std::string(65'536, 'x')}), [](const std::string&) {});
    sim.run_until_idle();
  });
  CHECK(result.message.find("65536 bytes") != std::string::npos);
}

TEST_CASE("a source that gives something else the second time makes a run nondeterministic only if it is read again") {
  int counter = 0;
  const auto run = make_runner(
      [&](simulator& sim) {
        gateway current;
        current.listen(sim, list_of({std::to_string(++counter)}));
      },
      {});
  random_strategy order{1};
  CHECK(run_twice(run, 1, order).end == verdict::ok); // the second run is the first one's tape
}

TEST_CASE("a fuzzer's input holds the pieces, and shrinking keeps what matters of them") {
  const scenario program{"parser", "", [](simulator& sim) {
                           sim.outside(
                               "packet", [] { return std::optional<std::string>(); },
                               [&sim](const std::string& packet) {
                                 if (packet.size() == 3 && packet[1] == 'X')
                                   sim.fail("parsed an X");
                               });
                           sim.run_until_idle();
                         }};
  std::vector<std::uint8_t> data(fuzz_input::header_size);
  data[8] = 1;
  for (int byte : {1, 3, 0, int{'p'}, int{'X'}, int{'q'}, 0})
    data.push_back(static_cast<std::uint8_t>(byte));
  const auto crash = run_fuzz_input(program, data);
  CHECK(crash.end == verdict::failed);
  CHECK(crash.message == "parsed an X");

  const auto shrunk = shrink(make_runner(program.body, {}), make_tape("p", "parser", "bytes", {.seed = 0}, crash));
  CHECK(shrunk.run.end == verdict::failed);
  CHECK(shrunk.deviations_before == 5);
  CHECK(shrunk.deviations_after == 3); // that there is a piece, its length, and the X
}
