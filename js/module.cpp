// Carries out what troupe.mjs asks for: one JSON object in, one out; what takes time is answered later.
#include "js/module.hpp"
#include "js/glue.hpp"
#include "platform/wasm_dispatcher.hpp"
#include <cassert>
#include <cstdlib>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>

namespace troupe::js {
namespace {

using nlohmann::json;

/// What a request is answered with instead of a result.
struct refusal {
  std::string code;
  std::string message;
};

struct open_system {
  std::unique_ptr<troupe::system> system;
  std::shared_ptr<void> state;
  std::map<std::uint32_t, session> sessions;
};

/// Something that JavaScript awaits: answered once it has settled.
struct awaited {
  virtual ~awaited() = default;
  virtual std::string answer() = 0;
  int system = 0;
  task_waiter waiter;
};

struct module_state {
  std::map<std::string, named_work> tasks;
  set_up make;
  std::map<int, open_system> systems;
  std::map<int, std::unique_ptr<awaited>> awaited_tasks;
  int last_system = 0;
  int last_request = 0;
};
module_state& everything() {
  static module_state all;
  return all;
}

int number_of(platform::dispatcher& on) { return static_cast<int>(reinterpret_cast<std::intptr_t>(&on)); }

std::string text_of(const json& answer) { return answer.dump(-1, ' ', false, json::error_handler_t::replace); }

/// The answer that has a value: its text goes through as it is.
std::string answer_with(const std::string& value) { return "{\"value\":" + value + "}"; }

json failure(const std::string& code, const std::string& message) {
  return {{"error", {{"code", code}, {"message", message}}}};
}

template <class T>
json failure_of(const outcome<T>& ended) {
  if (ended.is_cancelled())
    return failure("cancelled", std::string{"the task was cancelled: "} + to_string(ended.cause()));
  if (!ended.exception())
    return failure(ended.error() == errc::session_closed ? "session_closed" : "rejected", ended.error().message());
  try {
    std::rethrow_exception(ended.exception());
  } catch (const error& thrown) {
    auto answer = failure("failed", thrown.what());
    answer["error"]["cause"] = thrown.name();
    return answer;
  } catch (...) {
    return failure("failed", describe(ended.exception()));
  }
}

// -- requests -----------------------------------------------------------------

open_system& system_of(const json& request) {
  const int number = request.at("system").get<int>();
  auto at = everything().systems.find(number);
  if (at == everything().systems.end())
    throw refusal{"closed", number > 0 && number <= everything().last_system
                                ? "this system has been closed: create another one"
                                : "there is no such system"};
  return at->second;
}

session& session_of(open_system& in, const json& request) {
  auto at = in.sessions.find(request.at("session").get<std::uint32_t>());
  if (at == in.sessions.end())
    throw refusal{"closed", "this session has been closed, and its report was handed out"};
  return at->second;
}

duration milliseconds(const json& value) {
  if (!value.is_number() || value.get<double>() < 0)
    throw refusal{"invalid_argument", "a time is a number of milliseconds, not " + value.dump()};
  return clamp_duration(std::chrono::duration_cast<duration>(
      std::chrono::duration<double, std::milli>(std::min(value.get<double>(), 6.3e11))));
}

/// One of the names of an enumeration.
template <class T>
T named(const json& value, std::initializer_list<std::pair<const char*, T>> names) {
  std::string known;
  for (const auto& [name, meaning] : names) {
    if (value == name)
      return meaning;
    known += (known.empty() ? "" : ", ") + std::string{name};
  }
  throw refusal{"invalid_argument", value.dump() + " is none of " + known};
}

session_options session_options_of(const json& request) {
  session_options options;
  const auto given = request.value("options", json::object());
  for (const auto& [key, value] : given.items()) {
    if (key == "name")
      options.name = value.get<std::string>();
    else if (key == "deadline")
      options.deadline = milliseconds(value);
    else if (key == "grace")
      options.grace = milliseconds(value);
    else if (key == "budget")
      options.shutdown_budget = milliseconds(value);
    else if (key == "onClose")
      options.on_close = named<join_mode>(
          value, {{"join", join_mode::join}, {"cancel", join_mode::cancel}, {"report", join_mode::report}});
    else if (key == "onFailure")
      options.on_failure = named<failure_policy>(value, {{"failSession", failure_policy::fail_session},
                                                         {"collect", failure_policy::collect},
                                                         {"log", failure_policy::log}});
    else
      throw refusal{"invalid_argument", "a session has no option '" + key + "'"};
  }
  return options;
}

spawn_options spawn_options_of(const json& request) {
  spawn_options options;
  const auto given = request.value("options", json::object());
  for (const auto& [key, value] : given.items()) {
    if (key == "name")
      options.name = value.get<std::string>();
    else if (key == "kind")
      options.kind = named<task_kind>(
          value, {{"scoped", task_kind::scoped}, {"waitUntil", task_kind::wait_until}, {"daemon", task_kind::daemon}});
    else if (key == "priority")
      options.urgency = named<priority>(value, {{"background", priority::background},
                                                {"normal", priority::normal},
                                                {"foreground", priority::foreground},
                                                {"critical", priority::critical}});
    else
      throw refusal{"invalid_argument", "a task has no option '" + key + "'"};
  }
  return options;
}

void collect(int number) {
  auto& all = everything().awaited_tasks;
  auto at = all.find(number);
  if (at == all.end())
    return;
  auto settled = std::move(at->second);
  all.erase(at);
  const auto text = settled->answer();
  settled.reset();
  troupe_js_answer(number, text.c_str());
}

/// Has the end of `work` answered later. @returns the number of the request.
template <class T, class ToText>
int answer_later(int system, task<T> work, ToText&& to_text) {
  struct kept final : awaited {
    kept(task<T> held, std::decay_t<ToText> how) : work(std::move(held)), make(std::move(how)) {}
    std::string answer() override {
      auto* cell = work.cell();
      cell->remove_waiter(waiter);
      return work.peek().has_value() ? make(*work.peek()) : text_of(failure_of(work.peek()));
    }
    task<T> work;
    std::decay_t<ToText> make;
  };
  auto entry = std::make_unique<kept>(std::move(work), std::forward<ToText>(to_text));
  const int number = ++everything().last_request;
  entry->system = system;
  entry->waiter.notify = [](void* context) noexcept {
    troupe_js_collect_soon(static_cast<int>(reinterpret_cast<std::intptr_t>(context)));
  };
  entry->waiter.context = reinterpret_cast<void*>(static_cast<std::intptr_t>(number));
  auto& waits = *entry;
  auto* cell = entry->work.cell();
  everything().awaited_tasks[number] = std::move(entry);
  if (!cell->add_waiter(waits.waiter))
    troupe_js_collect_soon(number);
  return number;
}

/// The report's JSON, and what it says to people.
std::string as_object(const cleanup_report& report) {
  return "{\"text\":" + text_of(report.to_text()) + "," + report.to_json().substr(1);
}

json create(const json& request) {
  platform::wasm_dispatcher_options loop;
  system_options options;
  // Fairness to the host: a turn is `budget` times `throughput` messages at most.
  options.host.max_throughput = 8;
  const auto given = request.value("options", json::object());
  for (const auto& [key, value] : given.items()) {
    const bool is_count = value.is_number_integer() && value.get<std::int64_t>() > 0;
    if (key != "budget" && key != "throughput")
      throw refusal{"invalid_argument", "a system has no option '" + key + "'"};
    if (!is_count)
      throw refusal{"invalid_argument", key + " is a whole number above 0, not " + value.dump()};
    (key == "budget" ? loop.budget : options.host.max_throughput) = value.get<std::size_t>();
  }
  open_system made;
  made.system = std::make_unique<troupe::system>(platform::make_wasm_dispatcher(loop), std::move(options));
  if (everything().make)
    made.state = everything().make(*made.system, request.value("config", json()).dump());
  made.sessions[made.system->root().id().number] = made.system->root();
  const int number = ++everything().last_system;
  const auto root = made.system->root().id().number;
  const auto dispatcher = number_of(made.system->dispatcher());
  everything().systems[number] = std::move(made);
  return {{"system", number}, {"root", root}, {"dispatcher", dispatcher}};
}

json open_session(const json& request) {
  auto& in = system_of(request);
  auto made = session_of(in, request).open_session(session_options_of(request));
  if (made.error())
    throw refusal{"session_closed", made.error().message()};
  in.sessions[made.id().number] = made;
  return {{"session", made.id().number}, {"id", to_string(made.id())}};
}

json spawn(const json& request) {
  auto& in = system_of(request);
  auto& owner = session_of(in, request);
  const auto name = request.at("task").get<std::string>();
  auto at = everything().tasks.find(name);
  if (at == everything().tasks.end()) {
    std::string known;
    for (const auto& [each, work] : everything().tasks)
      known += (known.empty() ? "" : ", ") + each;
    throw refusal{"unknown_task", "the module has no task '" + name + "'; it has: " + (known.empty() ? "none" : known)};
  }
  auto options = spawn_options_of(request);
  if (options.name.view().empty())
    options.name = name;
  invocation given{request.value("arguments", json()).dump(), in.system.get(), in.state};
  auto work =
      owner.spawn([work = at->second, given = std::move(given)]() mutable { return work(std::move(given)); }, options);
  const auto id = to_string(work.id());
  const auto session_number = work.id().session.number, task_number = work.id().number;
  const int number = answer_later(request.at("system"), std::move(work), [](const std::string& text) {
    if (!json::accept(text))
      return text_of(failure("failed", "the task's result is not JSON: " + text.substr(0, 80)));
    return answer_with(text);
  });
  return {{"request", number}, {"id", id}, {"sessionNumber", session_number}, {"taskNumber", task_number}};
}

json wait_until(const json& request) {
  promise given{request.at("promise").get<int>(), "a promise given to waitUntil"}; // first: one refused is let go of
  auto& in = system_of(request);
  auto& owner = session_of(in, request);
  auto options = spawn_options_of(request);
  options.kind = task_kind::wait_until;
  auto work =
      owner.wait_until([held = std::move(given)]() mutable -> async<std::string> { co_return co_await held; }, options);
  if (work.is_ready() && work.state() == task_state::rejected)
    throw refusal{"session_closed", work.error().message()};
  return {{"request", answer_later(request.at("system"), std::move(work),
                                   [](const std::string&) { return answer_with("null"); })}};
}

json cancel_task(const json& request) {
  auto& in = system_of(request);
  return in.system->cancel_task(
      {{request.at("sessionNumber").get<std::uint32_t>()}, request.at("taskNumber").get<std::uint32_t>()});
}

json close_session(const json& request) {
  auto& in = system_of(request);
  auto owner = session_of(in, request);
  std::optional<duration> budget;
  if (request.contains("budget"))
    budget = milliseconds(request["budget"]);
  if (request.value("cancel", false))
    owner.cancel();
  const bool is_root = owner == in.system->root();
  if (!is_root)
    in.sessions.erase(owner.id().number);
  owner.start_close(is_root ? close_cause::system_stopping : close_cause::completed, budget);
  return {{"request", answer_later(request.at("system"), owner.closed(),
                                   [](const cleanup_report& ended) { return answer_with(as_object(ended)); })}};
}

json report(const json& request) {
  auto& in = system_of(request);
  return json::parse(as_object(session_of(in, request).report()));
}

/// After the root session's report, from a callback of the host's: nothing runs.
json destroy(const json& request) {
  auto& in = system_of(request);
  const int number = request.at("system");
  if (in.system->root().state() != session_state::closed)
    throw refusal{"not_closed", "the system has not been closed yet"};
  // Whoever still awaits something of it gets the answer now.
  std::vector<int> left;
  for (const auto& [key, each] : everything().awaited_tasks)
    if (each->system == number)
      left.push_back(key);
  for (int each : left)
    collect(each);
  auto ended = std::move(in);
  everything().systems.erase(number);
  ended.sessions.clear();
  ended.state.reset();
  ended.system.reset();
  return nullptr;
}

json task_names(const json&) {
  auto names = json::array();
  for (const auto& [name, work] : everything().tasks)
    names.push_back(name);
  return names;
}

json carry_out(const char* text) {
  static const std::map<std::string, json (*)(const json&)> requests{
      {"create", create},        {"openSession", open_session}, {"spawn", spawn},
      {"waitUntil", wait_until}, {"cancelTask", cancel_task},   {"close", close_session},
      {"report", report},        {"destroy", destroy},          {"tasks", task_names},
  };
  try {
    const auto request = json::parse(text);
    return {{"value", requests.at(request.at("op").get<std::string>())(request)}};
  } catch (const refusal& refused) {
    return failure(refused.code, refused.message);
  } catch (const json::exception& wrong) {
    return failure("invalid_argument", wrong.what());
  } catch (...) {
    return failure("failed", describe(std::current_exception()));
  }
}

} // namespace

/// @returns malloc'ed text, the caller's to free
extern "C" EMSCRIPTEN_KEEPALIVE char* troupe_js_request(const char* text) {
  const auto answer = text_of(carry_out(text));
  auto* copy = static_cast<char*>(std::malloc(answer.size() + 1));
  std::memcpy(copy, answer.c_str(), answer.size() + 1);
  return copy;
}

extern "C" EMSCRIPTEN_KEEPALIVE void troupe_js_collect(int number) { collect(number); }

named_task::named_task(std::string name, named_work work) {
  troupe_js_start();
  const bool is_new = everything().tasks.emplace(std::move(name), std::move(work)).second;
  assert(is_new && "two tasks have the same name");
  static_cast<void>(is_new);
}

application::application(set_up make) {
  troupe_js_start();
  everything().make = std::move(make);
}

} // namespace troupe::js
