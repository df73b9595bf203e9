// What is told of a run, as a file.
#include "sim/report.hpp"
#include "sim/chart.hpp"
#include "sim/report_html.hpp"
#include "sim/text_file.hpp"
#include "sim/trace_json.hpp"
#include "sim/trace_perfetto.hpp"
#include <array>

namespace troupe {
namespace {

constexpr std::array names{"text", "jsonl", "perfetto", "html"};
constexpr std::array<std::string_view, 4> endings{".txt", ".jsonl", ".json", ".html"};

std::string as_text(const explanation& explained, const report_facts& facts) {
  auto text =
      facts.scenario + " (" + facts.strategy + ", seed " + std::to_string(facts.seed) + ")\n\n" + chart(explained);
  if (!facts.replay.empty())
    text += "\nreplay: " + facts.replay + "\n";
  return text;
}

} // namespace

const char* to_string(report_format format) noexcept { return names[static_cast<std::size_t>(format)]; }

std::optional<report_format> report_format_named(std::string_view name) noexcept {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (name == names[i])
      return static_cast<report_format>(i);
  return std::nullopt;
}

std::optional<report_format> report_format_of_file(std::string_view path) noexcept {
  for (std::size_t i = 0; i < endings.size(); ++i)
    if (path.ends_with(endings[i]))
      return static_cast<report_format>(i);
  return std::nullopt;
}

std::string to_report(report_format format, const explanation& explained, const report_facts& facts) {
  switch (format) {
  case report_format::text:
    break;
  case report_format::jsonl:
    return to_json_lines(explained, facts);
  case report_format::perfetto:
    return to_perfetto(explained, facts);
  case report_format::html:
    return to_html(explained, facts);
  }
  return as_text(explained, facts);
}

std::error_code save_report(const std::string& path, report_format format, const explanation& explained,
                            const report_facts& facts) {
  return write_file(path, to_report(format, explained, facts));
}

} // namespace troupe
