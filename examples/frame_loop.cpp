// A game's loop, as SDL has it: events, a little work for the system, a frame; it sleeps when there is nothing to do.
#include "sessions/guest_system.hpp"
#include "troupe.hpp"
#include <condition_variable>
#include <deque>
#include <iostream>
#include <mutex>
#include <thread>

using namespace std::chrono_literals;

namespace {

enum class event { none, wake_up, player_quits };

/// Stands for SDL's: `push` is SDL_PushEvent, from any thread; `wait_until` is SDL_WaitEventTimeout.
class event_queue {
public:
  void push(event what) {
    std::lock_guard guard{mutex_};
    events_.push_back(what);
    changed_.notify_one();
  }
  event wait_until(troupe::platform::time_point deadline) {
    std::unique_lock lock{mutex_};
    if (!changed_.wait_until(lock, deadline, [this] { return !events_.empty(); }))
      return event::none;
    const auto first = events_.front();
    events_.pop_front();
    return first;
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<event> events_;
};

/// The level is loaded in steps, so that no frame is late.
troupe::async<void> load_level(int& loaded) {
  for (int part = 1; part <= 20; ++part) {
    loaded = part;
    co_await troupe::yield();
  }
}

} // namespace

int main() {
  event_queue events;
  int loaded = 0, frames = 0;
  troupe::guest_system sys{{.wake_up = [&] { events.push(event::wake_up); }}};
  auto game = sys.open_session({.name = "game"});
  game.spawn([&] { return load_level(loaded); }, {.name = "load level"}).detach();
  game.spawn([&]() -> troupe::async<void> {
        co_await troupe::sleep_for(60ms);
        events.push(event::player_quits);
      })
      .detach();

  auto next_frame = sys.dispatcher().now();
  for (bool is_running = true; is_running;) {
    // Until the next frame, an event, or the moment when the system has something to do.
    auto until = next_frame;
    if (auto due = sys.next_deadline())
      until = std::min(until, *due);
    is_running = events.wait_until(until) != event::player_quits;
    sys.poll(4); // A small budget: the frame comes first.
    if (sys.dispatcher().now() >= next_frame) {
      ++frames; // Draws.
      next_frame += 5ms;
    }
  }

  // The loop has ended; the close turns the system by itself.
  const auto report = sys.block_on(game.close());
  std::cout << "loaded " << loaded << " parts, and drew " << (frames > 5 ? "many" : "few") << " frames\n";
  std::cout << "closed " << to_string(report->outcome) << '\n';
  return report->is_clean() ? 0 : 1;
}
