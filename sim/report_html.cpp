// A run as one self-contained page.
#include "sim/report_html.hpp"
#include "sim/shown_events.hpp"
#include <map>
#include <nlohmann/json.hpp>
#include <unordered_map>

namespace troupe {

/// The page, with a mark where the data goes; made from sim/report.html.
std::string_view report_page() noexcept;

namespace {

using nlohmann::ordered_json;

/// Strings by number, each kept once: the same messages come again and again.
class string_table {
public:
  std::size_t operator[](const std::string& text) {
    auto [found, is_new] = numbers_.try_emplace(text, numbers_.size());
    if (is_new)
      all_.push_back(text);
    return found->second;
  }
  const std::vector<std::string>& all() const noexcept { return all_; }

private:
  std::unordered_map<std::string, std::size_t> numbers_;
  std::vector<std::string> all_;
};

class page_data {
public:
  void add(const told_run& told, const char* name) {
    ordered_json events = ordered_json::array();
    std::unordered_map<std::uint64_t, std::uint64_t> times; // An event that was put off happens again.
    for (const auto& shown : shown_events(told)) {
      const auto& entry = told.result.trace[shown.number - 1];
      const auto& marks = shown.marks;
      const unsigned flags = (shown.is_internal ? 1u : 0u) | (marks.is_left_out ? 2u : 0u) |
                             (marks.is_out_of_turn ? 4u : 0u) | (marks.is_failing ? 8u : 0u) |
                             (marks.is_racing ? 16u : 0u);
      const auto kind = kinds_[to_string(entry.kind)];
      const auto key = entry.identity * 16 + kind;
      const auto id = ids_.try_emplace({key, times[key]++}, ids_.size()).first->second;
      events.push_back({kind, actors_[shown.from], actors_[shown.to], texts_[shown.label], texts_[shown.what],
                        std::chrono::duration_cast<std::chrono::nanoseconds>(entry.time).count(), flags,
                        shown.cause == no_entry ? -1 : static_cast<std::int64_t>(shown.cause), texts_[entry.state],
                        id});
    }
    runs_.push_back({{"name", name},
                     {"verdict", to_string(told.result.end)},
                     {"message", told.result.message},
                     {"events", std::move(events)}});
  }

  void put_into(ordered_json& object) {
    object["kinds"] = kinds_.all();
    object["actors"] = ordered_json::array();
    for (const auto& name : actors_.all())
      object["actors"].push_back({{"name", name}});
    object["texts"] = texts_.all();
    object["runs"] = std::move(runs_);
  }

private:
  string_table kinds_, actors_, texts_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::size_t> ids_; ///< The same event in both runs.
  ordered_json runs_ = ordered_json::array();
};

} // namespace

std::string to_html(const explanation& explained, const report_facts& facts) {
  const auto& result = explained.run.result;
  ordered_json object;
  object["scenario"] = facts.scenario;
  object["verdict"] = to_string(result.end);
  object["message"] = result.message;
  object["race"] = explained.race;
  object["wakeup"] = explained.wakeup;
  auto& shown = object["facts"] = ordered_json::array();
  auto fact = [&shown](const char* name, const std::string& value) {
    if (!value.empty())
      shown.push_back({name, value});
  };
  fact("seed", std::to_string(facts.seed));
  fact("strategy", facts.strategy);
  fact("order model", to_string(result.model));
  fact("events", std::to_string(result.steps));
  fact("deliveries", std::to_string(result.deliveries));
  fact("tape", facts.tape);
  fact("replay", facts.replay);
  page_data data;
  data.add(explained.run, result.is_failure() ? "failing" : "passing");
  if (explained.is_race)
    data.add(explained.passing, "passing");
  data.put_into(object);

  std::string json = object.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
  std::string page;
  const auto template_text = report_page();
  constexpr std::string_view mark = "@DATA@";
  const auto at = template_text.find(mark);
  page.reserve(template_text.size() + json.size() + json.size() / 16);
  page.append(template_text.substr(0, at));
  for (char c : json)
    if (c == '<') // No text of a message ends the element that holds it.
      page += "\\u003c";
    else
      page += c;
  return page.append(template_text.substr(at + mark.size()));
}

} // namespace troupe
