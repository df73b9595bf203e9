// Lets other Asio code share the threads of an Asio dispatcher: the one header that names Asio types.
#pragma once
#include "platform/dispatcher.hpp"

namespace boost::asio {
class io_context;
}

namespace troupe::platform {

/// The io_context that the threads of the background lane run while they are idle, and from time to time while they
/// are not. Its handlers run concurrently, must not block for long and must not throw. It stops with the dispatcher:
/// what is pending then is destroyed by the dispatcher's destructor. Do not stop or run it yourself.
/// @pre `where` was made by `make_asio_dispatcher`
boost::asio::io_context& background_context(dispatcher& where) noexcept;

/// The same, or null if `where` is another dispatcher.
boost::asio::io_context* find_background_context(dispatcher& where) noexcept;

/// The io_context of the foreground lane. The main thread, and no other, may run it at any time; its `run` returns
/// only when it is stopped.
/// @pre `where` was made by `make_asio_dispatcher`
boost::asio::io_context& foreground_context(dispatcher& where) noexcept;

} // namespace troupe::platform
