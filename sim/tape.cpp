// Tapes as text.
#include "sim/tape.hpp"
#include "sim/names.hpp"
#include "sim/random_source.hpp"
#include "sim/text.hpp"
#include "sim/version.hpp"
#include <algorithm>

namespace troupe {
namespace {

constexpr std::string_view magic = "troupe tape ";
constexpr std::string_view format_version = "3";
/// The one before had no faults.
constexpr std::string_view faultless_version = "2";
constexpr std::string_view checksum_name = "checksum: ";

/// Of the text but for the checksum's own line. Finds accidents, not forgers.
std::uint64_t checksum(std::string_view before, std::string_view after) {
  std::uint64_t sum = 0xcbf29ce484222325ull; // FNV-1a.
  for (auto part : {before, after})
    for (char c : part)
      sum = (sum ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
  return mix(sum);
}

/// Names may hold anything; a header line may not.
std::string escaped(std::string_view text) {
  std::string result;
  for (char c : text)
    if (c == '\\')
      result += "\\\\";
    else if (c == '\n')
      result += "\\n";
    else if (c == '\r')
      result += "\\r";
    else
      result += c;
  return result;
}

std::string unescaped(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size())
      result += text[i];
    else if (char c = text[++i]; c == 'n')
      result += '\n';
    else if (c == 'r')
      result += '\r';
    else
      result += c;
  }
  return result;
}

/// Takes the text apart line by line.
class reader {
public:
  reader(std::string_view text, std::string_view name, tape_error& error) : text_(text), name_(name), error_(error) {}

  std::optional<tape> read() {
    if (!read_version() || !read_header() || !read_decisions())
      return std::nullopt;
    return std::move(result_);
  }

private:
  bool fail(tape_errc code, const std::string& detail = {}) {
    error_.code = code;
    error_.message = "tape \"" + one_line(name_) + "\": " + error_.code.message();
    if (!detail.empty())
      error_.message += ": " + one_line(detail);
    return false;
  }

  /// The next line without its end; nothing if there is no whole one.
  std::optional<std::string_view> line() {
    auto end = text_.find('\n', at_);
    if (end == text_.npos)
      return std::nullopt;
    auto result = text_.substr(at_, end - at_);
    at_ = end + 1;
    ++number_;
    return result;
  }

  bool corrupted() { return fail(tape_errc::corrupted, "line " + std::to_string(number_)); }

  bool read_version() {
    if (text_.substr(0, magic.size()) != magic)
      return !text_.empty() && magic.substr(0, text_.size()) == text_ ? fail(tape_errc::truncated)
                                                                      : fail(tape_errc::not_a_tape);
    auto first = line();
    if (!first)
      return fail(tape_errc::truncated);
    auto version = first->substr(magic.size());
    has_faults_ = version == format_version;
    if (version != format_version && version != faultless_version)
      return fail(tape_errc::other_version, std::string(version.substr(0, 20)) + ", this program reads " +
                                                std::string(faultless_version) + " and " + std::string(format_version));
    return true;
  }

  /// The value of the header line `name`.
  bool field(std::string_view name, std::string_view& value) {
    auto next = line();
    if (!next)
      return fail(tape_errc::truncated);
    if (next->substr(0, name.size()) != name || next->substr(name.size(), 2) != ": ")
      return corrupted();
    value = next->substr(name.size() + 2);
    return true;
  }
  bool field(std::string_view name, std::string& value) {
    std::string_view text;
    if (!field(name, text))
      return false;
    value = unescaped(text);
    return true;
  }
  bool field(std::string_view name, std::uint64_t& value) {
    std::string_view text;
    return field(name, text) && take(unsigned_number(text), value);
  }
  bool field(std::string_view name, bool& value) {
    std::string_view text;
    if (!field(name, text))
      return false;
    value = text == "true";
    return value || text == "false" || corrupted();
  }
  template <class T>
  bool take(const std::optional<T>& from, T& to) {
    if (!from)
      return corrupted();
    to = *from;
    return true;
  }

  bool read_faults() {
    std::string_view text;
    std::string error;
    return !has_faults_ || (field("faults", text) && take(parse_faults(text, error), result_.options.faults));
  }

