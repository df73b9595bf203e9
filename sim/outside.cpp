// Input that comes from outside of a run, and how it gets onto the tape.
#include "sim/outside.hpp"
#include "sim/engine.hpp"
#include "sim/outside_events.hpp"
#include "sim/random_source.hpp"

namespace troupe {

// -- input_queue --------------------------------------------------------------

void input_queue::push(std::string piece) {
  {
    std::lock_guard guard{mutex_};
    pieces_.push_back(std::move(piece));
  }
  changed_.notify_one();
}

void input_queue::close() {
  {
    std::lock_guard guard{mutex_};
    is_closed_ = true;
  }
  changed_.notify_all();
}

std::optional<std::string> input_queue::pop() {
  std::unique_lock guard{mutex_};
  changed_.wait(guard, [this] { return is_closed_ || !pieces_.empty(); });
  if (pieces_.empty())
    return std::nullopt;
  auto first = std::move(pieces_.front());
  pieces_.pop_front();
  return first;
}

// -- the tape -----------------------------------------------------------------

namespace {

struct byte_values final : candidates {
  explicit byte_values(std::size_t count) : count(count) {}
  std::size_t size() const noexcept override { return count; }
  candidate operator[](std::size_t index) const noexcept override { return {.identity = index}; }
  std::size_t count;
};

} // namespace

std::optional<std::string> sim_engine::take_input(const input_source& read) {
  constexpr std::size_t longest = 0xffff;
  // Whether there is any, its length in two bytes, its bytes: each a decision, recorded here or made by the strategy.
  std::optional<std::string> live;
  if (is_live()) {
    live = read();
    if (live && live->size() > longest)
      throw std::length_error("a piece of input has " + std::to_string(live->size()) + " bytes, and may have 65535");
  }
  const auto value = [this](std::uint8_t known, std::size_t count) {
    if (!is_live())
      return static_cast<std::uint8_t>(decide(decision_kind::random, byte_values{count}));
    result_.decisions.push_back({decision_kind::random, known, static_cast<std::uint32_t>(count), known});
    return known;
  };
  if (value(live ? 1 : 0, 2) == 0)
    return std::nullopt;
  std::size_t size = live ? live->size() : 0;
  const auto low = value(static_cast<std::uint8_t>(size & 0xff), 256);
  size = low | static_cast<std::size_t>(value(static_cast<std::uint8_t>(size >> 8), 256)) << 8;
  std::string content(size, '\0');
  for (std::size_t i = 0; i < size; ++i)
    content[i] = static_cast<char>(value(live ? static_cast<std::uint8_t>((*live)[i]) : 0, 256));
  // Other content is another run, also where the events are the same.
  for (char c : content)
    result_.trace_hash = mix(result_.trace_hash, static_cast<std::uint8_t>(c));
  return content;
}

// -- the events ---------------------------------------------------------------

outside_events::outside_events(sim_engine& engine, std::string name, input_source read,
                               std::function<void(const std::string&)> arrived)
    : engine_(engine), name_(std::move(name)), read_(std::move(read)), arrived_(std::move(arrived)) {
  expect();
}

void outside_events::expect() {
  if (!is_over_ && engine_.dispatch(platform::background_lane, *this, priority::normal))
    is_over_ = true;
}

void outside_events::run() noexcept {
  if (is_over_)
    return;
  try {
    if (const auto content = engine_.take_input(read_)) {
      arrived_(*content);
      expect();
    }
  } catch (const std::exception& error) {
    engine_.fail(verdict::exception, "the input '" + name_ + "' threw: " + error.what());
  } catch (...) {
    engine_.fail(verdict::exception, "the input '" + name_ + "' threw something that is not a std::exception");
  }
}

} // namespace troupe
