// Running scenarios on a fuzzer's inputs: under AFL++, or one by one to look at a crash.
#pragma once
#include "sim/fuzz_input.hpp"
#include "sim/scenario.hpp"
#include <cstdint>
#include <span>

namespace troupe {

/// Runs `program` as the input `data` says, and aborts the process unless the verdict is `ok`; the verdict goes to the
/// standard error stream first. As `LLVMFuzzerTestOneInput` of a scenario it serves other fuzzers too.
void fuzz_one(const scenario& program, std::span<const std::uint8_t> data);

/// The command line of a fuzz program:
///   fuzz NAME                     under AFL++: its inputs, in persistent mode; else one input from the standard input
///   fuzz NAME FILE...             these inputs
///   fuzz NAME --seed-inputs DIR   writes a few inputs to start from
///   list | explore | replay | shrink   as scenario_main does; `replay NAME --bytes FILE` explains a crash
/// A failure aborts the process. @returns the exit status: 0, 1 (a failure that scenario_main found), 2 unusable
/// arguments or input (said in one line).
int fuzz_main(const scenario_set& scenarios, int argc, const char* const* argv);

} // namespace troupe
