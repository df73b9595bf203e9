// The default dispatcher of a system, where Asio is there.
#include "platform/asio_dispatcher.hpp"
#include "sessions/system.hpp"

namespace troupe {

system::system(system_options options)
    : system(platform::make_asio_dispatcher({.thread_count = options.background_threads}), std::move(options)) {}

} // namespace troupe
