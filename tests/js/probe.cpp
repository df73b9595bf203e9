// The module that the tests of the JavaScript face load: small tasks, each of which does one thing.
#include "actors/ask.hpp"
#include "js/module.hpp"
#include "platform/wasm_dispatcher.hpp"
#include <caf/all.hpp>
#include <chrono>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <stdexcept>

using namespace troupe;
using namespace std::chrono_literals;
using js::invocation;
using nlohmann::json;

namespace {

struct state {
  std::string config;
  bool enough = false;
};

const js::application setup{[](troupe::system&, const std::string& config) -> std::shared_ptr<void> {
  if (config == R"("bad")")
    throw std::invalid_argument{"this config is bad"};
  return std::make_shared<state>(state{config});
}};

std::chrono::milliseconds milliseconds(const invocation& in) {
  return std::chrono::milliseconds{json::parse(in.arguments).get<int>()};
}

const js::named_task echo{"echo", [](invocation in) -> async<std::string> { co_return in.arguments; }};
const js::named_task config{"config", [](invocation in) -> async<std::string> { co_return in.of<state>().config; }};
const js::named_task not_json{"notJson", [](invocation) -> async<std::string> { co_return "nobody's JSON"; }};

const js::named_task sleeps{"sleep", [](invocation in) -> async<std::string> {
                              co_await sleep_for(milliseconds(in));
                              co_return "\"slept\"";
                            }};

const js::named_task fails{"fail", [](invocation in) -> async<std::string> {
                             co_await yield();
                             throw std::runtime_error{json::parse(in.arguments).get<std::string>()};
                           }};

// Steps that make more of themselves, until `stop` is spawned; returns how many there were.
const js::named_task floods{"flood", [](invocation in) -> async<std::string> {
                              auto& shared = in.of<state>();
                              std::uint64_t steps = 0;
                              for (shared.enough = false; !shared.enough; ++steps)
                                co_await yield();
                              co_return std::to_string(steps);
                            }};

// Two actors that send each other messages until `stop` is spawned; returns how many there were.
const js::named_task pings{"ping", [](invocation in) -> async<std::string> {
                             auto& shared = in.of<state>();
                             shared.enough = false;
                             std::uint64_t messages = 0;
                             auto pong = [&](caf::event_based_actor*) -> caf::behavior {
                               return {[&](caf::actor from, int n) {
                                 ++messages;
                                 if (!shared.enough)
                                   caf::anon_send(from, from, n + 1);
                               }};
                             };
                             auto& caf = in.system->caf();
                             auto a = caf.spawn(pong), b = caf.spawn(pong);
                             for (int i = 0; i < 32; ++i) {
                               caf::anon_send(a, a, 0);
                               caf::anon_send(b, b, 0);
                             }
                             while (!shared.enough)
                               co_await sleep_for(1ms);
                             caf::anon_send_exit(a, caf::exit_reason::user_shutdown);
                             caf::anon_send_exit(b, caf::exit_reason::user_shutdown);
                             co_await sleep_for(5ms);
                             co_return std::to_string(messages);
                           }};

const js::named_task stops{"stop", [](invocation in) -> async<std::string> {
                             in.of<state>().enough = true;
                             co_return "null";
                           }};

// {function, arguments, within?}: what the host's function of that name comes to.
const js::named_task calls{"call", [](invocation in) -> async<std::string> {
                             const auto given = json::parse(in.arguments);
                             static std::string name; // static storage, as `call` wants it
                             name = given.at("function").get<std::string>();
                             auto promise = js::call(name.c_str(), given.value("arguments", json()).dump());
                             if (given.contains("within"))
                               co_return co_await std::move(promise).within(
                                   std::chrono::milliseconds{given["within"].get<int>()});
                             co_return co_await promise;
                           }};

// What a blocking call says.
const js::named_task blocks{"block", [](invocation in) -> async<std::string> {
                              auto never = in.system->root().spawn([]() -> async<void> { co_await sleep_for(1h); });
                              const auto refused = in.system->block_on(std::move(never));
                              co_return json(refused.error().message()).dump();
                            }};

// Never ends: the module refuses, and is no good any more.
const js::named_task receives{"receive", [](invocation in) -> async<std::string> {
                                caf::scoped_actor self{in.system->caf()};
                                self->receive([](int) {});
                                co_return "null";
                              }};

// Ends the module as a failed assertion does.
const js::named_task aborts{"abort", [](invocation) -> async<std::string> {
                              co_await yield();
                              std::abort();
                            }};

const js::named_task asks{"ask", [](invocation in) -> async<std::string> {
                            auto twice = in.system->caf().spawn([](caf::event_based_actor* self) -> caf::behavior {
                              return {[=](int n) {
                                self->quit();
                                return 2 * n;
                              }};
                            });
                            auto answer = co_await ask<int>(twice, 1s, json::parse(in.arguments).get<int>());
                            co_return std::to_string(answer ? *answer : -1);
                          }};

const js::named_task opens{"openSessions", [](invocation in) -> async<std::string> {
                             const int count = json::parse(in.arguments).get<int>();
                             int clean = 0;
                             for (int i = 0; i < count; ++i) {
                               auto s = in.system->open_session({.name = "request"});
                               auto work = s.spawn([]() -> async<int> {
                                 co_await yield();
                                 co_return 1;
                               });
                               auto after = s.wait_until([]() -> async<void> { co_await yield(); });
                               co_await work;
                               clean += (co_await s.close()).is_clean();
                             }
                             co_return std::to_string(clean);
                           }};

} // namespace
