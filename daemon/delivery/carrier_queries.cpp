#include "daemon/delivery/carrier_queries.h"

#include <fmt/format.h>

#include <algorithm>

#include "daemon/log.h"
#include "daemon/tracking/outcome_codes.h"
#include "protocol/field_limits.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;
using protocol::CommandStatus;

// Long enough for the answer to come and be read before the verdict falls by itself.
constexpr std::uint64_t kBeforeVerdictSeconds = 120;
// Queries share the window with messages, which come first.
constexpr std::size_t kQueriesShareOfWindow = 10;
// What waits for a bind that came back is not asked in the same breath.
constexpr auto kAfterLoss = 5s;
// Refused for now, or passed over: asked again so often. What is never answered is not worth more.
constexpr std::uint8_t kAgainMax = 3;

// Not ESME_RQUERYFAIL, which says that the question itself has no answer. An unanswered question
// comes as unknown_error (protocol/session.cpp).
bool is_for_now(CommandStatus status) noexcept {
  return status == CommandStatus::throttled || status == CommandStatus::message_queue_full ||
         status == CommandStatus::system_error || status == CommandStatus::unknown_error;
}

// The octet means what the one in the receipt's TLV does, to this carrier too.
protocol::MessageState state_of(const protocol::QueryResp& response, const CarrierConfig& carrier) {
  constexpr auto kStateMax = static_cast<std::uint8_t>(protocol::MessageState::skipped);
  protocol::Receipt told;
  told.message_state = response.message_state;
  if (response.message_state <= kStateMax) {
    told.state = static_cast<protocol::MessageState>(response.message_state);
  }
  return state_by(carrier.wire.receipt_states, told);
}

}  // namespace

CarrierQueries::CarrierQueries(const CarrierConfig& carrier, SenderOf sender_of,
                               std::size_t segments_max)
    : carrier_(carrier),
      sender_of_(std::move(sender_of)),
      is_on_(carrier.wire.query_after.count() > 0),
      waiting_(segments_max) {}

void CarrierQueries::on_taken(queue::Locator at, std::uint8_t part, std::string_view message_id,
                              std::uint64_t expires, std::uint64_t now_seconds, TimePoint now) {
  if (!is_on_ || message_id.empty()) return;
  if (message_id.size() > protocol::kMessageIdMax) {  // query_sm has no room (section 4.8.1)
    ++stats_.unasked;
    return;
  }
  const std::uint64_t verdict = std::max(expires, now_seconds + kBeforeVerdictSeconds);
  const std::chrono::seconds until_verdict(verdict - now_seconds - kBeforeVerdictSeconds);
  put_back({.at = at,
            .part = part,
            .message_id = std::string(message_id),
            .last_chance = now + until_verdict},
           now + std::min<std::chrono::milliseconds>(carrier_.wire.query_after, until_verdict));
}

void CarrierQueries::on_settled(queue::Locator at, std::uint8_t part) {
  waiting_.forget(at, part);
  for (auto& [cookie, asked] : asked_) {  // a tenth of a window at most
    if (asked.segment.at == at && asked.segment.part == part) asked.is_settled = true;
  }
}

// After query_after, or just in time for the verdict.
void CarrierQueries::ask_again(const StatusQueries::Segment& segment, TimePoint now) {
  if (now >= segment.last_chance) return;
  put_back(segment, std::min(now + carrier_.wire.query_after, segment.last_chance));
}

void CarrierQueries::put_back(const StatusQueries::Segment& segment, TimePoint due) {
  if (!is_on_ || !waiting_.put(segment, due)) ++stats_.unasked;  // as without query_after, then
}

void CarrierQueries::ask(protocol::Session& session, std::uint16_t link, TimePoint now) {
  if (!is_on_) return;
  const std::size_t most = std::max<std::size_t>(1, carrier_.window / kQueriesShareOfWindow);
  while (asked_.size() < most && session.window_free() > 0) {
    const auto segment = waiting_.take_due(now);
    if (!segment) return;
    const auto sender = sender_of_(segment->at);
    if (!sender) {
      ++stats_.unasked;
      continue;
    }
    const std::uint64_t cookie = next_cookie_++;
    const auto queried =
        session.query({.message_id = segment->message_id,
                       .source = {.numbering = sender->numbering, .digits = sender->digits}},
                      cookie, now);
    if (!queried) {  // a field of ours does not fit
      ++stats_.unasked;
      continue;
    }
    if (!*queried) return put_back(*segment, now);
    asked_.emplace(cookie, Asked{.segment = *segment, .link = link});
    ++stats_.asked;
  }
}

std::optional<protocol::Receipt> CarrierQueries::on_answer(std::uint64_t cookie,
                                                           CommandStatus status,
                                                           const protocol::QueryResp& response,
                                                           TimePoint now) {
  const auto found = asked_.find(cookie);
  if (found == asked_.end()) return std::nullopt;
  const bool is_settled = found->second.is_settled;
  answered_ = std::move(found->second.segment);
  asked_.erase(found);
  if (status == CommandStatus::invalid_command_id) {
    ++stats_.refused;
    if (is_on_) {
      log::warn("carrier {}: it does not know query_sm and is not asked again until a restart",
                carrier_.name);
    }
    is_on_ = false;
    stats_.unasked += waiting_.size();
    waiting_ = StatusQueries();
    return std::nullopt;
  }
  if (status != CommandStatus::ok) {
    ++stats_.refused;
    if (is_for_now(status) && answered_.refusals < kAgainMax) {
      ++answered_.refusals;
      if (!is_settled) ask_again(answered_, now);
    }
    return std::nullopt;
  }
  const protocol::MessageState state = state_of(response, carrier_);
  switch (protocol::verdict_of(state)) {
    case protocol::ReceiptVerdict::intermediate:
      ++stats_.waiting;
      if (!is_settled) ask_again(answered_, now);
      return std::nullopt;
    case protocol::ReceiptVerdict::unknown: ++stats_.waiting; return std::nullopt;
    case protocol::ReceiptVerdict::delivered:
    case protocol::ReceiptVerdict::failed:
    case protocol::ReceiptVerdict::expired: break;
  }
  ++stats_.final;
  stat_ = fmt::format("{} (query_sm)", protocol::name_of(state));
  err_ = response.error_code == 0 ? std::string() : fmt::format("{:03}", response.error_code);
  protocol::Receipt receipt;
  receipt.message_id = answered_.message_id;
  receipt.state = state;
  receipt.stat = stat_;
  receipt.err = err_;
  return receipt;
}

void CarrierQueries::on_link_lost(std::uint16_t link, TimePoint now) {
  boost::unordered::erase_if(asked_, [&](const auto& entry) {
    if (entry.second.link != link) return false;
    ++stats_.unanswered;
    if (!entry.second.is_settled) put_back(entry.second.segment, now + kAfterLoss);
    return true;
  });
}

}  // namespace stentor::daemon
