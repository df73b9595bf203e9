// The queues behind the Asio dispatcher, alone.
#include "platform/timer_queue.hpp"
#include "platform/worker_queues.hpp"
#include "tests/contracts/contract_support.hpp"
#include <deque>
#include <map>
#include <random>
#include <thread>
#include <vector>

namespace troupe::test {

using platform::class_bit;
using platform::injector;
using platform::runnable;
using platform::runnable_list;
using platform::timer_queue;
using platform::work_ring;

TEST_CASE("a list keeps its order when another one is appended") {
  job jobs[5];
  runnable_list some;
  runnable_list more;
  more.splice(some);
  CHECK(more.empty());
  for (int i = 0; i < 2; ++i)
    some.push(jobs[i]);
  for (int i = 2; i < 4; ++i)
    more.push(jobs[i]);
  some.splice(more);
  CHECK(more.empty());
  some.push(jobs[4]);
  CHECK(some.size() == 5);
  for (auto& each : jobs)
    CHECK(some.pop() == &each);
  CHECK(some.pop() == nullptr);
  CHECK(some.empty());
}

TEST_CASE("fifteen picks name each class as often as its weight, wherever they begin") {
  for (std::uint64_t first = 0; first < 40; ++first) {
    unsigned count[priority_count] = {};
    for (std::uint64_t i = 0; i < priority_weight_sum; ++i)
      ++count[static_cast<std::size_t>(platform::class_due(first + i))];
    for (std::size_t c = 0; c < priority_count; ++c)
      CHECK(count[c] == priority_weights[c]);
  }
}

TEST_CASE("a ring is first in, first out, and half of it can be stolen") {
  std::deque<job> jobs(work_ring::capacity);
  work_ring ring;
  CHECK(ring.empty());
  for (int round = 0; round < 3; ++round) {
    for (auto& each : jobs)
      ring.push(each);
    CHECK(ring.room() == 0);
    std::array<runnable*, work_ring::steal_max> loot;
    CHECK(ring.steal(loot) == work_ring::steal_max);
    for (std::size_t i = 0; i < loot.size(); ++i)
      CHECK(loot[i] == &jobs[i]);
    CHECK(ring.room() == work_ring::steal_max);
    for (std::size_t i = loot.size(); i < jobs.size() - 1; ++i)
      CHECK(ring.pop() == &jobs[i]);
    CHECK(ring.steal(loot) == 1);
    CHECK(loot[0] == &jobs.back());
    CHECK(ring.steal(loot) == 0);
    CHECK(ring.pop() == nullptr);
    CHECK(ring.empty());
  }
}

TEST_CASE("what is in a ring goes to exactly one of its owner and the thieves") {
  std::deque<job> jobs(20'000);
  work_ring ring;
  std::atomic<bool> ended = false;
  const auto thief = [&] {
    std::array<runnable*, work_ring::steal_max> loot;
    while (!ended || !ring.empty()) {
      const auto count = ring.steal(loot);
      for (std::size_t i = 0; i < count; ++i)
        loot[i]->run();
      if (count == 0)
        std::this_thread::yield();
    }
  };
  std::thread thieves[] = {std::thread{thief}, std::thread{thief}};
  for (auto& each : jobs) {
    while (ring.room() == 0)
      if (auto* work = ring.pop())
        work->run();
    ring.push(each);
  }
  while (auto* work = ring.pop())
    work->run();
  ended = true;
  for (auto& each : thieves)
    each.join();
  for (auto& each : jobs)
    REQUIRE(each.runs() == 1);
}

TEST_CASE("the shared queue hands out a fair share, and shows which classes have something") {
  injector shared;
  std::deque<job> jobs(100);
  CHECK(shared.mask() == 0);
  for (auto& each : jobs)
    CHECK(shared.push(each, priority::normal));
  job urgent;
  CHECK(shared.push(urgent, priority::critical));
  CHECK(shared.mask() == (class_bit(priority::normal) | class_bit(priority::critical)));
  CHECK(shared.pop(priority::critical) == &urgent);
  CHECK(shared.pop(priority::critical) == nullptr);
  CHECK(shared.mask() == class_bit(priority::normal));
  runnable* out[200];
  CHECK(shared.pop(priority::normal, out, 32, 4) == 26); // One in four, rounded up.
  CHECK(out[25] == &jobs[25]);
  CHECK(shared.pop(priority::normal, out, 32, 1) == 32);
  CHECK(out[0] == &jobs[26]);
  shared.close();
  CHECK_FALSE(shared.push(urgent, priority::normal));
  runnable_list accepted;
  accepted.push(urgent);
  shared.push_accepted(accepted, priority::normal);
  CHECK(shared.pop(priority::normal, out, 200, 1) == 42);
  CHECK(shared.pop(priority::normal) == &urgent);
  CHECK(shared.mask() == 0);
}

TEST_CASE("a timer queue agrees with a sorted map, whatever is added, cancelled and due") {
  std::minstd_rand random{7};
  timer_queue queue;
  std::map<std::pair<platform::time_point, int>, std::uint64_t> model; // (due, order of add) -> id
  std::deque<job> jobs;
  std::map<std::uint64_t, runnable*> work;
  std::vector<std::uint64_t> used;
  for (int step = 0; step < 20'000; ++step) {
    const auto action = random() % 8;
    if (action < 4) {
      const platform::time_point due{std::chrono::seconds{random() % 50}};
      auto& job = jobs.emplace_back();
      const auto id = queue.add({due, background_lane, &job, priority::normal});
      REQUIRE(id);
      REQUIRE_FALSE(work.contains(id.value)); // Ids are never used twice.
      work[id.value] = &job;
      used.push_back(id.value);
      model[{due, step}] = id.value;
    } else if (action < 6 && !used.empty()) {
      const auto id = used[random() % used.size()];
      const auto found = std::find_if(model.begin(), model.end(), [&](auto& each) { return each.second == id; });
      REQUIRE(queue.cancel({id}) == (found != model.end()));
      if (found != model.end())
        model.erase(found);
    } else if (!model.empty() && random() % 2 == 0) {
      REQUIRE(queue.next_due() == model.begin()->first.first);
      REQUIRE(queue.pop().work == work[model.begin()->second]);
      model.erase(model.begin());
    }
    REQUIRE(queue.empty() == model.empty());
  }
  while (!model.empty()) {
    REQUIRE(queue.pop().work == work[model.begin()->second]);
    model.erase(model.begin());
  }
  CHECK(queue.empty());
}

} // namespace troupe::test
