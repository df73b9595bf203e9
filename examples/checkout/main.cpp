// The program: a scenario program, a server, and a demonstration of both.
#include "examples/checkout/demo.hpp"
#include "examples/checkout/scenarios.hpp"
#include "examples/checkout/shop.hpp"
#include "sim/scenario.hpp"
#include <CLI/CLI.hpp>
#include <iostream>

namespace {

using namespace checkout;

constexpr const char* scenario_commands[] = {"list", "explore", "replay", "shrink"};

// Reads "SKU=PIECES".
bool add_stock(stock_levels& levels, const std::string& text) {
  const auto at = text.find('=');
  int pieces = 0;
  if (at == 0 || at == std::string::npos || !CLI::detail::lexical_cast(text.substr(at + 1), pieces) || pieces < 0)
    return false;
  levels[text.substr(0, at)] = pieces;
  return true;
}

int serve(const shop_options& options) {
  std::string why;
  const auto open_shop = shop::open(options, why);
  if (!open_shop) {
    std::cerr << "checkout: " << why << std::endl;
    return 1;
  }
  std::cout << "listening on http://" << options.http.address << ":" << open_shop->port() << ", orders go to "
            << options.database.path << "; SIGTERM or Ctrl-C closes" << std::endl;
  open_shop->wait_for_signal();
  std::cout << "closing: answering what was accepted" << std::endl;
  const auto summary = open_shop->close();
  std::cout << summary.to_text() << (summary.is_clean() ? "clean" : "NOT CLEAN") << std::endl;
  return summary.is_clean() ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
  troupe::scenario_set scenarios;
  add_scenarios(scenarios);
  for (const char* command : scenario_commands)
    if (argc > 1 && std::string_view{argv[1]} == command)
      return troupe::scenario_main(scenarios, argc, argv);

  CLI::App program{"An order service, in the simulator and over HTTP.\n"
                   "Beside the commands below: list, explore, replay and shrink, for the scenarios."};
  program.require_subcommand(1);

  shop_options chosen;
  chosen.http.port = 8080;
  chosen.database.path = "checkout.db";
  std::string variant = "fixed";
  std::vector<std::string> stock{"book=1000", "lamp=1000"};
  double deadline_seconds = 10;
  double drain_seconds = 30;
  auto* const serving = program.add_subcommand("serve", "Serve until SIGTERM, then drain");
  serving->add_option("--address", chosen.http.address, "Address to listen on")->capture_default_str();
  serving->add_option("--port", chosen.http.port, "Port to listen on; 0: any free one")->capture_default_str();
  serving->add_option("--db", chosen.database.path, "SQLite file; created if there is none")->capture_default_str();
  serving->add_option("--db-pages", chosen.database.page_limit, "Pages that the file may grow to; 0: no limit");
  serving->add_option("--variant", variant, "How stock is reserved")
      ->check(CLI::IsMember({"fixed", "buggy"}))
      ->capture_default_str();
  serving->add_option("--stock", stock, "SKU=PIECES on the shelf; may be repeated")->capture_default_str();
  serving->add_option("--deadline", deadline_seconds, "Seconds that a request may take")
      ->check(CLI::Range(0.001, 86'400.0))
      ->capture_default_str();
  serving->add_option("--drain", drain_seconds, "Seconds that closing waits for requests")
      ->check(CLI::Range(0.0, 86'400.0))
      ->capture_default_str();

  demo_options shown;
  auto* const showing = program.add_subcommand("demo", "Explore both variants, serve a crowd, check what is left");
  showing->add_option("--seeds", shown.seeds, "Seeds to explore for each variant")
      ->check(CLI::Range(1u, 100'000'000u))
      ->capture_default_str();
  showing->add_option("--clients", shown.clients, "Clients that connect at once")
      ->check(CLI::Range(1, 2000))
      ->capture_default_str();

  try {
    program.parse(argc, argv);
    for (const auto& each : stock)
      if (!add_stock(chosen.stock, each))
        throw CLI::ValidationError("--stock", "'" + each + "' is not of the form SKU=PIECES");
  } catch (const CLI::CallForHelp&) {
    std::cout << program.help();
    return 0;
  } catch (const CLI::ParseError& error) {
    std::cerr << "checkout: " << error.what() << " (see --help)" << std::endl;
    return 2;
  }
  if (*showing)
    return run_demo(scenarios, argv[0], shown);

  const auto to_milliseconds = [](double seconds) {
    return std::chrono::milliseconds{static_cast<std::chrono::milliseconds::rep>(seconds * 1000)};
  };
  chosen.request_deadline = to_milliseconds(deadline_seconds);
  chosen.drain_patience = to_milliseconds(drain_seconds);
  chosen.protocol = variant == "fixed" ? reservation_protocol::try_reserve : reservation_protocol::read_then_take;
  return serve(chosen);
}
