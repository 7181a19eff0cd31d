// Waits for what becomes of messages: `send --wait`.
//
// It subscribes before anything is sent, so no event can come too early, and acknowledges nothing,
// so the daemon keeps nothing for it.
//
// Owns     Its own connection to the daemon.
// Errors   The connection's, and Exit::refused when the time given is over.
// Threads  One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

#include "daemon/ctl/connection.h"
#include "daemon/ctl/json_value.h"
#include "daemon/ctl/outcome.h"

namespace stentor::ctl {

class OutcomeWatch {
 public:
  using OnOutcome = std::function<void(std::string_view line, const JsonValue& event)>;

  /// `sent_is_final`: no receipt is asked for, so nothing comes after `sent`.
  [[nodiscard]] static result<OutcomeWatch> subscribe(const std::string& socket,
                                                      std::chrono::milliseconds patience,
                                                      bool sent_is_final);

  void expect(std::string id) { expected_.insert(std::move(id)); }

  /// Returns when each expected message has come to its end, or the time is over.
  [[nodiscard]] result<void> wait(std::optional<std::chrono::milliseconds> within,
                                  const OnOutcome& on_outcome);

 private:
  OutcomeWatch(Connection connection, bool sent_is_final)
      : connection_(std::move(connection)), sent_is_final_(sent_is_final) {}

  Connection connection_;
  bool sent_is_final_;
  std::unordered_set<std::string> expected_;
};

}  // namespace stentor::ctl
