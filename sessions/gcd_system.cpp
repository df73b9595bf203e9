// The dispatcher that a system makes for itself where there is GCD and no Asio.
#include "platform/gcd_dispatcher.hpp"
#include "sessions/system.hpp"

namespace troupe {

system::system(system_options options)
    : system(platform::make_gcd_dispatcher({.width = options.background_threads}), std::move(options)) {}

} // namespace troupe
