// The list of enabled events: against a plain vector, and as a strategy is told of it.
#include "sim/event_list.hpp"
#include "sim/random_source.hpp"
#include "sim/scenario.hpp"
#include "sim/simulator.hpp"
#include <caf/all.hpp>
#include <deque>
#include <doctest/doctest.h>
#include <vector>

using namespace troupe;

namespace {

/// The list, and what it is to hold.
struct checked_list {
  event_list list;
  std::vector<event*> expected;

  void push_back(event& e) {
    list.push_back(e);
    expected.push_back(&e);
  }
  void erase(std::size_t index) {
    list.erase(*expected[index]);
    expected.erase(expected.begin() + static_cast<std::ptrdiff_t>(index));
  }
  bool is_right_at(std::size_t index) const {
    return &list.at(index) == expected[index] && list[index].key == expected[index] &&
           list.index_of(expected[index]) == index && list.in_slot(list.slot_of(index)) == expected[index];
  }
  bool is_right() const {
    bool is = list.size() == expected.size();
    for (std::size_t i = 0; is && i < expected.size(); ++i)
      is = is_right_at(i);
    return is;
  }
};

} // namespace

TEST_CASE("the enabled events stay in the order in which they became so, whichever of them happen") {
  random_source random(1);
  std::deque<event> storage(3'000);
  std::vector<event*> spares;
  for (auto& each : storage)
    spares.push_back(&each);
  checked_list events;
  for (std::size_t full : {3u, 70u, 2'000u, 40u, 700u, 1u}) {
    for (std::size_t step = 0; step < 10 * full + 200; ++step) {
      const bool is_growing = random.chance(events.expected.size() < full ? 3 : 1, 4);
      if (is_growing) {
        auto index = random.below(spares.size());
        CHECK_FALSE(spares[index]->is_enabled());
        events.push_back(*spares[index]);
        CHECK(spares[index]->is_enabled());
        spares.erase(spares.begin() + static_cast<std::ptrdiff_t>(index));
      } else if (!events.expected.empty()) {
        auto index = static_cast<std::size_t>(random.below(events.expected.size()));
        REQUIRE(events.is_right_at(index));
        spares.push_back(events.expected[index]);
        events.erase(index);
        CHECK_FALSE(spares.back()->is_enabled());
      }
    }
    REQUIRE(events.is_right());
  }
}

TEST_CASE("an event that replaces another one has its turn") {
  std::deque<event> storage(4);
  checked_list events;
  for (std::size_t i = 0; i < 3; ++i)
    events.push_back(storage[i]);
  events.list.replace(storage[1], storage[3]);
  events.expected[1] = &storage[3];
  CHECK(events.is_right());
  CHECK_FALSE(storage[1].is_enabled());
  events.push_back(storage[1]);
  CHECK(events.is_right());
}

namespace {

/// Has arrivals happen before what waits to be handled, and notes the news of the latter.
struct handling_witness final : strategy {
  std::size_t pick(decision_kind, const candidates& among) override {
    for (std::size_t i = 0; i < among.size(); ++i)
      if (among[i].kind != event_kind::handle)
        return i;
    return 0;
  }
  bool is_watching() const noexcept override { return true; }
  void enabled(const candidate& event) override { note(event, 'e'); }
  void withdrawn(const candidate& event) override { note(event, 'w'); }
  void happened(const candidate& event) override { note(event, 'h'); }
  void note(const candidate& event, char what) {
    if (event.kind != event_kind::handle)
      return;
    news += what;
    told.push_back(event);
  }
  std::string news;
  std::vector<candidate> told;
};

} // namespace

TEST_CASE("urgent mail takes the turn of the message that it overtakes, as an event of its own") {
  handling_witness order;
  std::string seen;
  const auto result = run_scenario(
      [&](simulator& sim) {
        auto receiver = sim.caf().spawn([&seen](caf::event_based_actor*) -> caf::behavior {
          return {[&seen](int) { seen += 'n'; }, [&seen](double) { seen += 'u'; }};
        });
        sim.caf().spawn([=](caf::event_based_actor* self) {
          self->send(receiver, 1);
          self->send<caf::message_priority::high>(receiver, 2.0);
        });
        sim.run_until_idle();
      },
      {}, order);
  REQUIRE_FALSE(result.is_failure());
  CHECK(seen == "un");
  REQUIRE(order.news.substr(0, 6) == "eweheh");
  const auto& told = order.told;
  CHECK(told[0].key == told[1].key);
  CHECK(told[2].key == told[3].key);
  CHECK(told[2].identity != told[1].identity);
  CHECK(told[2].content != told[1].content);
  CHECK(told[4].identity == told[1].identity);
  CHECK(told[5].content == told[1].content);
}
