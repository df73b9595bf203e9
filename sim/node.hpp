// Nodes of a simulated run, and the links between them.
#pragma once
#include "actors/caf_compat.hpp"
#include "platform/dispatcher.hpp"
#include "sim/simulation_options.hpp"
#include <caf/actor_system.hpp>
#include <functional>
#include <string>
#include <utility>

namespace troupe {

class sim_engine;

/// A place where actors live: a process, a machine. What actors spawn is on their own node. Whoever is put nowhere is
/// on the test's node, which has no name, is linked with all others, and never crashes. A handle: copies mean the same
/// node. Thread safety: only the thread that runs the simulator, outside of the handlers of actors.
class node {
public:
  /// Spawns a CAF actor here: a function with its arguments, as `caf::actor_system::spawn` takes them.
  template <class F, class... Arguments>
  auto spawn(F behaviour, Arguments... arguments) const {
    visit here(*this);
    return caf().spawn(std::move(behaviour), std::move(arguments)...);
  }
  /// The same for actors that are a class.
  template <class Actor, class... Arguments>
  auto spawn(Arguments... arguments) const {
    visit here(*this);
    return caf().template spawn<Actor>(std::move(arguments)...);
  }

  /// Spawns an actor here, and another one from the same function and (copied) arguments each time that the node
  /// restarts after a crash. What has to survive a crash (a disk) is an argument that refers to it.
  /// @returns an address that stays: what arrives there goes to the actor of that moment, or is lost if there is none.
  ///          It is the address to give to others. What the actor sends has its own handle as the sender, so that
  ///          answers go to the one that asked, which may not live any more.
  template <class F, class... Arguments>
  caf::actor host(F behaviour, Arguments... arguments) const {
    return host_by([behaviour, arguments...](caf::actor_system& system) -> caf::actor {
      return caf::actor_cast<caf::actor>(system.spawn(behaviour, arguments...));
    });
  }
  /// The same for whatever `make` spawns and returns.
  caf::actor host_by(std::function<caf::actor(caf::actor_system&)> make) const;

  /// Ends all actors here, as the fault `node_crash` does, but at once. What they have sent goes on its way. Restarts
  /// after `fault_options::down_for` if it hosts anybody.
  void crash() const;
  /// False from its crash to its restart.
  bool is_up() const noexcept;
  const std::string& name() const noexcept;

private:
  friend class simulator;
  node(sim_engine& engine, caf::actor_system& system, std::uint32_t number) noexcept
      : engine_(&engine), system_(&system), number_(number) {}
  caf::actor_system& caf() const noexcept { return *system_; }

  /// What is spawned meanwhile is on the node.
  class visit {
  public:
    explicit visit(const node& where) noexcept;
    ~visit();
    visit(const visit&) = delete;
    visit& operator=(const visit&) = delete;

  private:
    sim_engine& engine_;
    std::uint32_t before_;
  };

  sim_engine* engine_;
  caf::actor_system* system_;
  std::uint32_t number_;
};

/// What messages meet between two nodes, in one direction or in both; or between any two. A handle. Thread safety: as
/// `node`.
class link {
public:
  /// How long a message takes, in virtual time: a decision among four values from `least` to `most`; choice 0 is
  /// `least`.
  /// @pre 0 <= least <= most @throws std::invalid_argument otherwise
  link& latency(platform::duration least, platform::duration most);
  link& latency(platform::duration always) { return latency(always, always); }
  /// `network` (default): what one actor sends to one other keeps its order. `unordered`: nothing does.
  /// @throws std::invalid_argument for a model that is not about links
  link& order(order_model model);
  /// From now on what is sent is lost, until `heal`. What is on its way arrives.
  link& cut();
  link& heal();

private:
  friend class simulator;
  /// 0 and 0: all links.
  link(sim_engine& engine, std::uint32_t from, std::uint32_t to, bool both_ways) noexcept
      : engine_(&engine), from_(from), to_(to), both_ways_(both_ways) {}
  void each(const std::function<void(struct link_settings&)>& change) const;
  void set_cut(bool is_cut) const;

  sim_engine* engine_;
  std::uint32_t from_, to_;
  bool both_ways_;
};

} // namespace troupe
