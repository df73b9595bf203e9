// Running scenarios on a fuzzer's inputs. Compiled by afl-clang-fast++ it talks to AFL++, else it reads files.
#include "fuzz/fuzz_main.hpp"
#include "sim/chart.hpp"
#include "sim/random_strategy.hpp"
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

#ifdef __AFL_FUZZ_INIT
#  include <unistd.h>
__AFL_FUZZ_INIT() // Defines variables, and brings its own semicolons.
#endif

namespace troupe {
namespace {

using bytes = std::vector<std::uint8_t>;

int unusable(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  return 2;
}

std::optional<bytes> read_input(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file)
    return std::nullopt;
  try {
    return bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  } catch (const std::exception&) { // A folder opens, and then cannot be read.
    return std::nullopt;
  }
}

int run_files(const scenario& program, int count, const char* const* paths) {
  for (int i = 0; i < count; ++i) {
    const auto data = read_input(paths[i]);
    if (!data)
      return unusable(std::string{"input \""} + paths[i] + "\": cannot be read");
    std::fprintf(stderr, "%s: %s\n", program.name.c_str(), paths[i]);
    fuzz_one(program, *data);
  }
  return 0;
}

bool write_input(const std::string& path, const bytes& data) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char*>(data.data()), static_cast<std::streamsize>(data.size()));
  return static_cast<bool>(file.flush());
}

/// The default order, and random walks that do not fail: AFL++ wants to start from inputs that work.
int write_seed_inputs(const scenario& program, const std::string& folder) {
  constexpr std::uint64_t walks_max = 3;
  if (!write_input(folder + "/fifo", to_fuzz_data(program.options, {})))
    return unusable("inputs cannot be written into \"" + folder + "\"");
  for (std::uint64_t seed = 0, walks = 0; seed < 100 && walks < walks_max; ++seed) {
    auto options = fuzz_input{.seed = seed}.apply_to(program.options);
    random_strategy order(seed);
    const auto walk = run_scenario(program.body, options, order);
    if (walk.is_failure())
      continue;
    ++walks;
    if (!write_input(folder + "/walk-" + std::to_string(seed), to_fuzz_data(options, walk.decisions)))
      return unusable("inputs cannot be written into \"" + folder + "\"");
  }
  return 0;
}

} // namespace

#ifdef __AFL_FUZZ_INIT
// Not in the anonymous namespace: AFL++'s macros declare functions where they are used.
int run_standard_input(const scenario& program) {
  __AFL_INIT();
  const auto* data = __AFL_FUZZ_TESTCASE_BUF;
  // Inputs until the process is exchanged, in case something piles up.
  while (__AFL_LOOP(100'000)) {
    const auto size = static_cast<std::size_t>(__AFL_FUZZ_TESTCASE_LEN);
    fuzz_one(program, {data, size});
  }
  return 0;
}
#else
static int run_standard_input(const scenario& program) {
  const auto data = read_input("/dev/stdin");
  if (!data)
    return unusable("the standard input cannot be read");
  fuzz_one(program, *data);
  return 0;
}
#endif

void fuzz_one(const scenario& program, std::span<const std::uint8_t> data) {
  const auto result = run_fuzz_input(program, data);
  if (!result.is_failure())
    return;
  std::fprintf(stderr, "%s: %s\n", program.name.c_str(), verdict_text(result).c_str());
  std::abort();
}

int fuzz_main(const scenario_set& scenarios, int argc, const char* const* argv) {
  if (argc < 2 || std::string_view{argv[1]} != "fuzz")
    return scenario_main(scenarios, argc, argv);
  if (argc < 3)
    return unusable("fuzz needs the name of a scenario (`list` names them)");
  const auto* program = scenarios.find(argv[2]);
  if (!program)
    return unusable(std::string{"unknown scenario \""} + argv[2] + "\" (`list` names them)");
  if (argc == 3)
    return run_standard_input(*program);
  if (std::string_view{argv[3]} == "--seed-inputs")
    return argc == 5 ? write_seed_inputs(*program, argv[4]) : unusable("--seed-inputs needs one folder");
  return run_files(*program, argc - 3, argv + 3);
}

} // namespace troupe
