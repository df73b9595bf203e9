// What is told of a run, as a file: text, JSON lines, a Perfetto trace, or a page.
#pragma once
#include "sim/explanation.hpp"
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace troupe {

/// What the file is.
enum class report_format : std::uint8_t {
  text,     ///< The chart and what belongs to it: `chart`.
  jsonl,    ///< JSON, one object a line: `to_json_lines`.
  perfetto, ///< JSON trace events, for ui.perfetto.dev and chrome://tracing: `to_perfetto`.
  html,     ///< One self-contained page: `to_html`.
};
const char* to_string(report_format format) noexcept;
/// The inverse. @returns nothing for text that names none.
std::optional<report_format> report_format_named(std::string_view name) noexcept;
/// The format that the ending of a file name stands for: .txt, .jsonl, .json (Perfetto) or .html.
std::optional<report_format> report_format_of_file(std::string_view path) noexcept;

/// Where a run comes from, for the head of a report.
struct report_facts {
  std::string scenario; ///< Or the name of the test.
  std::string strategy;
  std::uint64_t seed = 0;
  std::string tape;   ///< File; empty if there is none.
  std::string replay; ///< The command that has the run again; empty if there is none.
};

std::string to_report(report_format format, const explanation& explained, const report_facts& facts);

/// Writes it, whole or not at all. @returns why it could not; nothing if it could.
std::error_code save_report(const std::string& path, report_format format, const explanation& explained,
                            const report_facts& facts);

} // namespace troupe
