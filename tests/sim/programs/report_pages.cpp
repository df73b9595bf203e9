// Writes the pages that the tests in a browser look at. Usage: report_pages FOLDER
#include "tests/sim/programs/told_runs.hpp"
#include <cstdio>

using namespace troupe;

int main(int argc, char** argv) {
  if (argc != 2)
    return 2;
  const std::string folder = argv[1];
  explanation single;
  single.run = testing::told_oversell().passing;
  const std::pair<const char*, explanation> pages[] = {
      {"small", testing::told_oversell()}, {"large", testing::told_crowd(10'000)}, {"single", single}};
  for (const auto& [name, told] : pages)
    if (auto problem = save_report(folder + "/" + name + ".html", report_format::html, told, testing::told_facts())) {
      std::fprintf(stderr, "%s\n", problem.message().c_str());
      return 1;
    }
}
