// CAF's clock on a dispatcher's timers. Private to the CAF host.
#pragma once
#include "platform/dispatcher.hpp"
#include <atomic>
#include <caf/actor_clock.hpp>
#include <functional>
#include <map>
#include <mutex>

namespace troupe {

/// Every timeout is one timer of the dispatcher. An actor that ends has its timeouts cancelled, at once and without a
/// lock if it has none. Timeouts keep no actor alive; scheduled messages do, as in CAF.
class dispatcher_clock final : public caf::actor_clock {
public:
  explicit dispatcher_clock(platform::dispatcher& dispatcher) : dispatcher_(dispatcher) {}
  ~dispatcher_clock() override { cancel_all(); }

  time_point now() const noexcept override { return dispatcher_.now(); }
  void set_ordinary_timeout(time_point due, caf::abstract_actor* self, caf::atom_value type, std::uint64_t id) override;
  void set_multi_timeout(time_point due, caf::abstract_actor* self, caf::atom_value type, std::uint64_t id) override;
  void set_request_timeout(time_point due, caf::abstract_actor* self, caf::message_id id) override;
  void cancel_ordinary_timeout(caf::abstract_actor* self, caf::atom_value type) override;
  void cancel_request_timeout(caf::abstract_actor* self, caf::message_id id) override;
  void cancel_timeouts(caf::abstract_actor* self) override;
  void schedule_message(time_point due, caf::strong_actor_ptr receiver, caf::mailbox_element_ptr content) override;
  void schedule_message(time_point due, caf::group target, caf::strong_actor_ptr sender, caf::message content) override;
  void cancel_all() override;

private:
  class entry;
  /// @returns false if the entry was cancelled meanwhile.
  bool forget(entry& gone) noexcept;
  enum class kind { ordinary, multi, request, message };
  void add(time_point due, kind what, caf::actor_id self, std::uint64_t id, std::function<void()> ship);
  template <class Matches>
  void cancel_matching(caf::actor_id self, Matches&& matches);

  platform::dispatcher& dispatcher_;
  std::mutex mutex_;
  std::multimap<caf::actor_id, entry*> entries_; // guarded by mutex_
  std::atomic<std::size_t> timeouts_ = 0;        // entries that belong to an actor
};

} // namespace troupe
