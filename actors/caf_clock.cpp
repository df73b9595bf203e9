// CAF's clock on a dispatcher's timers.
#include "actors/caf_clock.hpp"
#include <algorithm>
#include <caf/all.hpp>
#include <vector>

namespace troupe {

class dispatcher_clock::entry final : public platform::runnable {
public:
  entry(dispatcher_clock& clock, kind what, caf::actor_id self, std::uint64_t id, std::function<void()> ship)
      : clock_(&clock), what(what), self(self), id(id), ship_(std::move(ship)) {}

  void run() noexcept override {
    if (clock_->forget(*this))
      ship_();
    release();
  }
  void drop() noexcept override {
    clock_->forget(*this);
    release();
  }
  platform::runnable_info info() const noexcept override { return {"actor timeout", {}, 0, self}; }
  void release() noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1)
      delete this;
  }

private:
  dispatcher_clock* clock_;

public:
  const kind what;
  const caf::actor_id self;
  const std::uint64_t id;
  platform::timer_id timer; // guarded by the clock's mutex

private:
  std::function<void()> ship_;
  std::atomic<int> references_ = 2; // the clock's and the dispatcher's
};

bool dispatcher_clock::forget(entry& gone) noexcept {
  {
    std::lock_guard guard{mutex_};
    auto [from, to] = entries_.equal_range(gone.self);
    auto at = std::find_if(from, to, [&](auto& element) { return element.second == &gone; });
    if (at == to)
      return false;
    entries_.erase(at);
    if (gone.what != kind::message)
      timeouts_.fetch_sub(1);
  }
  gone.release(); // the clock's
  return true;
}

void dispatcher_clock::add(time_point due, kind what, caf::actor_id self, std::uint64_t id,
                           std::function<void()> ship) {
  auto* fresh = new entry(*this, what, self, id, std::move(ship));
  std::unique_lock guard{mutex_};
  auto at = entries_.emplace(self, fresh);
  if (what != kind::message)
    timeouts_.fetch_add(1);
  // Under the lock: an expiring timer asks for its entry first, and waits here until it has its id.
  fresh->timer = dispatcher_.dispatch_after(std::max(due - now(), duration_type::zero()), platform::background_lane,
                                            *fresh, priority::normal);
  if (fresh->timer)
    return;
  entries_.erase(at);
  if (what != kind::message)
    timeouts_.fetch_sub(1);
  guard.unlock();
  delete fresh;
}

template <class Matches>
void dispatcher_clock::cancel_matching(caf::actor_id self, Matches&& matches) {
  std::vector<entry*> cancelled;
  {
    std::lock_guard guard{mutex_};
    auto [at, to] = entries_.equal_range(self);
    while (at != to) {
      if (matches(*at->second)) {
        cancelled.push_back(at->second);
        if (at->second->what != kind::message)
          timeouts_.fetch_sub(1);
        at = entries_.erase(at);
      } else {
        ++at;
      }
    }
  }
  for (auto* gone : cancelled) {
    if (dispatcher_.cancel(gone->timer))
      gone->release(); // the dispatcher's
    gone->release();   // the clock's
  }
}

void dispatcher_clock::set_ordinary_timeout(time_point due, caf::abstract_actor* self, caf::atom_value type,
                                            std::uint64_t id) {
  cancel_ordinary_timeout(self, type);
  auto weak = caf::actor_cast<caf::weak_actor_ptr>(self);
  add(due, kind::ordinary, self->id(), static_cast<std::uint64_t>(type), [weak, type, id] {
    if (auto strong = caf::actor_cast<caf::strong_actor_ptr>(weak))
      strong->get()->eq_impl(caf::make_message_id(), strong, nullptr, caf::timeout_msg{type, id});
  });
}

void dispatcher_clock::set_multi_timeout(time_point due, caf::abstract_actor* self, caf::atom_value type,
                                         std::uint64_t id) {
  auto weak = caf::actor_cast<caf::weak_actor_ptr>(self);
  add(due, kind::multi, self->id(), id, [weak, type, id] {
    if (auto strong = caf::actor_cast<caf::strong_actor_ptr>(weak))
      strong->get()->eq_impl(caf::make_message_id(), strong, nullptr, caf::timeout_msg{type, id});
  });
}

void dispatcher_clock::set_request_timeout(time_point due, caf::abstract_actor* self, caf::message_id id) {
  auto weak = caf::actor_cast<caf::weak_actor_ptr>(self);
  add(due, kind::request, self->id(), id.integer_value(), [weak, id] {
    if (auto strong = caf::actor_cast<caf::strong_actor_ptr>(weak))
      strong->get()->eq_impl(id, strong, nullptr, caf::sec::request_timeout);
  });
}

void dispatcher_clock::schedule_message(time_point due, caf::strong_actor_ptr receiver,
                                        caf::mailbox_element_ptr content) {
  auto shared = std::make_shared<caf::mailbox_element_ptr>(std::move(content));
  auto id = receiver->id();
  add(due, kind::message, id, 0, [receiver, shared] { receiver->enqueue(std::move(*shared), nullptr); });
}

void dispatcher_clock::schedule_message(time_point due, caf::group target, caf::strong_actor_ptr sender,
                                        caf::message content) {
  add(due, kind::message, 0, 0, [target, sender, content]() mutable {
    if (target)
      target.get()->enqueue(std::move(sender), caf::make_message_id(), std::move(content), nullptr);
  });
}

void dispatcher_clock::cancel_ordinary_timeout(caf::abstract_actor* self, caf::atom_value type) {
  if (timeouts_.load() != 0)
    cancel_matching(self->id(), [type](const entry& e) {
      return e.what == kind::ordinary && e.id == static_cast<std::uint64_t>(type);
    });
}

void dispatcher_clock::cancel_request_timeout(caf::abstract_actor* self, caf::message_id id) {
  if (timeouts_.load() != 0)
    cancel_matching(self->id(), [id](const entry& e) { return e.what == kind::request && e.id == id.integer_value(); });
}

void dispatcher_clock::cancel_timeouts(caf::abstract_actor* self) {
  if (timeouts_.load() != 0)
    cancel_matching(self->id(), [](const entry& e) { return e.what != kind::message; });
}

void dispatcher_clock::cancel_all() {
  std::vector<caf::actor_id> actors;
  {
    std::lock_guard guard{mutex_};
    for (auto& [actor, unused] : entries_)
      actors.push_back(actor);
  }
  for (auto actor : actors)
    cancel_matching(actor, [](const entry&) { return true; });
}

} // namespace troupe
