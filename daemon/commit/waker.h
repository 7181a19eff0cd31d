// Wakes an Asio thread at most once for any number of reasons to.
//
// Owns     Nothing but a flag; the io_context and the handler outlive it.
// Threads  wake() from any thread. The handler runs on the io_context's thread.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <functional>
#include <utility>

namespace stentor::daemon {

class Waker {
 public:
  Waker(boost::asio::io_context& context, std::function<void()> handler)
      : context_(context), handler_(std::move(handler)) {}

  void wake() {
    // The exchange pairs with the one below: what was done before wake() is seen by the handler
    // that it starts, or by the one already on its way.
    if (pending_.exchange(true, std::memory_order_acq_rel)) return;
    boost::asio::post(context_, [this] {
      pending_.exchange(false, std::memory_order_acq_rel);
      handler_();
    });
  }

 private:
  boost::asio::io_context& context_;
  std::function<void()> handler_;
  std::atomic<bool> pending_{false};
};

}  // namespace stentor::daemon
