// Messages and sessions per second on the one thread of a guest's host: the same program natively and in WebAssembly.
#include "sessions/system.hpp"
#include <caf/all.hpp>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#ifdef __EMSCRIPTEN__
#  include "platform/wasm_dispatcher.hpp"
#else
#  include "platform/guest_dispatcher.hpp"
#endif

using namespace troupe;

namespace {

std::unique_ptr<platform::dispatcher> one_thread() {
#ifdef __EMSCRIPTEN__
  return platform::make_wasm_dispatcher({.may_block = true});
#else
  return platform::make_guest_dispatcher();
#endif
}

/// Each of `pairs` actors bounces a number between itself and a partner until all have sent `messages`.
double messages_per_second(std::uint64_t messages) {
  troupe::system sys{one_thread()};
  constexpr std::uint64_t pairs = 16;
  std::uint64_t left = pairs;
  platform::latch done;
  auto bouncing = [&](caf::event_based_actor* self) -> caf::behavior {
    return {[=, &left, &done](const caf::actor& partner, std::uint64_t n) {
      if (n > 0)
        self->send(partner, caf::actor_cast<caf::actor>(self), n - 1);
      else if (--left == 0)
        done.release();
    }};
  };
  const auto started = std::chrono::steady_clock::now();
  for (std::uint64_t i = 0; i < pairs; ++i) {
    auto a = sys.caf().spawn(bouncing), b = sys.caf().spawn(bouncing);
    caf::anon_send(a, b, messages / pairs);
  }
  static_cast<void>(sys.dispatcher().block_until(done, {}));
  return static_cast<double>(messages) /
         std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
}

/// Sessions with a task and a wait_until task each, one after the other.
double sessions_per_second(int count) {
  troupe::system sys{one_thread()};
  const auto started = std::chrono::steady_clock::now();
  auto all = sys.root().spawn([&]() -> async<int> {
    int clean = 0;
    for (int i = 0; i < count; ++i) {
      auto s = sys.open_session();
      auto work = s.spawn([]() -> async<int> {
        co_await yield();
        co_return 1;
      });
      auto rest = s.wait_until([]() -> async<void> { co_await yield(); });
      co_await work;
      clean += (co_await s.close()).is_clean();
    }
    co_return clean;
  });
  const auto clean = sys.block_on(std::move(all));
  if (!clean.has_value() || *clean != count)
    std::abort();
  return count / std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
}

} // namespace

int main(int argc, char** argv) {
  const bool is_quick = argc > 1 && std::string{argv[1]} == "--quick";
  const std::uint64_t messages = is_quick ? 20'000 : 2'000'000;
  double best = 0;
  for (int round = 0; round < (is_quick ? 1 : 5); ++round)
    best = std::max(best, messages_per_second(messages));
  std::cout << "messages/s: " << static_cast<std::uint64_t>(best) << "\n";
  std::cout << "sessions/s: " << static_cast<std::uint64_t>(sessions_per_second(is_quick ? 200 : 20'000)) << std::endl;
}