  bool read_header() {
    auto& options = result_.options;
    std::string_view model, end, hash, sum, version;
    if (!field("troupe", version) || !field("program", result_.program) || !field("scenario", result_.scenario) ||
        !field("strategy", result_.strategy) || !field("seed", options.seed) || !field("model", model) ||
        !take(order_model_named(model), options.model) || !field("max_steps", options.max_steps) ||
        !field("randomize_order", options.randomize_order) || !field("randomize_delays", options.randomize_delays) ||
        !field("fail_on_failed_session", options.fail_on_failed_session) ||
        !field("fail_on_step_limit", options.fail_on_step_limit) ||
        !field("temperature_max", options.temperature_max) || !read_faults() || !field("verdict", end) ||
        !take(verdict_named(end), result_.end) || !field("trace_hash", hash) ||
        !take(hex_number(hash), result_.trace_hash) || !field("decisions", count_))
      return false;
    before_sum_ = at_;
    if (!field("checksum", sum) || !take(hex_number(sum), sum_))
      return false;
    after_sum_ = at_;
    return true;
  }

  bool read_decisions() {
    // The shortest decision takes 27 bytes: a wrong number must not reserve memory for more than the text can hold.
    result_.decisions.reserve(std::min<std::uint64_t>(count_, text_.size() / 24));
    for (std::uint64_t i = 0; i < count_; ++i) {
      auto next = line();
      if (!next)
        return fail(tape_errc::truncated, std::to_string(i) + " of " + std::to_string(count_) + " decisions");
      auto parsed = parse_decision(*next);
      if (!parsed)
        return corrupted();
      result_.decisions.push_back(*parsed);
    }
    if (at_ != text_.size() && !read_order())
      return false;
    if (checksum(text_.substr(0, before_sum_), text_.substr(after_sum_)) != sum_)
      return fail(tape_errc::corrupted, "its checksum is wrong");
    return true;
  }

  /// `name count`, and then as many lines.
  template <class Parse>
  bool read_lines(std::string_view name, Parse parse) {
    auto head = line();
    if (!head)
      return fail(tape_errc::truncated);
    std::optional<std::uint64_t> count;
    if (head->substr(0, name.size()) != name || head->substr(name.size(), 1) != " " ||
        !(count = unsigned_number(head->substr(name.size() + 1))))
      return corrupted();
    for (std::uint64_t i = 0; i < *count; ++i) {
      auto next = line();
      if (!next)
        return fail(tape_errc::truncated,
                    std::to_string(i) + " of " + std::to_string(*count) + " " + std::string(name));
      if (!parse(*next))
        return corrupted();
    }
    return true;
  }

  bool read_order() {
    auto first = line();
    constexpr std::string_view name = "message ";
    if (!first && name.substr(0, text_.size() - at_) == text_.substr(at_, name.size()))
      return fail(tape_errc::truncated);
    if (!first || first->substr(0, name.size()) != name)
      return fail(tape_errc::corrupted, "text after the last decision");
    result_.message = unescaped(first->substr(name.size()));
    if (!read_lines("events", [this](std::string_view text) { return read_event(text); }) ||
        !read_lines("values", [this](std::string_view text) { return read_value(text); }))
      return false;
    return at_ == text_.size() || fail(tape_errc::corrupted, "text after the last value");
  }

  static std::vector<std::string_view> words_of(std::string_view text) {
    std::vector<std::string_view> words;
    for (auto space = text.find(' '); space != text.npos; space = text.find(' ')) {
      words.push_back(text.substr(0, space));
      text.remove_prefix(space + 1);
    }
    words.push_back(text);
    return words;
  }

  /// `kind identity place actor parent content`
  bool read_event(std::string_view text) {
    const auto words = words_of(text);
    if (words.size() != 6)
      return false;
    const auto kind = event_kind_named(words[0]);
    const auto identity = hex_number(words[1]), place = hex_number(words[2]), actor = hex_number(words[3]),
               parent = hex_number(words[4]), content = hex_number(words[5]);
    if (!kind || !identity || !place || !actor || !parent || !content)
      return false;
    recorded_event event{{*identity, *kind, *place, *actor, *parent}, result_.order.events.size()};
    event.what.content = *content;
    result_.order.events.push_back(event);
    return true;
  }

  /// `kind index/count during`
  bool read_value(std::string_view text) {
    const auto parsed = parse_decision(text);
    if (!parsed)
      return false;
    result_.order.values.push_back({parsed->kind, parsed->identity, parsed->index, parsed->count});
    return true;
  }

  /// `kind index/count identity`
  static std::optional<decision> parse_decision(std::string_view text) {
    auto space = text.find(' ');
    auto slash = text.find('/');
    auto last = text.rfind(' ');
    if (space == text.npos || slash == text.npos || slash < space || last < slash)
      return std::nullopt;
    auto kind = decision_kind_named(text.substr(0, space));
    auto index = unsigned_number(text.substr(space + 1, slash - space - 1));
    auto count = unsigned_number(text.substr(slash + 1, last - slash - 1));
    auto identity = hex_number(text.substr(last + 1));
    if (!kind || !index || !count || !identity || *count < 2 || *index >= *count || *count > 0xffffffffu)
      return std::nullopt;
    return decision{*kind, static_cast<std::uint32_t>(*index), static_cast<std::uint32_t>(*count), *identity};
  }

