// What the index of a journal file knows of its records: which messages they speak of, and by which
// other names those are asked for.
//
// Units    Keys are 64-bit hashes: who finds one looks at the record to be sure.
// Threads  Pure functions.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string_view>

#include "queue/record_batch.h"

namespace stentor::daemon {

struct IndexEntry {
  std::uint64_t key = 0;  ///< a message's sequence, or a hashed name
  std::uint64_t at = 0;   ///< locator bits of the record
  friend auto operator<=>(const IndexEntry&, const IndexEntry&) = default;
};
static_assert(sizeof(IndexEntry) == 16);

enum class IndexedName : std::uint8_t { to, ref, carrier_id, campaign };
/// The values are on disk. A carrier's id in canonical spelling (protocol/message_id.h).
[[nodiscard]] std::uint64_t index_key(IndexedName name, std::string_view value) noexcept;
/// Of the orders that were given about a client's campaign.
[[nodiscard]] std::uint64_t campaign_key(std::string_view client, std::string_view name);

/// Calls `on_sequence` for each message that the record speaks of, `on_name` for each name in it.
void index_record(const queue::Record& record,
                  const std::function<void(std::uint64_t sequence)>& on_sequence,
                  const std::function<void(std::uint64_t key)>& on_name);

}  // namespace stentor::daemon
