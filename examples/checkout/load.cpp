// The customers: blocking clients in threads.
#include "examples/checkout/load.hpp"
#include "examples/checkout/http_client.hpp"
#include <algorithm>
#include <atomic>
#include <charconv>
#include <latch>
#include <mutex>
#include <thread>

namespace checkout {
namespace {

std::int64_t order_id(const std::string& body) {
  constexpr std::string_view key = "\"id\":";
  std::int64_t id = 0;
  if (const auto at = body.find(key); at != std::string::npos)
    std::from_chars(body.data() + at + key.size(), body.data() + body.size(), id);
  return id;
}

class crowd {
public:
  crowd(const load_options& options, const std::function<void(std::uint64_t)>& on_answer)
      : options_(options), on_answer_(on_answer), all_here_(static_cast<std::ptrdiff_t>(options.clients)) {}

  load_totals run() {
    std::vector<std::thread> threads;
    for (std::size_t client = 0; client < options_.clients; ++client)
      threads.emplace_back([this, client] { order_things(client); });
    for (auto& thread : threads)
      thread.join();
    std::sort(totals_.accepted.begin(), totals_.accepted.end());
    return totals_;
  }

private:
  void order_things(std::size_t client) {
    http_client line;
    bool is_connected = line.connect(options_.port);
    all_here_.arrive_and_wait();
    for (std::size_t i = 0; i < options_.orders_per_client; ++i) {
      if (!is_connected && !(is_connected = line.connect(options_.port))) {
        std::lock_guard guard{mutex_};
        ++totals_.refused;
        return;
      }
      const auto& sku = options_.skus[(client + i) % options_.skus.size()];
      const auto answer = line.request("POST", "/orders", R"({"sku":")" + sku + R"(","quantity":1})");
      note(answer);
      is_connected = answer && !answer->is_last;
      if (!is_connected)
        line.close();
    }
  }

  void note(const std::optional<client_answer>& answer) {
    std::uint64_t answered = 0;
    {
      std::lock_guard guard{mutex_};
      if (!answer) {
        ++totals_.closed;
        return;
      }
      ++totals_.answers[answer->status];
      if (answer->status == 201)
        totals_.accepted.push_back(order_id(answer->body));
      answered = ++answered_;
    }
    if (on_answer_)
      on_answer_(answered);
  }

  const load_options& options_;
  const std::function<void(std::uint64_t)>& on_answer_;
  std::latch all_here_;
  std::mutex mutex_;
  load_totals totals_;
  std::uint64_t answered_ = 0;
};

} // namespace

std::uint64_t load_totals::answered() const {
  std::uint64_t sum = 0;
  for (const auto& [status, count] : answers)
    sum += count;
  return sum;
}

load_totals run_load(const load_options& options, const std::function<void(std::uint64_t)>& on_answer) {
  return crowd{options, on_answer}.run();
}

} // namespace checkout
