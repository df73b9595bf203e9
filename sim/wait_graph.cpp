// Who awaits whose response, and when that cannot come any more.
#include "sim/engine.hpp"
#include <algorithm>
#include <string_view>

namespace troupe {
void sim_engine::note_request(const letter& mail, const entity& to) {
  if (tearing_down_)
    return;
  if (auto answered = mail.answered_number()) {
    auto known = requests_.find(mail.id());
    if (known == requests_.end())
      return;
    std::erase_if(known->second, [&](auto& open) { return open.number == answered; });
    if (known->second.empty())
      requests_.erase(known);
    return;
  }
  auto number = mail.request_number();
  if (number == 0)
    return;
  auto sender = mail.sender_id();
  const bool is_own = present_->who->is_actor && present_->who->actor_id == sender;
  auto known = requests_.find(sender);
  if (!is_own && known == requests_.end())
    return; // of a task, which has a timeout
  if (known == requests_.end())
    known = requests_.try_emplace(sender).first;
  auto open =
      std::find_if(known->second.begin(), known->second.end(), [&](auto& each) { return each.number == number; });
  // One that is known has been passed on to somebody else.
  if (open == known->second.end())
    open = known->second.emplace(open);
  *open = {number, &to, to.generation, name_of(mail), false};
}

void sim_engine::note_waits(entity& actor, const hosted_actor& hosted, caf::actor_id sender, std::uint64_t number) {
  if (tearing_down_)
    return;
  if (number != 0)
    if (auto known = requests_.find(sender); known != requests_.end())
      for (auto& open : known->second)
        if (open.number == number && open.to == &actor)
          open.is_handled = true;
  const bool has_ended = !hosted.is_alive();
  const bool may_await = !has_ended && !requests_.empty() && requests_.contains(actor.actor_id);
  actor.awaits = may_await ? hosted.awaited_request() : 0;
  if (actor.awaits != 0) {
    actor.name = name_of(hosted);
    check_waits_of(actor);
  }
  if (!has_ended || actor.has_ended)
    return;
  actor.has_ended = true;
  if (network_ || !actor.outbox.empty()) {
    ended_.emplace(actor.actor_id, &actor);
    // A request would be refused at once, and whoever asks be told before what this actor has sent.
    hosted.keep_mailbox_open();
  }
  requests_.erase(actor.actor_id);
  if (!requests_.empty())
    for (auto& each : entities_)
      if (!each.is_free && each.awaits != 0)
        check_waits_of(each);
}

void sim_engine::awaits_no_more(entity& actor) {
  actor.awaits = 0;
  actor.has_ended = true;
  requests_.erase(actor.actor_id);
}

const sim_engine::open_request* sim_engine::awaited_by(const entity& actor) const noexcept {
  auto known = requests_.find(actor.actor_id);
  if (actor.awaits == 0 || known == requests_.end())
    return nullptr;
  for (auto& open : known->second)
    if (open.number == actor.awaits)
      return &open;
  return nullptr;
}

bool sim_engine::has_timeout(const entity& actor) const noexcept {
  const auto is_its_own = [&](const parcel& p) {
    auto info = std::get<lane_work>(p.content).work->info();
    // CAF 1 does not tell whose it is.
    return std::string_view{info.kind} == "actor timeout" && (info.number == actor.actor_id || info.number == 0);
  };
  for (auto& [when, p] : timers_)
    if (is_its_own(*p))
      return true;
  for (std::size_t i = 0; i < enabled_.size(); ++i)
    if (auto& p = parcel_of(enabled_.at(i)); p.kind == event_kind::timer && is_its_own(p))
      return true;
  return false;
}

std::string sim_engine::wait_text(const entity& actor, const open_request& open) const {
  auto text = actor.name + " awaits the response of " + open.to_name + " before it handles anything else";
  if (open.is_lost())
    return text + (open.is_handled ? ", which has ended without answering" : ", which has ended");
  return text + (open.is_handled ? ", which has handled the request without answering it" : "");
}

void sim_engine::check_waits_of(const entity& start) {
  std::vector<const entity*> path;
  std::string story;
  for (auto* at = &start;;) {
    auto* open = awaited_by(*at);
    if (!open || has_timeout(*at))
      return; // it has come, or time will end the wait
    path.push_back(at);
    story += "\n  " + wait_text(*at, *open);
    if (open->is_lost()) {
      // What it has not handled comes back as an error.
      if (!open->is_handled)
        return;
      fail(verdict::deadlock, "a response is awaited that cannot come:" + story);
      return;
    }
    if (open->to->awaits == 0)
      return;
    if (std::find(path.begin(), path.end(), open->to) != path.end()) {
      fail(verdict::deadlock, "actors await each other, and nothing can end that:" + story);
      return;
    }
    at = open->to;
  }
}

std::string sim_engine::awaited_in_vain() const {
  std::string text;
  if (enabled_.size() != 0)
    return text;
  for (auto& each : entities_)
    if (!each.is_free)
      if (auto* open = awaited_by(each); open && !has_timeout(each))
        text += wait_text(each, *open) + "\n";
  return text;
}

} // namespace troupe
