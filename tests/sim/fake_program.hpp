// A tiny program under test with an event loop of its own: what searching and shrinking are tested with, without
// actors.
#pragma once
#include "sim/random_source.hpp"
#include "sim/runner.hpp"
#include <deque>
#include <map>
#include <string>
#include <vector>

namespace troupe::testing {

/// Two clients each read a stock of one and then reserve what they saw. In the default order the second one warms up
/// for long enough to read after the first has reserved; if it is let through earlier, both reserve: oversold.
struct fake_program {
  int warm_up = 4;                                ///< Events before the second client reads.
  int bystanders = 3;                             ///< Actors that only make noise.
  int noise = 4;                                  ///< Messages of each of them.
  std::function<void(std::uint64_t)> on_run = {}; ///< Called with the seed.
  std::function<std::string()> addition = {};     ///< Goes into each event's identity and name.

  run_result operator()(std::uint64_t seed, strategy& order, bool trace) const;
};

namespace detail {

class fake_run final : public candidates {
public:
  fake_run(const fake_program& program, strategy& order, bool trace)
      : program_(program), order_(order), is_traced_(trace) {}

  run_result operator()() {
    send("test", "a", "go", 1);
    send("test", "b", "warm up", 2);
    for (int i = 0; i < program_.bystanders; ++i)
      send("test", "noise" + std::to_string(i), "noise", 3 + static_cast<std::uint64_t>(i));
    while (!enabled_.empty() && result_.end == verdict::ok) {
      std::size_t index = 0;
      if (enabled_.size() > 1) {
        index = order_.pick(decision_kind::event, *this);
        result_.decisions.push_back({decision_kind::event, static_cast<std::uint32_t>(index),
                                     static_cast<std::uint32_t>(size()), (*this)[index].identity});
      }
      happen(index);
    }
    return result_;
  }

  std::size_t size() const noexcept override { return enabled_.size(); }
  candidate operator[](std::size_t index) const noexcept override {
    const auto& m = enabled_[index];
    return {m.identity, m.has_arrived ? event_kind::handle : event_kind::arrival, 0};
  }

private:
  struct message {
    std::string from, to, what;
    std::uint64_t identity, parent;
    bool has_arrived = false;
  };

  void send(const std::string& from, const std::string& to, const std::string& what, std::uint64_t salt = 0) {
    auto extra = program_.addition ? program_.addition() : std::string();
    auto identity = mix(mix(cause_, ++effects_ + salt), std::hash<std::string>{}(extra));
    enabled_.push_back({from, to, what + extra, identity, cause_, false});
  }

  void happen(std::size_t index) {
    auto m = enabled_[index];
    enabled_.erase(enabled_.begin() + static_cast<std::ptrdiff_t>(index));
    ++result_.steps;
    auto kind = m.has_arrived ? event_kind::handle : event_kind::arrival;
    result_.trace_hash = mix(result_.trace_hash, mix(m.identity, static_cast<std::uint64_t>(kind)));
    if (is_traced_)
      result_.trace.push_back({m.identity, m.parent, kind, m.from, m.to, m.what, false, {}});
    if (!m.has_arrived) {
      m.has_arrived = true;
      auto& mailbox = mailboxes_[m.to];
      mailbox.push_back(m);
      if (mailbox.size() == 1)
        enabled_.push_back(m);
      return;
    }
    auto& mailbox = mailboxes_[m.to];
    mailbox.pop_front();
    if (!mailbox.empty())
      enabled_.push_back(mailbox.front());
    ++result_.deliveries;
    auto& seen = seen_[m.to];
    seen = mix(seen, m.identity);
    result_.outcome_hash = 0;
    for (const auto& [name, hash] : seen_)
      result_.outcome_hash = mix(result_.outcome_hash, hash);
    cause_ = m.identity;
    effects_ = 0;
    handle(m);
  }

  void handle(const message& m) {
    auto is = [&m](const char* what) { return m.what.rfind(what, 0) == 0; };
    if (is("go")) {
      send(m.to, "stock", "read");
    } else if (is("warm up")) {
      if (++warm_ups_ < program_.warm_up)
        send("b", "b", "warm up");
      else
        send("b", "stock", "read");
    } else if (is("read")) {
      send("stock", m.from, left_ > 0 ? "one left" : "sold out");
    } else if (is("one left")) {
      send(m.to, "stock", "reserve");
    } else if (is("reserve")) {
      if (--left_ < 0) {
        result_.end = verdict::failed;
        result_.message = "oversold at step " + std::to_string(result_.steps);
      }
    } else if (is("noise") && ++noises_[m.to] < program_.noise) {
      send(m.to, m.to, "noise");
    }
  }

  const fake_program& program_;
  strategy& order_;
  bool is_traced_;
  run_result result_;
  std::vector<message> enabled_;
  std::map<std::string, std::deque<message>> mailboxes_;
  std::map<std::string, std::uint64_t> seen_;
  std::map<std::string, int> noises_;
  std::uint64_t cause_ = 0;
  std::uint64_t effects_ = 0;
  int warm_ups_ = 0;
  int left_ = 1;
};

} // namespace detail

inline run_result fake_program::operator()(std::uint64_t seed, strategy& order, bool trace) const {
  if (on_run)
    on_run(seed);
  return detail::fake_run(*this, order, trace)();
}

/// Candidates from a list of identities.
class listed_candidates final : public candidates {
public:
  explicit listed_candidates(std::vector<std::uint64_t> identities) : identities_(std::move(identities)) {}
  std::size_t size() const noexcept override { return identities_.size(); }
  candidate operator[](std::size_t index) const noexcept override {
    return {identities_[index], event_kind::handle, 0};
  }

private:
  std::vector<std::uint64_t> identities_;
};

} // namespace troupe::testing
