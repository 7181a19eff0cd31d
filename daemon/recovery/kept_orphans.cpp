#include "daemon/recovery/kept_orphans.h"

#include <xxhash.h>

#include "daemon/records/records.h"
#include "daemon/tracking/early_receipts.h"
#include "protocol/message_id.h"
#include "protocol/receipt.h"

namespace stentor::daemon {
namespace {

std::uint64_t hash_of(std::string_view message_id) {
  const protocol::CanonicalId id(message_id);
  return XXH3_64bits(id.text().data(), id.text().size());
}

bool is_final(const Orphan& orphan) {
  const auto state = static_cast<protocol::MessageState>(orphan.message_state);
  return !orphan.is_intermediate &&
         protocol::verdict_of(state) != protocol::ReceiptVerdict::intermediate;
}

}  // namespace

void KeptOrphans::note_orphan(const queue::Record& record) {
  const auto orphan = decode_orphan(record.payload);
  if (!orphan || orphan->time_ms < since_ms_) return;
  Carrier& carrier = carriers_[std::string(orphan->carrier)];
  const bool is_named = !orphan->message_id.empty();
  Share& share = carrier.shares.at(is_named ? kNamed : kUnnamed);
  const std::size_t entries_max =
      is_named ? EarlyReceipts::kEntriesMax : EarlyReceipts::kUnnamedMax;
  const std::uint64_t octets_max =
      is_named ? EarlyReceipts::kOctetsMax : EarlyReceipts::kUnnamedOctetsMax;
  const std::uint64_t octets = record.payload.size();
  while (!share.entries.empty() &&
         (share.entries.size() >= entries_max || share.octets + octets > octets_max)) {
    drop(carrier, share, share.entries.begin());
  }
  const auto by_id = is_named ? carrier.by_id.emplace(hash_of(orphan->message_id), record.at)
                              : carrier.by_id.end();
  share.entries.emplace(record.at,
                        Entry{.by_id = by_id, .octets = octets, .is_final = is_final(*orphan)});
  share.octets += octets;
}

// As at a start: it, its copies and what contradicts it were dealt with together, save that one
// which is not final takes no final one with it.
void KeptOrphans::note_receipt(const queue::Record& record) {
  if (carriers_.empty()) return;
  const auto came = decode_receipt(record.payload);
  if (!came || came->message_id.empty()) return;
  const auto subject = decode_subject(came->of.subject);
  const auto carrier = subject ? carriers_.find(subject->carrier) : carriers_.end();
  if (carrier == carriers_.end()) return;
  Share& named = carrier->second.shares.at(kNamed);
  const auto [begin, end] = carrier->second.by_id.equal_range(hash_of(came->message_id));
  for (auto place = begin; place != end;) {
    const auto entry = named.entries.find(place->second);
    ++place;
    if (came->is_final_for_part || !entry->second.is_final) drop(carrier->second, named, entry);
  }
}

bool KeptOrphans::contains(const queue::Record& orphan) const {
  const auto decoded = decode_orphan(orphan.payload);
  if (!decoded) return true;
  const auto carrier = carriers_.find(decoded->carrier);
  if (carrier == carriers_.end()) return false;
  const std::size_t whose = decoded->message_id.empty() ? kUnnamed : kNamed;
  return carrier->second.shares.at(whose).entries.contains(orphan.at);
}

void KeptOrphans::drop(Carrier& carrier, Share& share,
                       std::map<queue::Locator, Entry>::iterator entry) {
  if (entry->second.by_id != carrier.by_id.end()) carrier.by_id.erase(entry->second.by_id);
  share.octets -= entry->second.octets;
  share.entries.erase(entry);
}

}  // namespace stentor::daemon
