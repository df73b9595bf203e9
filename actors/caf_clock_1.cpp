// CAF 1's clock on a dispatcher's timers.
#include "actors/caf_clock_1.hpp"
#include <algorithm>
#include <atomic>
#include <mutex>
#include <unordered_set>
#include <vector>

namespace troupe {

/// Outlives the clock, for disposables that do.
struct dispatcher_clock::shared {
  platform::dispatcher& dispatcher;
  std::mutex mutex;
  std::unordered_set<entry*> entries; // guarded by mutex; each with a reference
  bool closed = false;                // guarded by mutex
};

class dispatcher_clock::entry final : public platform::runnable, public caf::disposable::impl {
public:
  entry(std::shared_ptr<dispatcher_clock::shared> owner, caf::action action)
      : owner_(std::move(owner)), action_(std::move(action)) {}

  // -- the dispatcher's side: it holds a reference until one of these --
  void run() noexcept override {
    if (auto due = forget())
      due.run();
    deref_disposable();
  }
  void drop() noexcept override {
    if (auto gone = forget())
      gone.dispose();
    deref_disposable();
  }
  platform::runnable_info info() const noexcept override { return {"actor timeout", {}, 0, 0}; }

  // -- CAF's side --
  void dispose() override {
    if (auto gone = forget()) {
      gone.dispose();
      if (owner_->dispatcher.cancel(timer))
        deref_disposable(); // the dispatcher's
    }
  }
  bool disposed() const noexcept override {
    std::lock_guard guard{owner_->mutex};
    return !action_ || action_.disposed();
  }
  void ref_disposable() const noexcept override { references_.fetch_add(1, std::memory_order_relaxed); }
  void deref_disposable() const noexcept override {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1)
      delete this;
  }

  platform::timer_id timer; // guarded by the clock's mutex

private:
  /// Takes the action out of the clock, once. The caller holds a reference.
  caf::action forget() noexcept {
    caf::action taken;
    {
      std::lock_guard guard{owner_->mutex};
      if (owner_->entries.erase(this) == 0)
        return taken;
      taken.swap(action_);
    }
    deref_disposable(); // the clock's
    return taken;
  }

  std::shared_ptr<dispatcher_clock::shared> owner_;
  caf::action action_;                      // guarded by the clock's mutex
  mutable std::atomic<int> references_ = 3; // the clock's, the dispatcher's, and the first disposable's
};

dispatcher_clock::dispatcher_clock(platform::dispatcher& dispatcher)
    : shared_(new shared{.dispatcher = dispatcher, .mutex = {}, .entries = {}, .closed = false}) {}

dispatcher_clock::~dispatcher_clock() { cancel_all(); }

dispatcher_clock::time_point dispatcher_clock::now() const noexcept { return shared_->dispatcher.now(); }

caf::disposable dispatcher_clock::schedule(time_point due, caf::action action) {
  auto* fresh = new entry{shared_, action};
  caf::disposable handle{caf::intrusive_ptr<caf::disposable::impl>{fresh, false}};
  {
    std::lock_guard guard{shared_->mutex};
    if (!shared_->closed) {
      // Under the lock: an expiring timer asks for its entry first, and waits here until it has its id.
      fresh->timer = shared_->dispatcher.dispatch_after(std::max(due - now(), duration_type::zero()),
                                                        platform::background_lane, *fresh, priority::normal);
      if (fresh->timer) {
        shared_->entries.insert(fresh);
        return handle;
      }
    }
  }
  fresh->deref_disposable(); // the clock's
  fresh->deref_disposable(); // the dispatcher's
  action.dispose();
  return handle;
}

void dispatcher_clock::cancel_all() {
  std::vector<caf::disposable> all;
  {
    std::lock_guard guard{shared_->mutex};
    shared_->closed = true;
    for (auto* each : shared_->entries)
      all.emplace_back(caf::intrusive_ptr<caf::disposable::impl>{each});
  }
  for (auto& each : all)
    each.dispose();
}

} // namespace troupe
