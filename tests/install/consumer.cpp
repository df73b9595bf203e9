// What a user's first program looks like; built against an installed Troupe, and with Troupe as a subproject.
#include <iostream>
#include <troupe.hpp>

int main() {
  troupe::system sys;
  auto order = sys.open_session({.name = "order"});
  auto sum = order.spawn([] { return 20 + 22; });
  auto value = sys.block_on(std::move(sum));
  auto report = sys.block_on(order.close());
  std::cout << *value << ' ' << to_string(report->outcome) << '\n';
}
