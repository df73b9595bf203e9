// An Asio timer on the clock of the session's dispatcher: what steady_timer cannot be, virtual in the simulator.
#pragma once
#include "sessions/asio_executor.hpp"
#include <atomic>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <memory>
#include <vector>

namespace troupe {
namespace detail {

/// One pending wait. Kept by the dispatcher while its timer runs; cancelled by whoever made it.
class asio_timer_wait : public platform::runnable, public std::enable_shared_from_this<asio_timer_wait> {
public:
  explicit asio_timer_wait(const session& owner) noexcept : owner_(owner) {}
  virtual ~asio_timer_wait() = default;

  void start(time_point due);
  /// @returns whether it completes with `operation_aborted` because of this call.
  bool cancel();
  bool is_done() const noexcept { return is_done_.load(std::memory_order_acquire); }

  void run() noexcept final;
  void drop() noexcept final;
  platform::runnable_info info() const noexcept final;

protected:
  /// Submits the handler.
  virtual void complete(boost::system::error_code error) = 0;
  /// Destroys the handler.
  virtual void discard() noexcept = 0;

private:
  const session owner_;
  std::shared_ptr<asio_timer_wait> kept_; // the dispatcher's reference
  platform::timer_id timer_;
  std::atomic<bool> is_done_ = false;
};

template <class Handler>
class asio_timer_handler final : public asio_timer_wait {
  using tracked = std::decay_t<decltype(boost::asio::prefer(
      boost::asio::get_associated_executor(std::declval<const Handler&>(), std::declval<const asio_executor&>()),
      boost::asio::execution::outstanding_work.tracked))>;

public:
  asio_timer_handler(const asio_executor& executor, Handler&& handler)
      : asio_timer_wait(executor.owner()), pending_(std::in_place, executor, std::move(handler)) {}

private:
  struct pending {
    pending(const asio_executor& executor, Handler&& made)
        : on(boost::asio::prefer(boost::asio::get_associated_executor(made, executor),
                                 boost::asio::execution::outstanding_work.tracked)),
          handler(std::move(made)) {}
    tracked on; // the work that keeps the session from closing
    Handler handler;
  };
  void complete(boost::system::error_code error) override {
    auto last = std::move(*pending_);
    pending_.reset();
    boost::asio::post(last.on, [handler = std::move(last.handler), error]() mutable { std::move(handler)(error); });
  }
  void discard() noexcept override { pending_.reset(); }

  std::optional<pending> pending_;
};

} // namespace detail

/// Waits on the dispatcher's clock: real on real ones, virtual in the simulator. The members mean what those of
/// `asio::steady_timer` mean. Cancellation slots are heeded.
/// Thread safety: as an I/O object, one thread at a time.
class asio_timer {
public:
  using executor_type = asio_executor;

  explicit asio_timer(asio_executor executor) : executor_(std::move(executor)) {}
  explicit asio_timer(const session& owner, source_location where = source_location::current())
      : executor_(owner, {}, where) {}
  asio_timer(const session& owner, duration after, source_location where = source_location::current())
      : asio_timer(owner, where) {
    expires_after(after);
  }
  asio_timer(asio_timer&&) = default;
  asio_timer& operator=(asio_timer&& other) {
    cancel();
    waits_ = std::move(other.waits_);
    executor_ = other.executor_;
    expiry_ = other.expiry_;
    return *this;
  }
  /// Cancels what waits.
  ~asio_timer() { cancel(); }

  executor_type get_executor() const noexcept { return executor_; }
  time_point expiry() const noexcept { return expiry_; }
  /// Sets the time for the waits that follow, and cancels the pending ones. @returns how many.
  std::size_t expires_at(time_point when) {
    const auto cancelled = cancel();
    expiry_ = when;
    return cancelled;
  }
  std::size_t expires_after(duration delay);
  /// The pending waits complete with `operation_aborted`. @returns how many.
  std::size_t cancel();

  /// Completes with no error at `expiry()`, or with `operation_aborted`: `void(boost::system::error_code)`.
  template <class Token>
  auto async_wait(Token&& token) {
    return boost::asio::async_initiate<Token, void(boost::system::error_code)>(
        [this](auto handler) { this->begin(std::move(handler)); }, token);
  }

private:
  template <class Handler>
  void begin(Handler handler) {
    auto slot = boost::asio::get_associated_cancellation_slot(handler);
    std::shared_ptr<detail::asio_timer_wait> wait =
        std::make_shared<detail::asio_timer_handler<Handler>>(executor_, std::move(handler));
    if (slot.is_connected())
      slot.assign([weak = std::weak_ptr{wait}](boost::asio::cancellation_type) {
        if (auto wait = weak.lock())
          wait->cancel();
      });
    std::erase_if(waits_, [](auto& each) { return each->is_done(); });
    waits_.push_back(wait);
    wait->start(expiry_);
  }

  asio_executor executor_;
  time_point expiry_ = {};
  std::vector<std::shared_ptr<detail::asio_timer_wait>> waits_;
};

} // namespace troupe
