#include "daemon/delivery/carrier_cancels.h"

#include <algorithm>

#include "daemon/log.h"

namespace stentor::daemon {
namespace {

using protocol::CommandStatus;

// Messages come first in the window, as with query_sm.
constexpr std::size_t kCancelsShareOfWindow = 10;

}  // namespace

CarrierCancels::CarrierCancels(const CarrierConfig& carrier, AddressesOf addresses_of,
                               OnAnswer on_answer)
    : carrier_(carrier),
      addresses_of_(std::move(addresses_of)),
      on_answer_(std::move(on_answer)),
      is_known_(carrier.wire.cancel_sm) {}

void CarrierCancels::take(CancelOrder order, bool has_bind, TimePoint now, Done done) {
  CancelReport none;
  if (!is_known_) {
    none.outcome = CancelReport::Outcome::not_known;
  } else if (!has_bind) {
    none.outcome = CancelReport::Outcome::no_bind;
  } else if (waiting_.size() + order.segments.size() > kSegmentsMax) {
    none.outcome = CancelReport::Outcome::too_many;
  }
  if (none.outcome != CancelReport::Outcome::asked || order.segments.empty()) return done(none);
  const auto taken = std::make_shared<Order>();
  taken->missing = order.segments.size();
  taken->what = std::move(order);
  taken->done = std::move(done);
  for (std::size_t i = 0; i < taken->missing; ++i) {
    waiting_.push_back({.order = taken, .segment = i, .since = now});
  }
}

void CarrierCancels::ask(protocol::Session& session, std::uint16_t link, TimePoint now) {
  const std::size_t most = std::max<std::size_t>(1, carrier_.window / kCancelsShareOfWindow);
  while (!waiting_.empty() && asked_.size() < most && session.window_free() > 0) {
    Entry entry = std::move(waiting_.front());
    waiting_.pop_front();
    const CancelOrder& order = entry.order->what;
    // SMPP 3.4 section 4.9.1: service_type is for cancelling groups and left empty with an id.
    const auto addresses = addresses_of_(order.at);
    const std::uint64_t cookie = next_cookie_++;
    auto cancelled =
        addresses ? session.cancel({.service_type = {},
                                    .message_id = order.segments[entry.segment].message_id,
                                    .source = {.numbering = addresses->source.numbering,
                                               .digits = addresses->source.digits},
                                    .destination = {.numbering = addresses->destination.numbering,
                                                    .digits = addresses->destination.digits}},
                                   cookie, now)
                  : std::unexpected(std::make_error_code(std::errc::io_error));
    if (!cancelled) {  // its record is gone, or the id is longer than cancel_sm's field
      end(entry, std::nullopt);
      continue;
    }
    if (!*cancelled) {
      waiting_.push_front(std::move(entry));
      return;
    }
    entry.since = now;
    entry.link = link;
    ++stats_.asked;
    ++entry.order->report.asked;
    asked_.emplace(cookie, std::move(entry));
  }
}

void CarrierCancels::on_answer(std::uint64_t cookie, CommandStatus status, TimePoint now) {
  const auto found = asked_.find(cookie);
  if (found == asked_.end()) return;
  const Entry entry = std::move(found->second);
  asked_.erase(found);
  // The session says 0xFF for what was not answered in time.
  const bool is_late =
      status == CommandStatus::unknown_error && now - entry.since >= carrier_.response_timeout;
  if (status == CommandStatus::invalid_command_id && is_known_) {
    is_known_ = false;
    log::warn("carrier {}: it does not know cancel_sm and is not asked again until a restart",
              carrier_.name);
  }
  end(entry, is_late ? std::nullopt : std::optional(status));
}

void CarrierCancels::on_link_lost(std::uint16_t link) {
  std::vector<Entry> lost;
  boost::unordered::erase_if(asked_, [&](const auto& asked) {
    if (asked.second.link != link) return false;
    lost.push_back(asked.second);
    return true;
  });
  for (const Entry& entry : lost) end(entry, std::nullopt);
}

void CarrierCancels::on_time(TimePoint now) {
  while (!waiting_.empty() && now - waiting_.front().since >= carrier_.response_timeout) {
    const Entry entry = std::move(waiting_.front());
    waiting_.pop_front();
    end(entry, std::nullopt);
  }
}

void CarrierCancels::end(const Entry& entry, std::optional<CommandStatus> status) {
  Order& order = *entry.order;
  const CancelOrder::Segment& segment = order.what.segments[entry.segment];
  if (!status) {
    ++stats_.unanswered;
    ++order.report.unanswered;
  } else if (*status == CommandStatus::ok) {
    ++stats_.cancelled;
    ++order.report.cancelled;
  } else {
    ++stats_.refused;
    ++order.report.refused;
    order.report.last_refusal = static_cast<std::uint32_t>(*status);
  }
  on_answer_({.at = order.what.at,
              .part = segment.part,
              .message_id = segment.message_id,
              .client = order.what.client,
              .status = status});
  if (--order.missing == 0) order.done(order.report);
}

}  // namespace stentor::daemon
