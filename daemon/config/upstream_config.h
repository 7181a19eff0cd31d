// What the configuration says of the way back to upstream: whose replies are whose, and who wants
// no more messages.
//
// Owns     Everything it says.
// Errors   Readers complain into their Section's Mistakes.
// Threads  Read-only once loaded.
// Spec     docs/configuration.md, [[inbound]] and [opt_out]
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace stentor::daemon {

/// Which client a message from a handset belongs to. What is empty fits anything.
struct InboundRule {
  std::string to;       ///< our number or short code, in its kept form
  std::string keyword;  ///< the text's first word, in its normal form: see inbound/first_word.h
  std::string client;
};

}  // namespace stentor::daemon
