#include "daemon/delivery/shard.h"

#include <algorithm>
#include <cassert>

namespace stentor::daemon {
namespace {

// What was just accepted is read from memory: 16 MiB are 50,000 messages. They stand beside what
// `memory` bounds, so of a small `memory` they are an eighth at most, over all shards. Backlog and
// receipts are read from disk in blocks: 8 MiB hold 32 of them.
constexpr std::uint64_t kRecentOctetsMax = 16u << 20;
constexpr std::uint64_t kRecentShare = 8;
constexpr std::size_t kBlocksOctetsMax = 8u << 20;

queue::ReaderOptions reader_options(const Config& config, std::size_t shards) {
  return {.recent_octets_max =
              std::min(kRecentOctetsMax, config.queue.memory_octets / kRecentShare / shards),
          .blocks_octets_max = kBlocksOctetsMax};
}

// An eighth of the bound for tickets, four million of them by default: more is cheaper on disk,
// read in blocks, than beside references and outstanding segments, which have no other place. A
// carrier that could keep less than these would be on disk all the time.
constexpr std::uint64_t kTicketShare = 8;
constexpr std::size_t kTicketsMin = 16'384;

std::size_t tickets_in_memory(const Config& config) {
  const std::size_t carriers = std::max<std::size_t>(1, config.carriers.size());
  const std::uint64_t tickets = config.queue.memory_octets / kTicketShare / sizeof(queue::Ticket);
  return std::max<std::size_t>(kTicketsMin, tickets / carriers);
}

}  // namespace

Shard::Shard(boost::asio::io_context& context, const Config& config, std::size_t index,
             std::size_t shards, CommitThread& commit, Routing& routing, Gauges& gauges,
             CarrierSwitches& switches, const InboundServices& inbound, BuriedMessages& buried,
             PausedMessages& paused, queue::FileSystem& files, std::uint64_t seed)
    : index_(index),
      arrival_waker_(context, [this] { take_arrivals(); }),
      settled_waker_(context, [this] { on_settled(); }),
      spill_waker_(context, [this] { on_spilled(); }),
      feed_(commit, false, shards, [this] { settled_waker_.wake(); }),
      commit_(commit),
      arrivals_(commit.add_shard([this] { arrival_waker_.wake(); })),
      reader_(files, config.state_dir / "journal", reader_options(config, shards)),
      spill_(files, config.state_dir / "spill", [this] { spill_waker_.wake(); }),
      by_number_(config.carriers.size(), nullptr) {
  for (std::size_t number = index; number < config.carriers.size(); number += shards) {
    auto carrier = std::make_unique<CarrierDelivery>(
        ShardServices{.context = context,
                      .feed = feed_,
                      .reader = reader_,
                      .routing = routing,
                      .gauges = gauges,
                      .switches = switches,
                      .inbound = inbound,
                      .buried = buried,
                      .paused = paused,
                      .shards = shards,
                      .inbox = inbox_,
                      .spill = spill_,
                      .tickets_in_memory = tickets_in_memory(config),
                      .order_hold = config.queue.order_hold,
                      .seed = seed + number * 1000,
                      .files = &files,
                      .spill_folder = config.state_dir / "outstanding",
                      .outstanding_in_memory_max = config.queue.memory_octets / kOutstandingShare /
                                                   kOctetsPerOutstanding / config.carriers.size()},
        config.carriers[number], static_cast<std::uint16_t>(number));
    by_number_[number] = carrier.get();
    carriers_.push_back(
        {static_cast<std::uint16_t>(number), config.carriers[number].name, std::move(carrier)});
  }
}

Shard::~Shard() = default;

CarrierDelivery& Shard::carrier(std::uint16_t number) {
  assert(by_number_[number] != nullptr && "the carrier lives on this shard");
  return *by_number_[number];
}

std::vector<FlowAtCarrier> Shard::ask(const FlowOrder& order, bool obey) {
  std::vector<FlowAtCarrier> found;
  found.reserve(carriers_.size());
  for (const Member& member : carriers_) {
    found.push_back(obey ? member.carrier->obey(order) : member.carrier->look_at(order.flow));
  }
  return found;
}

std::vector<FlowShare> Shard::give_back_shares() {
  std::vector<FlowShare> found;
  for (const Member& member : carriers_) member.carrier->give_back_shares(found);
  return found;
}

void Shard::take_shares(const std::vector<FlowShare>& dealt) {
  for (const FlowShare& share : dealt) {
    if (by_number_[share.carrier] != nullptr) by_number_[share.carrier]->take_share(share);
  }
}

std::optional<DoubtAnswer> Shard::resolve(std::uint64_t sequence, DoubtEnd end, const Peer& peer) {
  for (const Member& member : carriers_) {
    if (auto answer = member.carrier->resolve(sequence, end, peer)) return answer;
  }
  return std::nullopt;
}

CalledBack Shard::call_back(queue::Locator at, std::uint64_t sequence, std::string_view by) {
  for (const Member& member : carriers_) {
    const CalledBack came = member.carrier->call_back(at, sequence, by);
    if (came != CalledBack::not_here) return came;
  }
  return CalledBack::not_here;
}

bool Shard::end_buried(queue::Locator at, std::string_view carrier, bool possible_duplicate,
                       std::string_view by) {
  if (carriers_.empty()) return false;
  const auto found = std::ranges::find(carriers_, carrier, &Member::name);
  const Member& member = found == carriers_.end() ? carriers_.front() : *found;
  return member.carrier->end_buried(at, possible_duplicate, by);
}

bool Shard::keeps_in_hand(queue::Locator at) {
  return std::ranges::any_of(
      carriers_, [at](const Member& member) { return member.carrier->keeps_in_hand(at); });
}

PauseSaid Shard::say_paused(std::string_view carrier, const PauseOrder& order) {
  if (carriers_.empty()) return PauseSaid::unreadable;
  const auto found = std::ranges::find(carriers_, carrier, &Member::name);
  const Member& member = found == carriers_.end() ? carriers_.front() : *found;
  return member.carrier->say_paused(order);
}

void Shard::let_go(queue::Locator at) {
  for (const Member& member : carriers_) member.carrier->let_go(at);
}

void Shard::cancel_at_carrier(std::string_view carrier, CancelOrder order,
                              CarrierCancels::Done done) {
  const auto found = std::ranges::find(carriers_, carrier, &Member::name);
  assert(found != carriers_.end() && "the carrier lives on this shard");
  found->carrier->cancel_at_carrier(std::move(order),
                                    [this, done = std::move(done)](const CancelReport& report) {
                                      when_durable([done, report] { done(report); });
                                    });
}

bool Shard::has(std::string_view carrier) const {
  return std::ranges::find(carriers_, carrier, &Member::name) != carriers_.end();
}

void Shard::when_durable(std::function<void()> then) {
  feed_.flush();
  const std::uint64_t batch = feed_.last_written();
  if (batch <= feed_.settled()) return then();
  when_durable_.emplace_back(batch, std::move(then));
}

void Shard::start() {
  for (const Member& member : carriers_) member.carrier->start();
}

void Shard::drain() {
  for (const Member& member : carriers_) member.carrier->drain();
}

void Shard::stop() {
  for (const Member& member : carriers_) member.carrier->stop();
}

bool Shard::is_drained() const {
  for (const Member& member : carriers_) {
    if (!member.carrier->is_drained()) return false;
  }
  return feed_.is_idle();
}

void Shard::take_arrivals() {
  while (auto batch = arrivals_.ring.try_pop()) {
    arrivals_.untaken_octets.fetch_sub((*batch)->records.octets().size(),
                                       std::memory_order_relaxed);  // a figure: orders nothing
    reader_.remember(std::shared_ptr<const queue::RecordBatch>(*batch, &(*batch)->records));
    for (const Arrival& arrival : (*batch)->arrivals[index_]) {
      const queue::Locator record = (*batch)->records.at(arrival.record_offset);
      if (arrival.at.is_nowhere()) {
        by_number_[arrival.carrier]->take(arrival, record);
      } else {
        by_number_[arrival.carrier]->take(arrival, arrival.at, record);
      }
    }
    std::vector<Arrival>().swap((*batch)->arrivals[index_]);  // ours alone; the texts stay
  }
}

void Shard::on_settled() {
  bool any_failed = false;
  feed_.collect([&](const BatchPointer& batch) {
    any_failed = any_failed || batch->failure;
    if (any_failed) return;
    for (const Member& member : carriers_) member.carrier->on_batch(*batch);
  });
  // With the journal gone nothing may be written to a carrier or answered to it any more.
  if (any_failed) return stop();
  for (const Member& member : carriers_) member.carrier->on_durable(feed_.settled());
  while (!when_durable_.empty() && when_durable_.front().first <= feed_.settled()) {
    const auto then = std::move(when_durable_.front().second);
    when_durable_.pop_front();
    then();
  }
  feed_.flush();
  reader_.forget_before(commit_.oldest_file());
}

void Shard::on_spilled() {
  if (!spill_.collect()) return;
  for (const Member& member : carriers_) member.carrier->on_spilled();
}

std::vector<CarrierSnapshot> Shard::snapshot() const {
  std::vector<CarrierSnapshot> all;
  all.reserve(carriers_.size());
  for (const Member& member : carriers_) all.push_back(member.carrier->snapshot());
  return all;
}

}  // namespace stentor::daemon
