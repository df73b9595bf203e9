// What a user's first program looks like; built against an installed Troupe, and with Troupe as a subproject.
#include <iostream>
#include <platform/dispatcher.hpp>

int main() { std::cout << make_error_code(troupe::platform::dispatch_errc::stopped).message() << '\n'; }
