// Saves the list of opt-outs beside the journal when it has changed: in small steps, so that
// neither admission nor the thread that writes waits long.
//
// Units    Pieces of the list.
// Owns     The file being written, a timer.
// Errors   A save that fails is logged and tried again; the journal keeps the records meanwhile.
// Threads  The control thread; what touches the list is posted to ingress.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "daemon/optout/opt_out_file.h"
#include "daemon/optout/opt_outs.h"

namespace stentor::daemon {

class OptOutSaver {
 public:
  using Poster = std::function<void(std::function<void()>)>;

  OptOutSaver(boost::asio::io_context& control, Poster to_ingress, OptOuts& opt_outs);
  ~OptOutSaver();
  OptOutSaver(const OptOutSaver&) = delete;
  OptOutSaver& operator=(const OptOutSaver&) = delete;

  void start();
  void stop() { timer_.cancel(); }

 private:
  void wait(std::chrono::milliseconds time);
  void begin();
  void open(OptOuts::Save save);
  void ask_for(std::size_t piece);
  void take(std::size_t piece, const std::vector<OptedOut>& entries);
  void finish();
  void fail(const std::error_code& why);

  boost::asio::io_context& control_;
  Poster to_ingress_;
  OptOuts& opt_outs_;
  boost::asio::steady_timer timer_;
  std::unique_ptr<OptOutFileWriter> writer_;
  OptOuts::Save save_;
  std::chrono::steady_clock::time_point began_;
};

}  // namespace stentor::daemon
