// What a reply asks for: no more messages, messages again, or neither.
//
// Owns     The words of the configuration in normal form (inbound/first_word.h).
// Threads  Read-only: any thread.
// Spec     docs/configuration.md, [opt_out]
#pragma once

#include <cstdint>
#include <string>
#include <unordered_set>

#include "daemon/config/opt_out_config.h"
#include "daemon/inbound/first_word.h"

namespace stentor::daemon {

enum class OptOutWish : std::uint8_t { none, stop, start };

class OptOutWords {
 public:
  explicit OptOutWords(const OptOutConfig& config);

  [[nodiscard]] OptOutWish wish_of(const FirstWord& word) const;

 private:
  std::unordered_set<std::string> stop_;
  std::unordered_set<std::string> stop_alone_;
  std::unordered_set<std::string> start_;
};

}  // namespace stentor::daemon
