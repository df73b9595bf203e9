// The engine's steps: picking an event, letting it happen, and keeping time.
#include "sim/engine.hpp"
#include "actors/errors.hpp"
#include "sim/random_source.hpp"
#include "sim/run_progress.hpp"
#include <string>

namespace troupe {
namespace {
constexpr platform::lane no_lane{~std::uint32_t{0}};
constexpr std::uint64_t outside_identity = 0x74726f757065ull;
constexpr std::uint64_t main_thread_identity = mix(outside_identity, 1);

std::string name_of(const platform::runnable_info& info) {
  std::string name = info.owner ? "s" + std::to_string(info.owner) + ".t" + std::to_string(info.number) : info.kind;
  if (!info.owner && info.number)
    name += "#" + std::to_string(info.number);
  if (!info.label.empty())
    name += " '" + std::string{info.label} + "'";
  return name;
}
} // namespace

sim_engine::sim_engine(const simulation_options& options, strategy& order)
    : options_(options), order_(order), is_watched_(order.is_watching()), tells_state_(order.wants_state()),
      now_(epoch), outside_{&new_entity(outside_identity), outside_identity, 0, no_lane, nullptr, 0, 0},
      reads_states_(tells_state_), fair_random_(mix(options.seed, 0x66616972)) {
  outside_.who->name = "test";
  if (run_progress::watched) {
    run_progress::watched->begin_run();
    run_progress::watched->begin_tape(options.seed, options.model);
  }
  lanes_.emplace_back().place = &new_entity(main_thread_identity);
  lanes_[0].place->name = "main thread";
  lanes_[0].place->is_lane = true;
  if (options.model == order_model::network || options.model == order_model::unordered)
    use_network();
  if (order.wants_lives())
    lives_ = std::make_unique<life_watch>(order);
  if (options.faults.total() != 0)
    faults_ = std::make_unique<fault_injector>(options.faults, options.seed, !order.decides_faults());
}

sim_engine::~sim_engine() {
  end_all();
  if (run_progress::watched)
    run_progress::watched->end_run();
}

// -- decisions ----------------------------------------------------------------

std::uint64_t sim_engine::decide(decision_kind kind, const candidates& among) {
  const auto count = among.size();
  if (!is_choice(kind, count))
    return 0;
  const auto index = ask(kind, among);
  keep(kind, index, count, among[index].identity);
  return index;
}

std::size_t sim_engine::ask(decision_kind kind, const candidates& among) {
  const auto count = among.size();
  std::size_t index = 0;
  if (options_.temperature_max != 0 && result_.steps >= fair_after() && order_.yields()) {
    index = static_cast<std::size_t>(fair_random_.below(count));
  } else {
    if (tells_state_ && kind == decision_kind::event)
      order_.state_is(state_hash(state_detail::coarse));
    index = order_.pick(kind, among);
  }
  if (index >= count) {
    fail(verdict::failed, "the strategy picked " + std::to_string(index) + " of " + std::to_string(count));
    index = 0;
  }
  return index;
}

parcel& sim_engine::next_event() {
  // Not by `decide`: it would look for the event twice.
  const auto count = enabled_.size();
  if (!is_choice(decision_kind::event, count))
    return parcel_of(enabled_.at(0));
  const auto index = ask(decision_kind::event, enabled_);
  auto* foreseen = ahead_.first();
  const bool is_right = foreseen && foreseen->is_enabled() && enabled_.index_of(foreseen) == index;
  auto& picked = is_right ? *foreseen : parcel_of(enabled_.at(index));
  keep(decision_kind::event, index, count, picked.identity);
  return picked;
}

void sim_engine::keep(decision_kind kind, std::size_t index, std::size_t count, std::uint64_t identity) {
  auto& made = result_.decisions.emplace_back(); // in place: it is not read back while it is still being written
  made.kind = kind;
  made.index = static_cast<std::uint32_t>(index);
  made.count = static_cast<std::uint32_t>(count);
  made.identity = identity;
  if (run_progress::watched)
    run_progress::watched->decide(made);
}

std::uint64_t sim_engine::decide_value(decision_kind kind, std::size_t count) {
  struct values final : candidates {
    std::size_t size() const noexcept override { return count; }
    candidate operator[](std::size_t index) const noexcept override {
      return {.identity = index, .place = place, .actor = place, .parent = parent, .content = content, .after = after};
    }
    std::size_t count = 0;
    std::uint64_t place = 0, parent = 0, content = 0, after = 0;
  };
  values among;
  among.count = count;
  among.place = present_->who->identity;
  among.parent = present_->identity;
  if (reads_states_)
    among.content = mix(present_->who->state, present_->who->last_type);
  among.after = result_.steps == present_->began ? 0 : result_.steps;
  return decide(kind, among);
}

std::uint64_t sim_engine::choose(std::uint64_t count) {
  return decide_value(decision_kind::random, static_cast<std::size_t>(count));
}

void sim_engine::fail(verdict how, std::string message) {
  if (has_failed() || (is_cut_short_ && tearing_down_))
    return;
  result_.end = how;
  result_.message = std::move(message);
  result_.failing_event = present_->identity;
  if (present_ == &outside_)
    result_.failing_event = 0;
}

void sim_engine::suspect() noexcept {
  if (!has_failed() && !tearing_down_ && result_.failing_event == 0 && present_ != &outside_)
    result_.failing_event = present_->identity;
}

void sim_engine::observed() noexcept {
  if (!result_.trace.empty() && !tearing_down_)
    result_.trace.back().observes = true;
}

// -- steps --------------------------------------------------------------------

bool sim_engine::step() {
  if (has_foreign_.load(std::memory_order_acquire))
    take_in_foreign();
  if (hosted_ && !tearing_down_ && hosted_->detached_actors() != 0)
    fail(verdict::foreign_thread, thread_refusal);
  if (enabled_.size() == 0)
    return false;
  if (!tearing_down_) {
    if (is_over())
      return false;
    if (is_watched_ && order_.has_enough()) {
      is_cut_short_ = true;
      return false;
    }
    if (result_.steps >= options_.max_steps) {
      if (!options_.fail_on_step_limit) {
        is_cut_short_ = true;
        return false;
      }
      fail(verdict::step_limit,
           "still busy after " + std::to_string(options_.max_steps) + " events; raise max_steps if that is expected");
      return false;
    }
  }
  auto& next = next_event();
  if (is_watched_ && !tearing_down_)
    order_.happened(next.as_candidate());
  const auto identity = next.identity;
  happen(next);
  if (lives_)
    lives_->after_event(identity);
  if (after_event_ && !tearing_down_)
    after_event_(result_.steps);
  return true;
}

void sim_engine::happen(parcel& p) {
  enabled_.erase(p);
  if (!tearing_down_)
    ++result_.steps;
  ahead_.advance(enabled_, order_);
  if (run_progress::watched)
    run_progress::watched->begin_event(p.place, result_.steps);
  switch (p.kind) {
  case event_kind::arrival: {
    note(*p.to, p.identity, event_kind::arrival);
    if (is_told()) {
      auto* mail = std::get_if<letter>(&p.content);
      trace(event_kind::arrival, p, *p.to, mail ? mail->describe() : "");
    }
    if (p.is_in_transit) {
      arrive_from_transit(p);
      break;
    }
    auto& sender = *p.from;
    sender.outbox.pop_front();
    arrive(&p);
    pump(sender);
    if (!sender.is_actor)
      free_if_idle(sender);
    break;
  }
  case event_kind::handle:
    p.to->handling = nullptr;
    handle(*p.to);
    break;
  case event_kind::start:
    start(p);
    break;
  case event_kind::step:
  case event_kind::timer:
    run_work(p);
    break;
  case event_kind::fault:
    run_fault(p);
    break;
  case event_kind::value:
    break;
  }
  if (run_progress::watched)
    run_progress::watched->end_event();
}

template <class Body>
void sim_engine::within(entity& who, std::uint64_t identity, platform::lane lane, Body&& body, std::uint64_t cause) {
  event_frame here{&who, identity, 0, lane, present_, result_.steps, cause};
  who.is_running = true;
  present_ = &here;
  body();
  present_ = here.outer;
  who.is_running = false;
  pump(who);
}

void sim_engine::start(parcel& p) {
  auto& actor = *p.to;
  auto& baby = std::get<newborn>(p.content);
  if (actor.is_lost) {
    free_parcel(&p);
    return;
  }
  auto entry = trace(event_kind::start, p, actor, "");
  note(actor, p.identity, event_kind::start);
  actor.awaits_start = false;
  within(actor, p.identity, platform::background_lane, [&] {
    baby.initialise([this](const hosted_actor& who, const std::exception_ptr& error) {
      if (!present_->is_crashed)
        fail(verdict::exception, "actor " + name_of(who) + " threw: " + describe(error));
    });
    // Its name may be part of its state, which is there only now.
    learn_name(actor, baby, entry);
    read_state(actor, p.identity, baby, entry);
    note_waits(actor, baby, 0, 0);
    const auto identity = p.identity;
    free_parcel(&p);
    if (faults_)
      faults_after(actor, identity);
  });
}

void sim_engine::handle(entity& actor) {
  auto* p = (actor.urgent_mail.empty() ? actor.mail : actor.urgent_mail).pop_front();
  auto& mail = std::get<letter>(p->content);
  std::optional<std::size_t> entry;
  if (is_told()) {
    learn_name(actor, mail, {});
    entry = trace(event_kind::handle, *p, actor, mail.describe());
  }
  if (!tearing_down_ && !actor.is_internal)
    ++result_.deliveries;
  note(actor, p->identity, event_kind::handle);
  std::uint64_t cause = 0;
  if (reads_states_ && !tearing_down_) {
    actor.last_type = type_of(*p);
    cause = mix(mix(actor.identity, actor.state), hash_of(*p));
    last_handled_ = name_of(static_cast<const hosted_actor&>(mail)) + " " + mail.describe();
  }
  const auto asked = mail.request_number();
  const auto asked_by = asked ? mail.sender_id() : 0;
  const auto identity = p->identity;
  auto how = letter::result::handled;
  within(
      actor, p->identity, platform::background_lane,
      [&] {
        how = mail.deliver();
        if (is_told())
          learn_name(actor, mail, entry);
        if (reads_states_ || !readers_.empty())
          read_state(actor, p->identity, mail, entry);
        note_waits(actor, mail, asked_by, how == letter::result::skipped ? 0 : asked);
        if (how == letter::result::handled)
          actor.mail.prepend(actor.skipped);
        else if (how == letter::result::skipped)
          actor.skipped.push_back(p);
        if (how != letter::result::skipped)
          free_parcel(p);
        if (how == letter::result::terminated)
          while (!actor.skipped.empty())
            free_parcel(actor.skipped.pop_front());
        if (faults_ && how != letter::result::skipped)
          faults_after(actor, identity);
      },
      cause);
  // Messages that are still on their way to it need its place, and so do the news of its end in a network, and whoever
  // compares what happens there across runs.
  if (how == letter::result::terminated && !actor.is_lost && actor.inbound == 0 && actor.outbox.empty() && !network_ &&
      !lives_) {
    if (known_actor(actor.actor_id) == &actor)
      actors_[actor.actor_id] = nullptr;
    free_entity(actor);
  }
}

void sim_engine::run_work(parcel& p) {
  auto todo = std::get<lane_work>(p.content);
  const auto kind = p.kind;
  if (kind == event_kind::timer)
    timers_by_number_.erase(std::exchange(p.own_extras().timer, 0));
  auto* lane = find_lane(todo.lane);
  if (lane && kind == event_kind::timer && !lane->is_open) {
    free_parcel(&p);
    todo.work->drop();
    return;
  }
  if (lane && kind == event_kind::timer) {
    // Its time has come; now it queues for its lane like anything else.
    auto which = static_cast<std::size_t>(todo.urgency);
    p.to = lane->place;
    note(*lane->place, p.identity, kind);
    lane->queued[which].push_back(&p);
    enable_head(*lane, which);
    return;
  }
  auto& task = task_entity(*todo.work, p.identity);
  if (is_told()) {
    auto info = todo.work->info();
    task.name = name_of(info);
    task.is_internal = std::string_view{info.kind} == "internal task";
    if (!p.is_epilogue)
      trace(kind, p, task, std::string{info.label});
  }
  note(lane ? *lane->place : task, p.identity, kind);
  auto identity = p.identity;
  // It sends what it was given, and has no state of its own.
  const bool is_timeout = reads_states_ && std::string_view{todo.work->info().kind} == "actor timeout";
  const auto origin = p.extras().origin;
  if (faults_ && !p.is_epilogue)
    faults_at_step(*todo.work, task, identity);
  if (lane)
    lane->queued[static_cast<std::size_t>(todo.urgency)].pop_front();
  free_parcel(&p);
  if (lane && todo.lane != platform::foreground_lane) {
    lane->is_busy = true;
    for (auto& queue : lane->queued)
      if (auto* first = queue.front(); first && first->is_enabled())
        withdraw(*first);
  }
  if (reads_states_ && !is_timeout)
    happened_unseen(identity);
  within(
      task, identity, todo.lane, [&] { todo.work->run(); }, is_timeout ? origin : 0);
  if (lane) {
    lane = find_lane(todo.lane); // lanes may have been opened meanwhile
    lane->is_busy = false;
    for (std::size_t which = 0; which < priority_count; ++which)
      enable_head(*lane, which);
  }
  free_if_idle(task);
}

void sim_engine::miss(parcel& p) {
  // What the test sends arrives within no event where sends are out at once.
  const bool is_of_event = options_.model != order_model::atomic || p.from != outside_.who;
  if (is_watched_ && !tearing_down_ && is_of_event)
    order_.missed(p.to->identity);
  if (p.to->is_refusing) {
    within(*p.to, p.identity, platform::background_lane, [&] { free_parcel(&p); });
  } else {
    std::get<letter>(p.content).lose();
    free_parcel(&p);
  }
}

void sim_engine::answer(parcel& p) {
  within(*p.to, p.identity, platform::background_lane, [&] {
    std::get<letter>(p.content).deliver();
    free_parcel(&p);
  });
}

void sim_engine::run_fault(parcel& p) {
  auto& place = *p.to;
  auto todo = std::move(std::get<fault_work>(p.content));
  trace(event_kind::fault, p, place, todo.what);
  note(place, p.identity, event_kind::fault);
  const auto identity = p.identity;
  free_parcel(&p);
  within(place, identity, platform::background_lane, *todo.act);
}

} // namespace troupe
