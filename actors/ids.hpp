// Small, stable, printable names of sessions and tasks, and the label a user may add.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace troupe {

/// Names a session within its system; 0 names none. Counted per system in order of opening, so the same in every run
/// of the same seed.
struct session_id {
  std::uint32_t number = 0;
  auto operator<=>(const session_id&) const = default;
  explicit operator bool() const noexcept { return number != 0; }
};

/// Names a task within its system: its session and a number counted per session in order of spawning.
struct task_id {
  session_id session;
  std::uint32_t number = 0;
  auto operator<=>(const task_id&) const = default;
  explicit operator bool() const noexcept { return number != 0; }
};

/// "s3".
inline std::string to_string(session_id id) { return "s" + std::to_string(id.number); }
/// "s3.t7".
inline std::string to_string(task_id id) { return to_string(id.session) + ".t" + std::to_string(id.number); }

/// A name for logs, reports and control in tests. Cheap to copy; an empty label allocates nothing.
class label {
public:
  label() = default;
  label(const char* text) : label(std::string_view{text}) {}
  label(const std::string& text) : label(std::string_view{text}) {}
  label(std::string_view text) : text_(text.empty() ? nullptr : std::make_shared<const std::string>(text)) {}

  bool empty() const noexcept { return !text_; }
  /// Valid as long as a copy of this label lives.
  std::string_view view() const noexcept { return text_ ? std::string_view{*text_} : std::string_view{}; }
  std::string str() const { return std::string{view()}; }
  friend bool operator==(const label& a, const label& b) noexcept { return a.view() == b.view(); }

private:
  std::shared_ptr<const std::string> text_;
};

} // namespace troupe

template <>
struct std::hash<troupe::session_id> {
  std::size_t operator()(troupe::session_id id) const noexcept { return id.number; }
};
template <>
struct std::hash<troupe::task_id> {
  std::size_t operator()(troupe::task_id id) const noexcept {
    return std::hash<std::uint64_t>{}((std::uint64_t{id.session.number} << 32) ^ id.number);
  }
};
