// What lies between the nodes of a run: who is where, and what its links do with messages.
#pragma once
#include "sim/entity.hpp"
#include "sim/simulation_options.hpp"
#include <caf/actor_control_block.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace troupe {

/// What a message meets on its way from one node to another.
struct link_settings {
  order_model order = order_model::network; ///< `network` or `unordered`.
  platform::duration latency_min = {};
  platform::duration latency_max = {}; ///< If larger, how long each message takes is a decision.
};

/// Somebody who is started again whenever their node is.
class node_host {
public:
  virtual ~node_host() = default;
  virtual void start() = 0;
  virtual void stop() = 0;
  /// Who is there now; null for nobody.
  virtual const caf::strong_actor_ptr& present() const = 0;
};

struct node_state {
  std::string name;
  entity* place = nullptr; ///< Where the node itself restarts.
  bool is_down = false;
  std::vector<std::unique_ptr<node_host>> hosts;
};

/// The nodes of a run and their links. Node 0 is the test's own: it has no name, and whoever is put nowhere is there.
class network {
public:
  /// `model`: what can interleave within a node.
  explicit network(order_model model);
  network(const network&) = delete;
  network& operator=(const network&) = delete;

  /// The number of the node with this name, which exists from now on. @throws std::invalid_argument for an empty name
  std::uint32_t node_named(std::string_view name);
  /// The same for a node that exists. @throws std::invalid_argument otherwise
  std::uint32_t known_node(std::string_view name) const;
  node_state& at(std::uint32_t node) noexcept { return nodes_[node]; }
  std::uint32_t nodes() const noexcept { return static_cast<std::uint32_t>(nodes_.size()); }

  /// From one node to another: its own settings, which begin as those of all links.
  link_settings& link(std::uint32_t from, std::uint32_t to);
  /// Of all links, also those that had settings of their own.
  void change_all_links(const std::function<void(link_settings&)>& change);
  /// What the next message meets; null if it stays within a node where the order of sends counts.
  const link_settings* between(const entity& from, const entity& to) const noexcept {
    // Troupe's own actors share memory with whoever talks to them.
    if (from.is_internal || to.is_internal)
      return nullptr;
    if (from.node == to.node)
      return is_order_within_ ? nullptr : &within_;
    if (links_.empty())
      return &all_;
    auto own = links_.find(key(from.node, to.node));
    return own == links_.end() ? &all_ : &own->second;
  }

  /// The one that messages from `from` to `to` take.
  channel& channel_between(const entity& from, const entity& to);

  const std::unordered_map<std::uint64_t, channel>& channels() const noexcept { return channels_; }

  /// Whether what `from` sends to `to` is lost.
  bool is_cut(std::uint32_t from, std::uint32_t to) const noexcept {
    return !cuts_.empty() && cuts_.count(key(from, to)) != 0;
  }
  /// Each cut takes one mending.
  void cut(std::uint32_t from, std::uint32_t to) { ++cuts_[key(from, to)]; }
  void mend(std::uint32_t from, std::uint32_t to);
  /// At most once.
  void set_cut_by_test(std::uint32_t from, std::uint32_t to, bool is_cut);

  std::uint64_t messages = 0; ///< Sent from one node to another so far.

private:
  static std::uint64_t key(std::uint32_t from, std::uint32_t to) noexcept { return std::uint64_t{from} << 32 | to; }

  std::vector<node_state> nodes_;
  bool is_order_within_;
  link_settings within_;
  link_settings all_;
  std::unordered_map<std::uint64_t, link_settings> links_;
  std::unordered_map<std::uint64_t, channel> channels_;
  std::unordered_map<std::uint64_t, unsigned> cuts_;
  std::unordered_map<std::uint64_t, bool> cut_by_test_;
};

} // namespace troupe
