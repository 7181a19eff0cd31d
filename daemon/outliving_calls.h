// Calls that cannot be interrupted, such as the C library's resolver, each on a thread of its own
// that may outlive who asked.
//
// Owns     No thread: each ends when its call comes back. How many there may be at once is the
//          owner's to bound.
// Errors   begin() says when there is no thread to be had.
// Threads  One thread owns it. `call` runs on the new thread, and `tell` after it, under guard():
//          never two at once, and never after the destructor, which waits for no call.
#pragma once

#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace stentor::daemon {

class OutlivingCalls {
 public:
  OutlivingCalls() = default;
  ~OutlivingCalls() {
    const std::lock_guard lock(gate_->mutex);
    gate_->is_open = false;
  }
  OutlivingCalls(const OutlivingCalls&) = delete;
  OutlivingCalls& operator=(const OutlivingCalls&) = delete;

  /// Hands to `tell` what `call` gives, unless this is gone by then. `call` may know nothing of the
  /// owner, `tell` may know all of it. False: there is no thread.
  template <class Call, class Tell>
  [[nodiscard]] bool begin(Call call, Tell tell) {
    try {
      std::thread([gate = gate_, call = std::move(call), tell = std::move(tell)]() mutable {
        auto found = call();
        const std::lock_guard lock(gate->mutex);
        if (gate->is_open) tell(std::move(found));
      }).detach();
    } catch (const std::system_error&) {
      return false;
    }
    return true;
  }

  /// Of what `tell` and the owner share. The owner declares it before this, so that it goes after.
  [[nodiscard]] std::mutex& guard() const noexcept { return gate_->mutex; }

 private:
  struct Gate {
    std::mutex mutex{};
    bool is_open = true;
  };
  const std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();
};

}  // namespace stentor::daemon
