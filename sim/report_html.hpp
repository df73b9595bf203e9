// A run as one self-contained page.
#pragma once
#include "sim/report.hpp"
#include <string>

namespace troupe {

/// One page (sim/report.html) with everything in it: it loads nothing. It shows the run as a chart of actors and
/// messages to scroll, search, filter and step through, with payload and state at each step; if there is a racing pair,
/// the run that passed stands beside it.
std::string to_html(const explanation& explained, const report_facts& facts);

} // namespace troupe
