// The default dispatcher of a system where the JavaScript event loop is all there is.
#include "platform/wasm_dispatcher.hpp"
#include "sessions/system.hpp"

namespace troupe {

system::system(system_options options) : system(platform::make_wasm_dispatcher(), std::move(options)) {}

} // namespace troupe
