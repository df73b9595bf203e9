// A handler that can be posted to an io_context again and again without allocating. Not installed.
#pragma once
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <cassert>
#include <cstddef>

namespace troupe::platform {

/// Calls a function inside an io_context, soon after it was requested; requests made before the call coalesce into one.
/// Must outlive the io_context, which may still hold the handler when it is destroyed. Any thread.
class coalesced_handler {
public:
  using function = void (*)(void*) noexcept;

  coalesced_handler(boost::asio::io_context& where, function call, void* context) noexcept
      : where_{where}, call_{call}, context_{context} {}
  coalesced_handler(const coalesced_handler&) = delete;
  coalesced_handler& operator=(const coalesced_handler&) = delete;

  /// The function will be called after this. Sequentially consistent with the start of that call.
  void request() noexcept {
    if (!pending_.load(std::memory_order_seq_cst) && !pending_.exchange(true, std::memory_order_seq_cst))
      boost::asio::post(where_, handler{this});
  }

private:
  // Asio frees a handler's storage before it calls the handler, so one place is enough: nobody posts before the call.
  template <class T>
  struct allocator {
    using value_type = T;
    coalesced_handler* self;
    explicit allocator(coalesced_handler* owner) noexcept : self{owner} {}
    template <class U>
    allocator(const allocator<U>& other) noexcept : self{other.self} {}
    T* allocate([[maybe_unused]] std::size_t count) noexcept {
      static_assert(sizeof(T) <= sizeof(storage_) && alignof(T) <= alignof(std::max_align_t));
      assert(count == 1);
      return reinterpret_cast<T*>(self->storage_);
    }
    void deallocate(T*, std::size_t) noexcept {}
    template <class U>
    bool operator==(const allocator<U>& other) const noexcept {
      return self == other.self;
    }
  };

  struct handler {
    using allocator_type = allocator<void>;
    coalesced_handler* self;
    allocator_type get_allocator() const noexcept { return allocator_type{self}; }
    void operator()() const noexcept {
      self->pending_.store(false, std::memory_order_seq_cst);
      self->call_(self->context_);
    }
  };

  boost::asio::io_context& where_;
  function call_;
  void* context_;
  std::atomic<bool> pending_ = false;
  alignas(std::max_align_t) std::byte storage_[160];
};

} // namespace troupe::platform
