// A loop like that of a GUI: it ticks on the main thread, and slow work in the background hands its results back there.
#include "troupe.hpp"
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>

using namespace std::chrono_literals;

namespace {

/// Like most toolkits' it may be touched on the main thread only.
class window {
public:
  void draw() {
    check();
    ++frames_;
  }
  void set_title(std::string text) {
    check();
    title_ = std::move(text);
    std::cout << "title: " << title_ << '\n';
  }
  int frames() const { return frames_; }
  bool is_open() const { return frames_ < 30; }

private:
  void check() const {
    if (std::this_thread::get_id() != main_thread_)
      std::abort();
  }
  const std::thread::id main_thread_ = std::this_thread::get_id();
  std::string title_;
  int frames_ = 0;
};

/// Blocks a thread of the pool for a while, as loading a file does.
std::string load_document() {
  std::this_thread::sleep_for(60ms);
  return "report.txt";
}

/// Runs on the main thread whenever it does not wait.
troupe::async<void> open_document(troupe::session owner, window& shown) {
  shown.set_title("loading ...");
  const auto frames_before = shown.frames();
  auto loading = owner.spawn(load_document, {.name = "load"}); // On the pool, which is the default.
  const auto document = co_await loading;                      // The window goes on drawing meanwhile.
  shown.set_title(document);                                   // Back on the main thread.
  std::cout << (shown.frames() > frames_before + 1 ? "the window was drawn meanwhile\n" : "the window was frozen\n");
}

/// The loop of a toolkit would call `draw` and the handlers of buttons.
troupe::async<void> run_loop(troupe::session owner, troupe::spawn_options here, window& shown) {
  while (shown.is_open()) {
    shown.draw();
    if (shown.frames() == 3)
      owner.spawn([&shown, owner] { return open_document(owner, shown); }, here).detach();
    co_await troupe::sleep_for(5ms);
  }
}

} // namespace

int main() {
  window shown;
  troupe::system sys;
  auto app = sys.open_session({.name = "app"});
  const troupe::spawn_options on_main_thread{.on = &sys.foreground()};
  auto loop = app.spawn([&] { return run_loop(app, on_main_thread, shown); }, on_main_thread);
  sys.block_on(std::move(loop)); // Runs the foreground lane, since this is the main thread.
  const auto report = sys.block_on(app.close());
  std::cout << "closed " << to_string(report->outcome) << " after " << shown.frames() << " frames\n";
  return report->is_clean() ? 0 : 1;
}
