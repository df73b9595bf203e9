// The code that the documents show is code that is compiled and run: each snippet stands in a test or an example.
#include <algorithm>
#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace fs = std::filesystem;

namespace {

using lines = std::vector<std::string>;

struct snippet {
  std::string where; ///< "README.md:42"
  std::string language;
  lines text;
};

lines read_lines(const fs::path& path) {
  std::ifstream file(path);
  REQUIRE_MESSAGE(file, path.string());
  lines result;
  for (std::string line; std::getline(file, line);)
    result.push_back(line);
  return result;
}

std::vector<snippet> snippets_of(const fs::path& document) {
  std::vector<snippet> result;
  bool inside = false;
  std::size_t number = 0;
  for (const auto& line : read_lines(document)) {
    ++number;
    if (line.rfind("```", 0) != 0) {
      if (inside)
        result.back().text.push_back(line);
      continue;
    }
    inside = !inside;
    if (inside)
      result.push_back({document.filename().string() + ":" + std::to_string(number), line.substr(3), {}});
  }
  CHECK_FALSE(inside);
  return result;
}

std::size_t indentation(const std::string& line) { return std::min(line.find_first_not_of(' '), line.size()); }

/// Whether `text` stands in `file`, all of it indented alike.
bool stands_in(const lines& file, const lines& text) {
  auto same = [](std::size_t indent) {
    return [indent](const std::string& a, const std::string& b) {
      return b.empty() ? a.empty() : a.size() >= indent && indentation(a) >= indent && a.substr(indent) == b;
    };
  };
  for (std::size_t indent : {0u, 2u, 4u})
    if (std::search(file.begin(), file.end(), text.begin(), text.end(), same(indent)) != file.end())
      return true;
  return false;
}

std::vector<lines> sources(const fs::path& root, std::initializer_list<const char*> folders, const char* ending) {
  std::vector<lines> result;
  for (const auto* folder : folders)
    for (const auto& each : fs::recursive_directory_iterator(root / folder))
      if (each.path().filename().string().ends_with(ending))
        result.push_back(read_lines(each.path()));
  return result;
}

} // namespace

TEST_CASE("every snippet of the documents is compiled: it stands in a test or an example") {
  const fs::path root{TROUPE_ROOT};
  const auto programs = sources(root, {"tests/readme", "examples"}, "pp");
  const auto modules = sources(root, {"examples"}, ".mjs");
  const auto projects = sources(root, {"tests/install"}, "meson.build");
  std::vector<fs::path> documents{root / "README.md", root / "ARCHITECTURE.md"};
  for (const auto& each : fs::recursive_directory_iterator(root / "docs"))
    if (each.path().extension() == ".md")
      documents.push_back(each.path());
  int checked = 0;
  for (const auto& document : documents)
    for (const auto& shown : snippets_of(document)) {
      INFO(shown.where);
      CHECK_MESSAGE(!shown.language.empty(), "it says what it is: cpp, js, meson, sh or text");
      CHECK_FALSE(shown.text.empty());
      if (shown.language != "cpp" && shown.language != "meson" && shown.language != "js")
        continue;
      const auto& files = shown.language == "cpp" ? programs : shown.language == "js" ? modules : projects;
      CHECK_MESSAGE(std::any_of(files.begin(), files.end(), [&](auto& file) { return stands_in(file, shown.text); }),
                    "no test and no example contains it");
      ++checked;
    }
  CHECK(checked >= 5);
}
