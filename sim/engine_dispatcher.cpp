// The engine as a dispatcher: what is dispatched becomes an event, time passes, and other threads are turned away.
#include "sim/engine.hpp"
#include "sim/random_source.hpp"
#include <algorithm>
#include <stdexcept>

namespace troupe {

std::error_code sim_engine::dispatch(platform::lane where, platform::runnable& work, priority urgency) noexcept {
  if (is_foreign()) {
    defer([this, where, &work, urgency] {
      if (dispatch(where, work, urgency))
        work.drop();
    });
    return {};
  }
  if (stopped_)
    return platform::dispatch_errc::stopped;
  auto* lane = find_lane(where);
  if (where != platform::background_lane && (!lane || !lane->is_open))
    return platform::dispatch_errc::unknown_lane;
  if (faults_ && refuses(work))
    return platform::dispatch_errc::overloaded;
  auto& p = effect();
  p.to = lane ? lane->place : nullptr;
  p.content = lane_work{&work, where, urgency};
  post(p);
  return {};
}

bool sim_engine::after_effects(platform::runnable& work) noexcept {
  // Atomic steps send everything at once, as they end.
  if (is_foreign() || stopped_ || present_->who->outbox.empty() || options_.model == order_model::atomic)
    return false;
  auto* lane = find_lane(present_->lane);
  auto& p = effect();
  p.to = lane ? lane->place : nullptr;
  p.is_epilogue = true;
  p.content = lane_work{&work, lane ? present_->lane : platform::background_lane, priority::normal};
  post(p);
  return true;
}

platform::timer_id sim_engine::dispatch_after(platform::duration delay, platform::lane where, platform::runnable& work,
                                              priority urgency) {
  if (is_foreign()) {
    auto number = [this] {
      std::lock_guard guard{foreign_mutex_};
      return ++last_foreign_timer_;
    }();
    defer([this, delay, where, &work, urgency] {
      if (!dispatch_after(delay, where, work, urgency))
        work.drop();
    });
    return {number};
  }
  auto* lane = find_lane(where);
  if (stopped_ || (where != platform::background_lane && (!lane || !lane->is_open)))
    return {};
  if (options_.randomize_delays && delay > platform::duration::zero()) {
    constexpr int quarters[] = {4, 5, 6, 8};
    delay = delay / 4 * quarters[decide_value(decision_kind::delay, 4)];
  }
  auto& p = effect();
  p.content = lane_work{&work, where, urgency};
  p.to = lane ? lane->place : &task_entity(work, p.identity);
  const auto due = now_ + delay;
  const auto number = ++last_timer_;
  p.own_extras().due = due;
  p.own_extras().timer = number;
  timers_by_number_.emplace(number, &p);
  if (delay <= platform::duration::zero())
    enable(p, event_kind::timer, *p.to);
  else
    timers_.emplace(std::pair{due, number}, &p);
  return {number};
}

bool sim_engine::cancel(platform::timer_id timer) noexcept {
  if (is_foreign())
    return false;
  auto at = timers_by_number_.find(timer.value);
  if (at == timers_by_number_.end())
    return false;
  auto* p = at->second;
  timers_by_number_.erase(at);
  if (p->is_enabled())
    withdraw(*p);
  else
    timers_.erase({p->extras().due, p->extras().timer});
  if (p->to && !find_lane(std::get<lane_work>(p->content).lane))
    free_if_idle(*p->to);
  free_parcel(p);
  return true;
}

bool sim_engine::is_on(platform::lane where) const noexcept { return !is_foreign() && present_->lane == where; }

platform::lane sim_engine::open_lane(std::string name, std::error_code& error) {
  if (stopped_) {
    error = platform::dispatch_errc::stopped;
    return {};
  }
  error.clear();
  auto& place = new_entity(mix(present_->identity, ++present_->effects));
  place.name = std::move(name);
  place.is_lane = true;
  lanes_.emplace_back().place = &place;
  return {static_cast<std::uint32_t>(lanes_.size())};
}

void sim_engine::close_lane(platform::lane where) noexcept {
  if (auto* lane = find_lane(where); lane && where != platform::foreground_lane)
    lane->is_open = false;
}

std::error_code sim_engine::block_until(platform::latch& done, std::optional<platform::time_point> deadline) {
  if (is_foreign())
    return platform::dispatch_errc::cannot_block;
  pump_frames();
  while (!done.is_released()) {
    if (step())
      continue;
    if (is_over() && !tearing_down_)
      return platform::dispatch_errc::stopped;
    if (deadline ? advance_to_next_timer(*deadline) : advance_to_next_timer())
      continue;
    if (stopped_)
      return platform::dispatch_errc::stopped;
    if (!deadline)
      return platform::dispatch_errc::would_deadlock;
    now_ = std::max(now_, *deadline);
    return platform::dispatch_errc::timed_out;
  }
  return {};
}

void sim_engine::await(const std::function<bool()>& done, const char* what) {
  pump_frames();
  while (!done()) {
    if (step())
      continue;
    if (is_over() && !tearing_down_)
      throw run_is_over(std::string(what) + ", but the run is over");
    if (advance_to_next_timer())
      continue;
    const auto problem = std::string(what) + ", and nothing can happen any more";
    if (!tearing_down_)
      fail(verdict::deadlock, problem);
    throw run_is_over(problem);
  }
}

bool sim_engine::stop(platform::duration) {
  stopped_ = true;
  while (!timers_.empty()) {
    auto* p = timers_.begin()->second;
    timers_.erase(timers_.begin());
    drop_parcel(p);
  }
  run_out();
  return true;
}

// -- time ---------------------------------------------------------------------

bool sim_engine::advance_to_next_timer(platform::time_point limit) {
  if (timers_.empty() || timers_.begin()->first.first > limit || (is_over() && !tearing_down_))
    return false;
  const bool is_later = timers_.begin()->first.first > now_;
  if (is_watched_ && !tearing_down_ && is_later)
    order_.time_passed();
  now_ = std::max(now_, timers_.begin()->first.first);
  if (faults_ && is_later)
    faults_of_new_time();
  while (!timers_.empty() && timers_.begin()->first.first <= now_) {
    auto* p = timers_.begin()->second;
    timers_.erase(timers_.begin());
    if (std::holds_alternative<letter>(p->content))
      reach(*p);
    else if (std::holds_alternative<fault_work>(p->content))
      enable(*p, event_kind::fault, *p->to);
    else
      enable(*p, event_kind::timer, *p->to);
  }
  return true;
}

void sim_engine::run_to(platform::time_point target) {
  pump_frames();
  do {
    while (step()) {
    }
  } while (advance_to_next_timer(target));
  if (!is_over())
    now_ = std::max(now_, target);
}

bool sim_engine::only_housekeeping_left() const noexcept {
  if (enabled_.size() != 0)
    return false;
  for (auto& [when, p] : timers_)
    if (auto* todo = std::get_if<lane_work>(&p->content); !todo || !todo->work->info().housekeeping)
      return false;
  return true;
}

// -- other threads ------------------------------------------------------------

void sim_engine::defer(std::function<void()> work) {
  std::lock_guard guard{foreign_mutex_};
  foreign_.push_back(std::move(work));
  has_foreign_.store(true, std::memory_order_release);
}

void sim_engine::departed() {
  if (!tearing_down_)
    fail(verdict::foreign_thread, "a message went to an actor of another system: a run is reproducible only if "
                                  "everything in it happens through its system");
}

void sim_engine::refuse(const char* why) {
  if (!is_foreign())
    fail(verdict::foreign_thread, why);
  throw std::runtime_error(why);
}

void sim_engine::take_in_foreign() {
  std::vector<std::function<void()>> work;
  {
    std::lock_guard guard{foreign_mutex_};
    work.swap(foreign_);
    has_foreign_.store(false, std::memory_order_relaxed);
  }
  fail(verdict::foreign_thread,
       "work came from a thread that the simulator does not control: a run is reproducible only "
       "if everything in it happens through its system");
  for (auto& todo : work)
    todo();
  pump_frames();
}

} // namespace troupe