  std::string_view text_;
  std::string_view name_;
  tape_error& error_;
  tape result_;
  bool has_faults_ = false;
  std::uint64_t count_ = 0;
  std::uint64_t sum_ = 0;
  std::size_t at_ = 0;
  std::size_t number_ = 0;
  std::size_t before_sum_ = 0;
  std::size_t after_sum_ = 0;
};

void append_choice(decision_kind kind, std::uint32_t index, std::uint32_t count, std::uint64_t hash,
                   std::string& body) {
  body.append(to_string(kind))
      .append(" ")
      .append(std::to_string(index))
      .append("/")
      .append(std::to_string(count))
      .append(" ")
      .append(hex_text(hash)) += '\n';
}

void append_order(const tape& recorded, std::string& body) {
  const auto& order = recorded.order;
  body.append("message ").append(escaped(recorded.message));
  body.append("\nevents ").append(std::to_string(order.events.size())) += '\n';
  for (const auto& each : order.events) {
    body += to_string(each.what.kind);
    for (auto number : {each.what.identity, each.what.place, each.what.actor, each.what.parent, each.what.content})
      (body += ' ') += hex_text(number);
    body += '\n';
  }
  body.append("values ").append(std::to_string(order.values.size())) += '\n';
  for (const auto& each : order.values)
    append_choice(each.kind, each.index, each.count, each.during, body);
}

const char* yes_or_no(bool value) { return value ? "true" : "false"; }

} // namespace

std::uint64_t deviations(const std::vector<decision>& decisions) noexcept {
  return static_cast<std::uint64_t>(
      std::count_if(decisions.begin(), decisions.end(), [](const decision& each) { return each.index != 0; }));
}

tape make_tape(std::string program, std::string scenario, std::string strategy, const simulation_options& options,
               const run_result& result, event_record order) {
  constexpr std::size_t most_events = 100'000;
  if (order.events.size() > most_events)
    order = {};
  tape recorded{
      std::move(program), std::move(scenario), std::move(strategy), options,
      result.end,         result.trace_hash,   result.decisions,    result.message.substr(0, result.message.find('\n')),
      std::move(order)};
  recorded.options.model = result.model;
  recorded.options.trace = false;
  recorded.options.log_operations = false;
  return recorded;
}

std::string to_text(const tape& recorded) {
  const auto& options = recorded.options;
  std::string head;
  auto field = [&head](const char* name, std::string_view value) {
    head.append(name).append(": ").append(value) += '\n';
  };
  head.append(magic).append(format_version) += '\n';
  field("troupe", version_text);
  field("program", escaped(recorded.program));
  field("scenario", escaped(recorded.scenario));
  field("strategy", escaped(recorded.strategy));
  field("seed", std::to_string(options.seed));
  field("model", to_string(options.model));
  field("max_steps", std::to_string(options.max_steps));
  field("randomize_order", yes_or_no(options.randomize_order));
  field("randomize_delays", yes_or_no(options.randomize_delays));
  field("fail_on_failed_session", yes_or_no(options.fail_on_failed_session));
  field("fail_on_step_limit", yes_or_no(options.fail_on_step_limit));
  field("temperature_max", std::to_string(options.temperature_max));
  field("faults", to_text(options.faults));
  field("verdict", to_string(recorded.end));
  field("trace_hash", hex_text(recorded.trace_hash));
  field("decisions", std::to_string(recorded.decisions.size()));
  std::string body;
  body.reserve(recorded.decisions.size() * 32);
  for (const auto& each : recorded.decisions)
    append_choice(each.kind, each.index, each.count, each.identity, body);
  if (!recorded.order.events.empty())
    append_order(recorded, body);
  const auto sum = checksum(head, body);
  head.append(checksum_name).append(hex_text(sum)) += '\n';
  return head + body;
}

std::optional<tape> parse_tape(std::string_view text, std::string_view name, tape_error& error) {
  return reader(text, name, error).read();
}

bool belongs_to(const tape& recorded, std::string_view program, std::string_view scenario, std::string_view name,
                tape_error& error) {
  auto check = [&](tape_errc code, const char* what, const std::string& theirs, std::string_view ours) {
    if (theirs == ours)
      return true;
    error.code = code;
    error.message = "tape \"" + one_line(name) + "\": " + error.code.message() + ": " + what + " \"" +
                    one_line(theirs) + "\", not \"" + one_line(ours) + "\"";
    return false;
  };
  return check(tape_errc::other_program, "program", recorded.program, program) &&
         check(tape_errc::other_scenario, "scenario", recorded.scenario, scenario);
}

} // namespace troupe
