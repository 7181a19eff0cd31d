#include "daemon/events/missed_events.h"

namespace stentor::daemon {
namespace {

// Streams get their turn in between: some ten milliseconds of reading.
constexpr int kMissedRecordsAtOnce = 10'000;

}  // namespace

MissedCount::MissedCount(std::unique_ptr<queue::JournalReader> reader, std::uint32_t from_file,
                         std::uint32_t to_file, std::vector<Laggard> laggards)
    : reader_(std::move(reader)),
      next_(from_file, 0, 0),
      to_(to_file, 0, 0),
      laggards_(std::move(laggards)) {}

bool MissedCount::step() {
  for (int i = 0; i < kMissedRecordsAtOnce; ++i) {
    const auto record = reader_->next(next_, to_);
    if (!record || !*record) {
      for (Laggard& laggard : laggards_) laggard.missed.to = to_;
      return true;
    }
    count(**record);
  }
  return false;
}

void MissedCount::count(const queue::Record& record) {
  const RecordEvents events = events_of(record);
  for (std::uint8_t sub = 1; sub <= events.count; ++sub) {
    const auto type = event_type_of(events.types[sub - 1u]);
    if (!type) continue;
    const EventPosition at{record.at, sub};
    for (Laggard& laggard : laggards_) {
      // What an earlier count has covered is not counted again.
      if (at <= laggard.position || record.at < laggard.missed.to) continue;
      const bool is_own = events.subject->client == laggard.client;
      laggard.missed.counts.add(*type, is_own);
      if (!laggard.missed.campaign.empty() && events.subject->campaign == laggard.missed.campaign) {
        laggard.missed.of_campaign.add(*type, is_own);
      }
    }
  }
}

}  // namespace stentor::daemon
