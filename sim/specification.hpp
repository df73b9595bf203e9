// What a program under test may say of itself, from anywhere inside a run, plain CAF actors included.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <typeindex>

namespace troupe {

/// Any number of [0, count), each a schedule of its own: a decision on the tape, which searches try like any other. For
/// what the environment decides: does the disk fail, does the timer fire, which node is asked.
/// @pre count > 0 @throws std::logic_error outside of a simulated run
std::uint64_t choose(std::uint64_t count);
/// `choose(2) == 1`
inline bool choose_bool() { return choose(2) == 1; }

/// Ends the run as failed; the first failure counts. @throws std::logic_error outside of a simulated run
void fail(const std::string& what);
/// `fail(what)` unless `holds`. @returns holds
inline bool check(bool holds, const std::string& what) {
  if (!holds)
    fail(what);
  return holds;
}

/// Watches a run: a state machine that is fed with observations, of which it makes failures. Derive from it, give it a
/// member function for each kind of observation, and call them through `observe`. One instance per run and type.
class monitor {
public:
  virtual ~monitor() = default;
  bool is_hot() const noexcept { return !awaited_.empty(); }
  /// What it waits for while it is hot.
  const std::string& awaited() const noexcept { return awaited_; }
  /// Everything that it remembers, as text, if it can tell. If it cannot, each observation of it counts as a
  /// change of state, and no lasso is found across one.
  virtual std::optional<std::string> state() const { return std::nullopt; }

protected:
  /// Something has to happen yet, which `what` says: if the run comes to rest before `become_cold`, or goes on for
  /// `simulation_options::temperature_max` events, it has failed. @pre !what.empty()
  void become_hot(std::string what) { awaited_ = std::move(what); }
  void become_cold() noexcept { awaited_.clear(); }

private:
  std::string awaited_;
};

namespace detail {
monitor& monitor_of_run(std::type_index type, std::unique_ptr<monitor> (*make)());
}

/// The run's `Monitor`, made when it is first asked for: `observe<leaders>().elected(term, node)`.
/// @throws std::logic_error outside of a simulated run
template <class Monitor>
Monitor& observe() {
  return static_cast<Monitor&>(detail::monitor_of_run(
      typeid(Monitor), []() -> std::unique_ptr<monitor> { return std::make_unique<Monitor>(); }));
}

} // namespace troupe
