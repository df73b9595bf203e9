// A system in the main loop of GLib (and so of GTK): a GSource says when it has something to do, and lets it work.
#include "sessions/guest_system.hpp"
#include "troupe.hpp"
#include <algorithm>
#include <caf/all.hpp>
#include <glib.h>
#include <iostream>
#include <string>
#include <thread>

using namespace std::chrono_literals;

namespace {

/// What GLib asks and tells. One source serves the whole system.
struct guest_source {
  GSource base;
  troupe::guest_system* guest;

  static guest_source& of(GSource* source) { return *reinterpret_cast<guest_source*>(source); }
  bool is_ready() const {
    const auto due = guest->next_deadline();
    return due && *due <= guest->dispatcher().now();
  }
  /// Before GLib waits: how long at most? Rounded up, as a millisecond too early would turn the loop in vain.
  static gboolean prepare(GSource* source, gint* timeout_ms) {
    auto& self = of(source);
    const auto due = self.guest->next_deadline();
    *timeout_ms = -1;
    if (!due)
      return FALSE;
    if (self.is_ready())
      return TRUE;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*due - self.guest->dispatcher().now());
    *timeout_ms = static_cast<gint>(std::clamp<std::int64_t>(left.count(), 0, G_MAXINT));
    return FALSE;
  }
  static gboolean check(GSource* source) { return of(source).is_ready(); }
  /// A budget, so that a busy system leaves GLib's other sources their turns.
  static gboolean dispatch(GSource* source, GSourceFunc, gpointer) {
    of(source).guest->poll(64);
    return G_SOURCE_CONTINUE;
  }
};

/// Needs nothing but the loop's thread, like a widget.
struct window {
  const std::thread::id main_thread = std::this_thread::get_id();
  int frames = 0;
  void show(const std::string& text) const {
    if (std::this_thread::get_id() == main_thread)
      std::cout << text << '\n';
  }
};

caf::behavior spell_checker(caf::event_based_actor*) {
  return {[](const std::string& word) { return word == "main" || word == "loop"; }};
}

troupe::async<void> check_words(caf::actor checker, window& shown) {
  for (const std::string word : {"main", "lopp", "loop"}) {
    co_await troupe::sleep_for(10ms); // GLib waits for that, and for its own timers.
    const auto is_right = co_await troupe::ask<bool>(checker, 1s, word);
    shown.show(word + (is_right && *is_right ? ": right" : ": wrong"));
  }
}

} // namespace

int main() {
  GMainContext* const context = g_main_context_default();
  GMainLoop* const loop = g_main_loop_new(context, FALSE);
  window shown;
  bool is_clean = false;
  {
    // From any thread; GLib then asks the source again.
    troupe::guest_system sys{{.wake_up = [context] { g_main_context_wakeup(context); }, .may_block = false}};
    GSourceFuncs functions{};
    functions.prepare = guest_source::prepare;
    functions.check = guest_source::check;
    functions.dispatch = guest_source::dispatch;
    GSource* const source = g_source_new(&functions, sizeof(guest_source));
    guest_source::of(source).guest = &sys;
    g_source_attach(source, context);
    // GLib's own business goes on meanwhile: an animation of 5 frames.
    g_timeout_add(
        2, [](gpointer data) -> gboolean { return ++static_cast<window*>(data)->frames < 5; }, &shown);

    auto app = sys.open_session({.name = "app"});
    auto checker = sys.caf().spawn(spell_checker);
    if (app.own(checker, "spell checker"))
      return 1;
    app.spawn([&] { return check_words(checker, shown); }, {.name = "check words"}).detach();
    // A thread that is neither GLib's nor the system's hands over what the user has chosen, and ends the program.
    std::thread dialog{[app, &shown] {
      std::this_thread::sleep_for(80ms);
      app.spawn([&] { shown.show("report.txt was chosen"); }).detach();
      app.start_close();
    }};
    sys.root()
        .spawn([&, app]() -> troupe::async<void> {
          const auto report = co_await app.closed();
          is_clean = report.is_clean();
          g_main_loop_quit(loop);
        })
        .detach();

    g_main_loop_run(loop); // GLib owns the thread from here on.

    dialog.join();
    g_source_destroy(source); // The system's destructor turns what is left by itself.
    g_source_unref(source);
  }
  g_main_loop_unref(loop);
  std::cout << "GLib drew " << shown.frames << " frames\n" << (is_clean ? "closed clean\n" : "closed dirty\n");
  return is_clean && shown.frames == 5 ? 0 : 1;
}
