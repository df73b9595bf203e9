// The cells as a page of tables, and as JSON.
#pragma once
#include "bench/find/cell.hpp"
#include <string>
#include <vector>

namespace troupe::bench {

/// What was measured, and how.
struct find_report {
  std::string command; ///< As it was typed.
  std::string machine;
  cell_limits limits;
  double seconds_of_first = 0; ///< The time limit of the first strategy's cells.
  unsigned jobs = 1;
  bool is_fixed = false;               ///< The programs are the fixed variants: there is nothing to find.
  std::vector<std::string> programs;   ///< Names of scenarios.
  std::vector<std::string> strategies; ///< The failures of the first one are those that were shrunk.
  std::vector<cell> cells;             ///< Program by program, each strategy.

  const cell& at(std::size_t program, std::size_t strategy) const {
    return cells[program * strategies.size() + strategy];
  }
};

std::string to_markdown(const find_report& report);
std::string to_json(const find_report& report);

/// Processor, cores, compiler, and whether it optimised.
std::string this_machine();

} // namespace troupe::bench
