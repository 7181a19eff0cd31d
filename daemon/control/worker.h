// One thread with its io_context, and the last time it showed that it runs.
//
// Owns     The thread: stop() joins it, and drops what it had not begun.
// Threads  start() and stop() on the control thread; poster() any.
#pragma once

#include <sys/prctl.h>

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <utility>

namespace stentor::daemon {

struct Worker {
  explicit Worker(std::string worker_name) : name(std::move(worker_name)) {}
  void start() {
    thread = std::thread([this] {
      prctl(PR_SET_NAME, name.c_str());
      context.run();
    });
  }
  void stop() {
    work.reset();
    context.stop();
    if (thread.joinable()) thread.join();
  }
  [[nodiscard]] std::function<void(std::function<void()>)> poster() {
    return [this](std::function<void()> what) { boost::asio::post(context, std::move(what)); };
  }

  std::string name;
  boost::asio::io_context context{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work =
      boost::asio::make_work_guard(context);
  std::atomic<std::chrono::steady_clock::rep> heartbeat{
      std::chrono::steady_clock::now().time_since_epoch().count()};
  std::thread thread;
};

}  // namespace stentor::daemon
