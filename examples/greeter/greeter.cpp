// The smallest module for JavaScript: one task, which asks its host for something and waits a little.
#include "js/module.hpp"

using namespace std::chrono_literals;
using troupe::async;

async<std::string> greet(troupe::js::invocation in) { // arguments and result are JSON text
  auto user = co_await troupe::js::call("fetchUser", in.arguments).within(2s);
  co_await troupe::sleep_for(10ms);
  co_return "{\"hello\": " + user + "}";
}
const troupe::js::named_task greet_task{"greet", greet};
