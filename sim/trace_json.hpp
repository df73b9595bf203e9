// A run as JSON lines.
#pragma once
#include "sim/report.hpp"
#include <string>

namespace troupe {

/// JSON, one object a line. The first is the head (`"type": "report"`): scenario, strategy, seed, model, verdict,
/// message, race (the search for a racing pair in words), replay, events. Then one line per event (`"type": "event"`),
/// those of the failing run and then, if there is a racing pair, those of the run that passed: run ("failing" or
/// "passing"), number (from 1), kind, identity, parent (hexadecimal), cause (the number of the event that caused it, or
/// null), from, to, label, what, time_ns, state, internal, matters, out_of_turn, failing, racing.
std::string to_json_lines(const explanation& explained, const report_facts& facts);

} // namespace troupe
