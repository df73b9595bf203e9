// The guest dispatcher, with JavaScript as its host.
#include "platform/wasm_dispatcher.hpp"
#include "platform/guest_dispatcher.hpp"
#include "platform/js_loop.hpp"
#include <algorithm>
#include <cassert>
#include <cmath>

namespace troupe::platform {
namespace {

class wasm final : public dispatcher, js_loop::guest {
public:
  explicit wasm(const wasm_dispatcher_options& options)
      : budget_{std::max<std::size_t>(options.budget, 1)}, guest_{make_guest_dispatcher(
                                                               {.wake_up = [this] { wake_up(); },
                                                                .may_block = options.may_block})} {}

  std::error_code dispatch(lane where, runnable& work, priority urgency) noexcept override {
    return guest_->dispatch(where, work, urgency);
  }
  timer_id dispatch_after(duration delay, lane where, runnable& work, priority urgency) override {
    return guest_->dispatch_after(delay, where, work, urgency);
  }
  bool cancel(timer_id timer) noexcept override {
    const bool was_pending = guest_->cancel(timer);
    // The host's timer may otherwise come too early, which harms nobody; but left alone it keeps a program from ending.
    if (was_pending && armed_for_ && !guest_->next_deadline())
      clear_timer();
    return was_pending;
  }
  // CAF asks for the time whenever an actor is resumed. The same nanoseconds as std::chrono::steady_clock gives.
  time_point now() const noexcept override {
    const double milliseconds = js_loop::now();
    const auto seconds = static_cast<std::int64_t>(milliseconds / 1000);
    const auto rest = static_cast<std::int64_t>((milliseconds - static_cast<double>(seconds) * 1000) * 1000 * 1000);
    return time_point{std::chrono::seconds{seconds} + std::chrono::nanoseconds{rest}};
  }
  bool is_main_thread() const noexcept override { return true; }
  bool is_on(lane where) const noexcept override { return guest_->is_on(where); }
  lane open_lane(std::string name, std::error_code& error) override {
    return guest_->open_lane(std::move(name), error);
  }
  void close_lane(lane where) noexcept override { guest_->close_lane(where); }
  std::error_code block_until(latch& done, std::optional<time_point> deadline) override {
    return guest_->block_until(done, deadline);
  }
  bool stop(duration deadline) override {
    const bool in_time = guest_->stop(deadline);
    clear_timer();
    return in_time;
  }
  std::size_t thread_count() const noexcept override { return 0; }

private:
  void wake_up() noexcept {
    // What a turn leaves is for the next turn, after the host's own; what comes between turns is for a microtask.
    if (in_turn_)
      post_next();
    else
      post_soon();
    posted_ = true;
  }

  void turn() noexcept override {
    posted_ = false;
    in_turn_ = true;
    guest_->poll(budget_);
    in_turn_ = false;
    // Else the turn that was posted will see to the timer.
    if (!posted_)
      follow_timers();
  }

  void fired() noexcept override {
    armed_for_.reset();
    if (!posted_)
      turn();
  }

  /// Arms the host's timer for the earliest of ours.
  void follow_timers() noexcept {
    const auto due = guest_->next_deadline();
    if (!due)
      return clear_timer();
    if (armed_for_ && *armed_for_ <= *due)
      return;
    armed_for_ = due;
    // Never earlier than it is due, and no longer than the host can count: then it is armed again.
    const auto left = std::chrono::duration<double, std::milli>{std::max(*due - now(), duration::zero())};
    arm(std::min(std::ceil(left.count()), 2147483647.0));
  }

  void clear_timer() noexcept {
    if (std::exchange(armed_for_, std::nullopt))
      disarm();
  }

  const std::size_t budget_;
  std::optional<time_point> armed_for_; // the host's timer, if there is one
  bool in_turn_ = false;
  bool posted_ = false; // a turn is under way in the host's queues
  const std::unique_ptr<guest_dispatcher> guest_;
};

} // namespace

std::unique_ptr<dispatcher> make_wasm_dispatcher(wasm_dispatcher_options options) {
  return std::make_unique<wasm>(options);
}

} // namespace troupe::platform
