// From intent to wire: segments of ready messages, as window and rate allow.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <array>

#include "daemon/delivery/carrier_delivery.h"
#include "daemon/delivery/carrier_line.h"
#include "daemon/delivery/coding.h"
#include "daemon/wall_clock.h"

namespace stentor::daemon {
namespace {

constexpr std::uint8_t kUdhIndicator = 0x40;  // esm_class, SMPP 3.4 section 5.2.12

// SMPP 3.4 section 5.2.17, bits 0 and 1.
std::uint8_t registered_delivery_of(ReceiptWish wish) {
  switch (wish) {
    case ReceiptWish::all: return 1;
    case ReceiptWish::failure: return 2;
    case ReceiptWish::none: return 0;
  }
  return 0;
}

// "DDhhmmss" behind years and months: SMPP 3.4 section 7.1.1. Empty with ValidityForm::none.
std::string validity_of(ValidityForm form, std::uint32_t expires, std::uint64_t now_ms) {
  const std::uint64_t now = now_ms / 1000;
  const std::uint64_t left = expires > now ? expires - now : 1;
  switch (form) {
    case ValidityForm::none: return {};
    case ValidityForm::relative: {
      const std::uint64_t days = left / 86400;
      // A relative month is whatever the SMSC takes it for; thirty days is what we mean by it.
      return fmt::format("{:02}{:02}{:02}{:02}{:02}{:02}000R", days / 360 > 99 ? 99 : days / 360,
                         days % 360 / 30, days % 30, left / 3600 % 24, left / 60 % 60, left % 60);
    }
    case ValidityForm::absolute: {
      const std::time_t at = expires;
      std::tm utc{};
      gmtime_r(&at, &utc);
      return fmt::format("{:02}{:02}{:02}{:02}{:02}{:02}000+", utc.tm_year % 100, utc.tm_mon + 1,
                         utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
    }
  }
  return {};
}

void put_tlv(std::uint16_t tag, std::span<const std::uint8_t> value,
             std::vector<std::uint8_t>& out) {
  for (const std::size_t word : {std::size_t{tag}, value.size()}) {
    out.push_back(static_cast<std::uint8_t>(word >> 8));
    out.push_back(static_cast<std::uint8_t>(word));
  }
  out.insert(out.end(), value.begin(), value.end());
}

}  // namespace

void CarrierDelivery::submit_ready(TimePoint now) {
  for (const auto& line : lines_) {
    if (line->link->may_send()) submit_line(*line, now);
  }
}

void CarrierDelivery::submit_line(Line& line, TimePoint now) {
  protocol::Session& session = line.link->session();
  std::size_t room = session.window_free();
  std::uint32_t credit = pacer_.available(now);
  while (!line.ready.empty() && room > 0 && credit > 0) {
    const std::uint32_t slot = line.ready.front();
    Sending& next = sending(slot);
    if (next.stopped) {  // its refusal was answered while it stood here
      line.ready.pop_front();
      finish_when_answered(slot);
      continue;
    }
    std::uint16_t part = 0;
    if (!next.again.empty()) {
      part = next.again.front();
      next.again.erase(next.again.begin());
    } else {
      while (next.next_part < next.subject.parts && next.retry.taken[next.next_part]) {
        ++next.next_part;
      }
      if (next.next_part >= next.subject.parts) {
        line.ready.pop_front();
        finish_when_answered(slot);
        continue;
      }
      part = next.next_part++;
    }
    if (!submit_part(line, slot, part, now)) {
      line.ready.pop_front();
      finish_when_answered(slot);
      continue;
    }
    --room;
    --credit;
    if (next.again.empty() && next.next_part >= next.subject.parts) line.ready.pop_front();
  }
}

// False when our own fields do not fit: the message has failed then.
bool CarrierDelivery::submit_part(Line& line, std::uint32_t slot, std::uint16_t part,
                                  TimePoint now) {
  Sending& next = sending(slot);
  const encoding::Concatenation concatenation = concatenation_of(config_);
  const encoding::Tie tie{.reference = next.accepted.reference,
                          .total = next.subject.parts,
                          .number = static_cast<std::uint8_t>(part + 1)};
  const bool as_payload = concatenation == encoding::Concatenation::payload;
  std::array<std::uint8_t, encoding::kPartOctetsMax> room{};
  std::vector<std::uint8_t> large;
  std::span<std::uint8_t> octets = room;
  if (as_payload) {  // the whole content at once
    large.resize(next.plan.part_octets_max(next.content));
    octets = large;
  }
  const encoding::EncodedPart encoded =
      next.plan.encode(next.content, part, concatenation, tie, octets);

  tlvs_.clear();
  protocol::SubmitSm submit;
  const std::uint64_t now_ms = wall_clock_ms();
  const std::string validity = validity_of(config_.validity, next.pick.ticket.expires, now_ms);
  submit.service_type = config_.service_type;
  submit.source = {.numbering = next.source_numbering, .digits = next.source};
  submit.destination = {.numbering = next.destination_numbering, .digits = next.destination};
  submit.validity_period = validity;
  submit.registered_delivery = registered_delivery_of(next.accepted.receipt);
  submit.data_coding = next.plan.data_coding();
  if (encoded.header_octets > 0) submit.esm_class = kUdhIndicator;
  const auto body = octets.first(encoded.octets);
  if (as_payload && encoded.octets > 254) {
    put_tlv(protocol::tag::kMessagePayload, body, tlvs_);
  } else {
    submit.short_message = body;
  }
  if (concatenation == encoding::Concatenation::sar && next.subject.parts > 1) {
    const std::array<std::uint8_t, 2> reference = {static_cast<std::uint8_t>(tie.reference >> 8),
                                                   static_cast<std::uint8_t>(tie.reference)};
    put_tlv(protocol::tag::kSarMsgRefNum, reference, tlvs_);
    put_tlv(protocol::tag::kSarTotalSegments, {&tie.total, 1}, tlvs_);
    put_tlv(protocol::tag::kSarSegmentSeqnum, {&tie.number, 1}, tlvs_);
  }
  submit.tlvs = protocol::Tlvs(tlvs_);

  const std::uint64_t cookie = std::uint64_t{slot} << 8 | part;
  const auto submitted = line.link->session().submit(submit, cookie, now);
  if (!submitted) {
    next.stopped = true;
    next.refusal_code = "not_encodable";
    spdlog::error("carrier {}: a segment does not fit its submit_sm: {}", config_.name,
                  submitted.error().message());
    return false;
  }
  if (!*submitted) {  // the window closed under us: the part goes again at the next turn
    next.again.insert(next.again.begin(), part);
    return true;
  }
  pacer_.take(1, now);
  ++next.in_flight;
  next.submitted_at[part] = now;
  ++stats_.submitted;
  const std::string_view encoding = next.plan.encoding_word();
  ++(encoding == "gsm7"   ? stats_.segments_gsm7
     : encoding == "ucs2" ? stats_.segments_ucs2
                          : stats_.segments_other);
  if (part == 0) {
    const std::uint64_t since = next.subject.id.time_ms();
    stats_.accept_to_submit.record(std::chrono::milliseconds(now_ms > since ? now_ms - since : 0));
  }
  return true;
}

}  // namespace stentor::daemon
