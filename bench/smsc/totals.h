// What the carrier counted.
//
// Units    PDUs unless said otherwise.
// Threads  One thread.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace stentor::smsc {

struct Totals {
  std::uint64_t connections = 0;
  std::uint64_t binds = 0;
  std::uint64_t binds_refused = 0;
  std::uint64_t unbinds = 0;
  std::uint64_t submit_sm = 0;
  std::uint64_t accepted = 0;  ///< taken with status 0, whether or not the answer got out
  std::uint64_t answered = 0;  ///< responses handed to the connection
  std::uint64_t receipts = 0;  ///< deliver_sm with a receipt, duplicates and repeats included
  std::uint64_t receipts_acknowledged = 0;
  std::uint64_t receipts_refused = 0;  ///< answered with an error; sent again
  std::uint64_t receipts_duplicated = 0;
  std::uint64_t receipts_repeated = 0;       ///< sent again, refused or cut off before
  std::uint64_t receipts_purged = 0;         ///< given up: too many waiting, or refused too often
  std::uint64_t delivered_acknowledged = 0;  ///< first acknowledgement of a DELIVRD receipt
  std::uint64_t replies = 0;
  std::uint64_t replies_acknowledged = 0;
  std::uint64_t enquire_links = 0;  ///< asked by clients
  std::uint64_t queries = 0;
  std::uint64_t cancellations = 0;
  std::uint64_t window_violations = 0;
  std::uint64_t window_peak = 0;  ///< most submit_sm unanswered at once on one connection
  std::uint64_t malformed = 0;
  std::uint64_t unknown_commands = 0;
  std::uint64_t unexpected_responses = 0;
  std::uint64_t disconnects = 0;  ///< by the carrier, on purpose
  std::uint64_t octets_in = 0;
  std::uint64_t octets_out = 0;
  std::vector<std::pair<std::uint32_t, std::uint64_t>> refused;  ///< submit_sm by status

  void count_refusal(std::uint32_t status);
};

/// What is so at this moment, beside the totals.
struct Levels {
  std::uint64_t connected = 0;
  std::uint64_t receipts_waiting = 0;
  double seconds = 0;      ///< since the start
  double cpu_seconds = 0;  ///< of this process
};

/// One JSON object without a newline; `type` is "totals" or "stats".
[[nodiscard]] std::string to_json(const char* type, const Totals& totals, const Levels& levels);
/// A table of several lines for people.
[[nodiscard]] std::string to_table(const Totals& totals, const Levels& levels);

}  // namespace stentor::smsc
