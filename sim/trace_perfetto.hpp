// A run as trace events, for ui.perfetto.dev and chrome://tracing.
#pragma once
#include "sim/report.hpp"
#include <string>

namespace troupe {

/// A run in the JSON trace event format: one process per run (the failing one, and the passing one if there is a racing
/// pair), one thread per actor or task. Every event is a slice whose place in time is its number (10 us each), since
/// most events take no virtual time; the virtual time is among its arguments, as are its cause, the payload and the
/// state. Messages are flows from the slice that caused them. Instants mark the racing pair and the failure.
std::string to_perfetto(const explanation& explained, const report_facts& facts);

} // namespace troupe
