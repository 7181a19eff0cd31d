// Waits for what becomes of messages: `send --wait`.
//
// It subscribes before anything is sent, so no event can come too early.
//
// The daemon keeps a consumer's place for good, so the names are a small set that is used again and
// again; what passed since a name's last use is read and acknowledged on the way. An abstract
// socket of that name, bound while we run, keeps two of us from taking one name.
//
// Owns     Its own connection to the daemon, and the name.
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
#include <utility>

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
  /// A consumer's name that no other process on this machine uses while `fd` is open.
  class Name {
   public:
    [[nodiscard]] static std::optional<Name> take();
    Name(Name&& other) noexcept : text(std::move(other.text)), fd_(std::exchange(other.fd_, -1)) {}
    Name& operator=(Name&&) = delete;
    ~Name();
    std::string text;

   private:
    Name(std::string name, int fd) : text(std::move(name)), fd_(fd) {}
    int fd_;
  };

  OutcomeWatch(Connection connection, Name name, bool sent_is_final)
      : connection_(std::move(connection)), name_(std::move(name)), sent_is_final_(sent_is_final) {}

  [[nodiscard]] result<void> acknowledge(const std::string& cursor);

  Connection connection_;
  Name name_;
  bool sent_is_final_;
  std::unordered_set<std::string> expected_;
};

}  // namespace stentor::ctl
