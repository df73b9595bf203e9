// Input that comes from outside of a run: what other threads, sockets or files have to say, on the tape.
#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

namespace troupe {

/// The next piece of input, any bytes, 65,535 at most; nothing if there will be no more. May block.
using input_source = std::function<std::optional<std::string>()>;

/// An `input_source` that threads feed. Thread safety: any thread.
class input_queue {
public:
  void push(std::string piece);
  /// There will be no more.
  void close();
  /// Waits for the next piece.
  std::optional<std::string> pop();

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> pieces_; // guarded by mutex_
  bool is_closed_ = false;         // guarded by mutex_
};

} // namespace troupe
