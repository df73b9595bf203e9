// Lookups without a lock, and numbers that are not used twice in a row.
#include "platform/serial_lanes.hpp"

namespace troupe::platform {
namespace {
constexpr std::uint32_t first_number = foreground_lane.number + 1;

struct place {
  const serial_lanes* owner = nullptr;
  lane where;
};
constinit thread_local place current_place;
} // namespace

serial_lanes::~serial_lanes() {
  for (auto& each : table_)
    delete each.load();
}

lane serial_lanes::open(const std::string& name, std::error_code& error) {
  std::lock_guard guard{table_mutex_};
  error = {};
  if (closed_) {
    error = make_error_code(dispatch_errc::stopped);
    return {};
  }
  for (std::uint32_t index = 0; index < lanes_max; ++index) {
    auto* known = table_[index].load();
    if (!known) {
      known = make_entry().release();
      known->number.number = first_number + index - lanes_max;
      table_[index].store(known);
    }
    std::unique_lock lock{known->mutex};
    if (!known->ended)
      continue;
    known->number.number += lanes_max;
    known->closing = known->ended = false;
    lock.unlock();
    if (begin(*known, name))
      return known->number;
    lock.lock();
    known->closing = known->ended = true;
    break;
  }
  error = make_error_code(dispatch_errc::too_many_lanes);
  return {};
}

serial_lanes::entry* serial_lanes::find(lane where) const noexcept {
  return where.number < first_number ? nullptr : table_[(where.number - first_number) % lanes_max].load();
}

std::error_code serial_lanes::push(lane where, runnable& work, priority urgency) noexcept {
  if (auto* known = find(where)) {
    std::lock_guard lock{known->mutex};
    if (!known->closing && known->number == where) {
      known->queue.push(work, urgency);
      queued(*known);
      return {};
    }
  }
  return make_error_code(dispatch_errc::unknown_lane);
}

void serial_lanes::close(lane where) noexcept {
  auto* known = find(where);
  if (!known)
    return;
  std::lock_guard lock{known->mutex};
  if (known->closing || known->number != where)
    return;
  known->closing = true;
  closed(*known);
}

void serial_lanes::close_all() noexcept {
  std::lock_guard guard{table_mutex_};
  closed_ = true;
  for_each([this](entry& known) { close(known.number); });
}

bool serial_lanes::is_quiet() noexcept {
  bool all_ended = true;
  for_each([&](entry& known) {
    std::lock_guard lock{known.mutex};
    all_ended = all_ended && known.ended;
  });
  return all_ended;
}

void serial_lanes::abandon() noexcept {
  for_each([](entry& known) {
    for (;;) {
      std::unique_lock lock{known.mutex};
      runnable* work = known.queue.pop();
      lock.unlock();
      if (!work)
        return;
      work->drop();
    }
  });
}

bool serial_lanes::is_on(lane where) const noexcept {
  return current_place.owner == this && current_place.where == where;
}

serial_lanes::inside::inside(const serial_lanes& owner, lane where) noexcept
    : outer_owner_{current_place.owner}, outer_where_{current_place.where} {
  current_place = {&owner, where};
}

serial_lanes::inside::~inside() { current_place = {outer_owner_, outer_where_}; }

} // namespace troupe::platform
