// Sends many requests over one connection without waiting for each answer.
//
// Units    Octets of requests that wait for their reply.
// Owns     The numbers of the requests on their way.
// Errors   The connection's; a reply that is not JSON ends it too.
// Threads  One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>

#include "daemon/ctl/connection.h"
#include "daemon/ctl/json_value.h"
#include "daemon/ctl/outcome.h"

namespace stentor::ctl {

class Pipeline {
 public:
  /// `number` is the request's as given to add(); `line` the reply as it came, `reply` as read.
  using OnReply =
      std::function<void(std::uint64_t number, std::string_view line, const JsonValue& reply)>;

  /// So much may be on its way at once: enough for the daemon to commit many together, little
  /// enough that their answers fit in memory many times over.
  static constexpr std::size_t kOctetsOnTheWay = 65536;

  Pipeline(Connection& connection, OnReply on_reply)
      : connection_(&connection), on_reply_(std::move(on_reply)) {}

  /// Sends a request line; hands out replies first where too much is on its way.
  [[nodiscard]] result<void> add(std::uint64_t number, std::string_view line);

  /// Hands out the replies that are still due.
  [[nodiscard]] result<void> finish();

 private:
  struct Waiting {
    std::uint64_t number;
    std::size_t octets;
  };

  [[nodiscard]] result<void> take_reply();
  [[nodiscard]] result<void> flush();

  Connection* connection_;
  OnReply on_reply_;
  std::deque<Waiting> waiting_;
  std::size_t octets_ = 0;
  std::string unsent_;  ///< gathered, so that a thousand short lines are a few writes
};

}  // namespace stentor::ctl
