#include "daemon/events/missed_events.h"

#include <algorithm>
#include <utility>

namespace stentor::daemon {
namespace {

// Streams get their turn in between: some ten milliseconds of reading.
constexpr int kMissedRecordsAtOnce = 10'000;

}  // namespace

void MissedEvents::add_uncounted() noexcept {
  if (bound == MissedBound::at_most) {  // neither bound holds any more
    counts = {};
    of_campaign = {};
  }
  bound = MissedBound::at_least;
}

MissedEvents missed_from(EventPosition from, std::optional<EventPosition> before,
                         MissedEvents counted, queue::Locator oldest) {
  if (from.record.file() >= oldest.file()) return {};
  MissedEvents none;
  none.to = queue::Locator(oldest.file(), 0, 0);
  none.bound = MissedBound::at_least;
  if (!before || counted.to.is_nowhere()) return none;
  if (from < *before) {  // and what lies between the two places
    counted.add_uncounted();
    return counted;
  }
  const bool are_all_counted =
      counted.to.file() >= oldest.file() && counted.bound != MissedBound::at_least;
  if (!are_all_counted) return none;
  counted.bound = MissedBound::at_most;
  return counted;
}

std::optional<MissedNumber> missed_by(const MissedFilter& filter, const MissedEvents& missed,
                                      std::uint32_t oldest_file) {
  if (missed.to.is_nowhere()) return std::nullopt;
  MissedNumber number{.bound = missed.bound, .events = 0};
  if (missed.to.file() < oldest_file) {  // others went since, uncounted
    if (number.bound == MissedBound::at_most) return std::nullopt;
    number.bound = MissedBound::at_least;
  }
  const bool is_counted = filter.campaign.empty() || filter.campaign == missed.campaign;
  const MissedEvents::Counts& of =
      filter.campaign.empty() || !is_counted ? missed.counts : missed.of_campaign;
  const auto& counts = filter.is_own_only ? of.own : of.all;
  for (std::size_t type = 0; type < kEventTypes; ++type) {
    const auto is_it = [type](const std::string& name) { return event_type_of(name) == type; };
    if (filter.types.empty() || std::ranges::any_of(filter.types, is_it)) {
      number.events += counts[type];
    }
  }
  if (!is_counted && number.events > 0) {  // of all campaigns: no more than these
    if (number.bound == MissedBound::at_least) return std::nullopt;
    number.bound = MissedBound::at_most;
  }
  if (number.bound == MissedBound::at_least && number.events == 0) return std::nullopt;
  if (number.bound == MissedBound::at_most && number.events == 0) number.bound = MissedBound::exact;
  return number;
}

MissedCount::MissedCount(std::unique_ptr<queue::JournalReader> reader, std::uint32_t from_file,
                         std::uint32_t to_file, std::vector<Laggard> laggards)
    : reader_(std::move(reader)),
      next_(from_file, 0, 0),
      to_(to_file, 0, 0),
      laggards_(std::move(laggards)) {}

bool MissedCount::step() {
  for (int i = 0; i < kMissedRecordsAtOnce; ++i) {
    const auto next = reader_->next(next_, to_);
    if (!next) {  // the disk does not say: of the rest of this file nothing is known
      next_ = std::min(to_, queue::Locator(next_.file() + 1, 0, 0));
      note_lost_before(next_);
      if (next_ < to_) continue;
    }
    const std::optional<queue::Record> record = next ? *next : std::nullopt;
    if (reader_->passed_over() != passed_over_) {
      passed_over_ = reader_->passed_over();
      note_lost_before(record ? record->at : to_);
    }
    if (!record) {
      for (Laggard& laggard : laggards_) laggard.missed.to = to_;
      return true;
    }
    count(*record);
  }
  return false;
}

void MissedCount::note_lost_before(queue::Locator place) {
  for (Laggard& laggard : laggards_) {
    if (laggard.position.record >= place || laggard.missed.to >= place) continue;
    laggard.missed.add_uncounted();
  }
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
