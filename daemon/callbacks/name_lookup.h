// Finds the addresses of hosts beside the thread that asks: each name on a thread of its own.
//
// The C library's resolver cannot be interrupted and waits 5 s for each of its servers, twice: who
// asks gives up when it likes, and the name's thread ends when the resolver comes back.
//
// Units    Addresses as texts of digits, for example 192.0.2.1 and 2001:db8::1.
// Owns     What was found, for a minute.
// Errors   A name without addresses says why, in words fit for a log.
// Threads  One thread asks. `find` is called on many; so is `wake`, but not after the destructor,
//          which waits for no resolver.
// Spec     getaddrinfo(3), resolv.conf(5)
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "daemon/outliving_calls.h"

namespace stentor::daemon {

struct FoundName {
  std::vector<std::string> addresses;  ///< in the order to try
  std::string why;                     ///< there are none
};

/// By this machine's resolver: may take a minute.
[[nodiscard]] FoundName find_by_resolver(const std::string& host);

class NameLookup {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  using Find = std::function<FoundName(const std::string& host)>;

  /// One client's messages may name hosts that no name server answers for: 64 requests at once,
  /// each given up after 5 s, while the resolver holds its thread for some 10.
  static constexpr std::size_t kThreadsMax = 128;
  /// As long as libcurl would keep it: an address may change.
  static constexpr std::chrono::seconds kKeptFor{60};
  /// As long as the first pause of a host that fails.
  static constexpr std::chrono::seconds kFailureKeptFor{1};
  /// Some 200 octets each; beyond it, those that are past their time are looked for and forgotten.
  static constexpr std::size_t kNamesKept = 1000;

  NameLookup(Find find, std::function<void()> wake);
  ~NameLookup();
  NameLookup(const NameLookup&) = delete;
  NameLookup& operator=(const NameLookup&) = delete;

  /// What is known of it; nullptr: ask again after `wake`, it is being looked up, or will be when
  /// there is a thread. While there is none, addresses stay good beyond their minute: names that
  /// nobody answers for hold up no host that was found. Good until the next call.
  [[nodiscard]] const FoundName* look_up(const std::string& host, TimePoint now);
  [[nodiscard]] std::size_t threads() const noexcept { return under_way_.size(); }

 private:
  struct Kept {
    FoundName found;
    TimePoint until;
  };
  void collect(TimePoint now);
  void begin(const std::string& host);

  const Find find_;
  const std::function<void()> wake_;
  std::set<std::string> under_way_;
  std::map<std::string, Kept> kept_;
  std::vector<std::pair<std::string, FoundName>> done_;  // under the guard of the calls
  OutlivingCalls calls_;
};

}  // namespace stentor::daemon
