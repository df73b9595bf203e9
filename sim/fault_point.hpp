// Points where the program under test lets things go wrong, by name.
#pragma once
#include <string_view>

namespace troupe {

/// True if the fault `name` is to happen here: `if (fault_point("store.write")) return io_error;`. A decision within
/// the budget `fault_options::point`, of which choice 0 is false. False, at the cost of one look at a variable, outside
/// of a simulated run and without a budget. Thread safety: any thread.
bool fault_point(std::string_view name);

/// Here the actor whose handler is running may crash, or its node, within the budgets `crash` and `node_crash`: then it
/// throws, which ends the handler, and what it has sent and written so far is all. For places where being in the middle
/// of something matters, such as before and after a write. Nothing outside of a simulated run, outside of an actor's
/// handler, and for actors that cannot crash. The exception is not a std::exception: let it pass.
void crash_point(std::string_view name);

} // namespace troupe
