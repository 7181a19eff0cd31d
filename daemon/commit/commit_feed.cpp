#include "daemon/commit/commit_feed.h"

#include "daemon/records/fields.h"

namespace stentor::daemon {

CommitFeed::CommitFeed(CommitThread& thread, bool may_be_refused, std::size_t shards,
                       std::function<void()> on_durable)
    : thread_(thread),
      lane_(thread.add_producer(may_be_refused, std::move(on_durable))),
      shards_(shards) {}

CommitBatch& CommitFeed::open() {
  if (!open_) {
    open_ = std::make_shared<CommitBatch>();
    open_->number = next_number_;
    open_->arrivals.resize(shards_);
  }
  return *open_;
}

void CommitFeed::flush() {
  if (!open_ || open_->records.is_empty() || in_flight_.size() >= kBatchesInFlightMax) return;
  in_flight_.push_back(open_);
  thread_.submit(lane_, std::move(open_));
  open_.reset();
  ++next_number_;
}

void CommitFeed::collect(const std::function<void(const BatchPointer&)>& on_settled) {
  while (auto batch = lane_.settled.try_pop()) {
    in_flight_.pop_front();
    settled_ = (*batch)->number;
    on_settled(*batch);
  }
}

std::optional<std::span<const std::uint8_t>> CommitFeed::pending_record(
    std::uint64_t number, std::uint32_t offset) const {
  const CommitBatch* batch = nullptr;
  if (open_ && open_->number == number) batch = open_.get();
  for (const BatchPointer& candidate : in_flight_) {
    if (candidate->number == number) batch = candidate.get();
  }
  if (batch == nullptr) return std::nullopt;
  FieldReader in(batch->records.octets().subspan(offset));
  (void)in.u8();  // the kind: the caller knows it
  const auto payload = in.block();
  if (!in.is_good()) return std::nullopt;
  return payload;
}

}  // namespace stentor::daemon
