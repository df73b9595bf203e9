// A program with a run loop of its own, which watches GCD's main queue beside its other descriptors.
#include "platform/gcd_dispatcher.hpp"
#include "platform/gcd_main_queue.hpp"
#include "troupe.hpp"
#include <array>
#include <cerrno>
#include <iostream>
#include <poll.h>
#include <string>
#include <unistd.h>

namespace {

/// What the loop watches besides: here a pipe, elsewhere a display's connection or a socket.
class input {
public:
  input() {
    if (pipe(ends_.data()) != 0)
      std::abort();
  }
  ~input() {
    close(ends_[0]);
    close(ends_[1]);
  }
  int descriptor() const { return ends_[0]; }
  void type(char key) const {
    if (write(ends_[1], &key, 1) != 1)
      std::abort();
  }
  char read_key() const {
    char key = 0;
    return read(ends_[0], &key, 1) == 1 ? key : '?';
  }

private:
  std::array<int, 2> ends_{};
};

/// Handles a key on the main thread; the slow part runs on GCD's threads, and the loop goes on meanwhile.
troupe::async<void> handle_key(troupe::session owner, const input& keyboard, char key) {
  auto looking = owner.spawn([key] { return std::string(3, key); });
  const auto found = co_await looking;
  std::cout << "key " << key << " gives " << found << '\n';
  if (key == 'q')
    owner.start_close();
  else
    keyboard.type(key == 'a' ? 'b' : 'q'); // Stands for the user's next key.
}

} // namespace

int main() {
  const input keyboard;
  troupe::system sys{troupe::platform::make_gcd_dispatcher()};
  auto app = sys.open_session({.name = "app"});
  keyboard.type('a');
  auto closed = app.closed();
  while (!is_terminal(closed.state())) {
    pollfd watched[] = {{keyboard.descriptor(), POLLIN, 0}, {troupe::platform::main_queue_handle(), POLLIN, 0}};
    // A real loop would wait without a limit: whoever wants something of it makes a descriptor ready.
    if (poll(watched, 2, 10) < 0 && errno != EINTR)
      return 1;
    if (watched[0].revents != 0)
      app.spawn([&, key = keyboard.read_key()] { return handle_key(app, keyboard, key); }, {.on = &sys.foreground()})
          .detach();
    if (watched[1].revents != 0)
      troupe::platform::drain_main_queue();
  }
  const auto report = sys.shutdown();
  std::cout << "closed " << to_string(app.outcome()) << '\n';
  return report.is_clean() ? 0 : 1;
}
