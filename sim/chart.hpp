// Runs as text: the sequence chart of a failure, and the plain list of events.
#pragma once
#include "sim/explanation.hpp"
#include "sim/run_result.hpp"
#include <cstddef>
#include <string>

namespace troupe {

/// How a chart is drawn.
struct chart_options {
  std::size_t width = 112;   ///< Columns of the terminal.
  std::size_t max_rows = 60; ///< Events to show; of more, those in the middle are left out.
};

/// A sequence chart of `result.trace`: a column per actor and task, an arrow per message, time running down; below it
/// the verdict. What Troupe's own actors send and get is hidden, and a message's arrival is one with its handling. The
/// event during which the run failed is marked, and so are, with `*`, those for which an older one had to wait. A run
/// without a trace has a verdict only.
std::string chart(const run_result& result, const chart_options& options = {});

/// The same of the run that is explained, without what cannot have influenced the failure, with the racing pair marked
/// and named.
std::string chart(const explanation& explained, const chart_options& options = {});

/// The verdict and its message, as the last lines of the chart have it.
std::string verdict_text(const run_result& result);

/// One event in one line: time, kind, from where to where, what.
std::string trace_line(const trace_entry& entry);

/// Every event, internal ones included, one per line and numbered as in the chart.
std::string trace_listing(const run_result& result);

} // namespace troupe
