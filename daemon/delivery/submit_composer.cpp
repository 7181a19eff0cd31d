#include "daemon/delivery/submit_composer.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "daemon/delivery/coding.h"
#include "protocol/field_limits.h"
#include "protocol/tlv_kinds.h"

namespace stentor::daemon {
namespace {

namespace tag = protocol::tag;

constexpr std::uint8_t kUdhIndicator = 0x40;  // esm_class, section 5.2.12
constexpr std::uint8_t kReceiptMask = 0x03;   // registered_delivery, section 5.2.17
constexpr std::uint8_t kReceiptAlways = 0x01;
constexpr std::uint8_t kReceiptOnFailure = 0x02;
// sc_interface_version from which on a peer knows optional parameters. One that tells none is to be
// taken for one of 3.3 (section 3.4).
constexpr std::uint8_t kVersionWithTlvs = 0x34;

std::uint8_t registered_delivery_of(ReceiptWish wish, const WireConfig& wire) {
  const std::uint8_t asked = wire.registered_delivery.value_or(kReceiptAlways);
  switch (wish) {
    case ReceiptWish::all: return asked;
    case ReceiptWish::failure:
      return static_cast<std::uint8_t>((asked & ~kReceiptMask) | kReceiptOnFailure);
    case ReceiptWish::none: return 0;
  }
  return 0;
}

std::uint64_t seconds_left(std::uint32_t expires, std::uint64_t now_ms) {
  const std::uint64_t now = now_ms / 1000;
  return expires > now ? expires - now : 1;
}

// Carriers refuse (0x62), or silently cut, what is longer than they keep a message.
std::uint32_t told_expiry(std::uint32_t expires, const CarrierConfig& carrier,
                          std::uint64_t now_ms) {
  const auto most = static_cast<std::uint64_t>(carrier.validity_max.count());
  if (most == 0) return expires;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(expires, now_ms / 1000 + most));
}

}  // namespace

std::uint16_t user_message_reference_of(MessageId id, std::uint16_t part) noexcept {
  // Neighbours in sequence stay apart for eight parts, as most messages have fewer.
  return static_cast<std::uint16_t>((id.sequence() << 3) + part);
}

// Section 7.1.1: "YYMMDDhhmmss", tenths and quarters of an hour, which are 0 here, and R or +.
std::string_view SubmitComposer::validity(std::uint32_t expires, std::uint64_t now_ms) {
  expires = told_expiry(expires, carrier_, now_ms);
  const auto write = [this](auto... arguments) {
    const auto written = fmt::format_to_n(time_.data(), time_.size(),
                                          "{:02}{:02}{:02}{:02}{:02}{:02}000{}", arguments...);
    return std::string_view(time_.data(), std::min(written.size, time_.size()));
  };
  switch (carrier_.validity) {
    case ValidityForm::none: return {};
    case ValidityForm::relative: {
      const std::uint64_t left = seconds_left(expires, now_ms);
      const std::uint64_t days = left / 86400;
      // A relative month is whatever the SMSC takes it for; thirty days is what we mean by it.
      return write(std::min<std::uint64_t>(days / 360, 99), days % 360 / 30, days % 30,
                   left / 3600 % 24, left / 60 % 60, left % 60, 'R');
    }
    case ValidityForm::absolute: {
      const std::time_t at = expires;
      std::tm utc{};
      ::gmtime_r(&at, &utc);
      return write(utc.tm_year % 100, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min,
                   utc.tm_sec, '+');
    }
  }
  return {};
}

protocol::SubmitSm SubmitComposer::compose(const Sending& sending, std::uint16_t part,
                                           std::uint8_t peer_version, std::uint64_t now_ms) {
  const encoding::Concatenation concatenation = sending.plan.concatenation();
  const encoding::Tie tie{.reference = sending.accepted.reference,
                          .total = sending.subject.parts,
                          .number = static_cast<std::uint8_t>(part + 1)};
  std::span<std::uint8_t> room = part_;
  if (concatenation == encoding::Concatenation::payload) {  // the whole content at once
    payload_.resize(sending.plan.part_octets_max(sending.content));
    room = payload_;
  }
  const encoding::EncodedPart encoded =
      sending.plan.encode(sending.content, part, concatenation, tie, room);
  const auto body = room.first(encoded.octets);

  put_tlvs(sending, part, tie, peer_version, now_ms);
  protocol::SubmitSm submit;
  submit.service_type = sending.accepted.service_type.value_or(carrier_.service_type);
  submit.source = {.numbering = sending.source.numbering, .digits = sending.source.digits};
  submit.destination = {.numbering = sending.destination.numbering,
                        .digits = sending.destination.digits};
  submit.esm_class = encoded.header_octets > 0 ? kUdhIndicator : 0;
  submit.protocol_id = sending.accepted.protocol_id.value_or(0);
  submit.registered_delivery = registered_delivery_of(sending.accepted.receipt, carrier_.wire);
  submit.data_coding = sending.plan.data_coding();
  if (!carrier_.wire.by_data_sm) {
    submit.priority_flag = carrier_.priority_flags[static_cast<std::size_t>(sending.pick.priority)];
    submit.validity_period = validity(sending.accepted.expires, now_ms);
    if (body.size() > protocol::kShortMessageMax) {
      protocol::append_tlv(tlvs_, tag::kMessagePayload, body);
    } else {
      submit.short_message = body;
    }
  } else {
    submit.short_message = body;  // data_sm's encoder makes it the message_payload
  }
  submit.tlvs = protocol::Tlvs(tlvs_);
  return submit;
}

void SubmitComposer::put_tlvs(const Sending& sending, std::uint16_t part, const encoding::Tie& tie,
                              std::uint8_t peer_version, std::uint64_t now_ms) {
  const WireConfig& wire = carrier_.wire;
  const bool is_known_to_peer = peer_version >= kVersionWithTlvs;
  tlvs_.clear();
  if (is_used(wire.user_message_reference, is_known_to_peer)) {
    protocol::append_tlv_u16(tlvs_, tag::kUserMessageReference,
                             user_message_reference_of(sending.subject.id, part));
  }
  // Never together with a header that ties: MessagePlan sees to that.
  if (sending.plan.concatenation() == encoding::Concatenation::sar && tie.total > 1) {
    protocol::append_tlv_u16(tlvs_, tag::kSarMsgRefNum, tie.reference);
    protocol::append_tlv_u8(tlvs_, tag::kSarTotalSegments, tie.total);
    protocol::append_tlv_u8(tlvs_, tag::kSarSegmentSeqnum, tie.number);
  }
  if (is_used(wire.more_messages_to_send, is_known_to_peer) && tie.number < tie.total) {
    protocol::append_tlv_u8(tlvs_, tag::kMoreMessagesToSend, 1);
  }
  if (wire.by_data_sm && carrier_.validity != ValidityForm::none) {
    // data_sm has no validity_period: this says the same, in seconds from now (section 5.3.2.9).
    const std::uint32_t expires = told_expiry(sending.accepted.expires, carrier_, now_ms);
    const auto left = static_cast<std::uint32_t>(seconds_left(expires, now_ms));
    const std::array<std::uint8_t, 4> octets = {
        static_cast<std::uint8_t>(left >> 24), static_cast<std::uint8_t>(left >> 16),
        static_cast<std::uint8_t>(left >> 8), static_cast<std::uint8_t>(left)};
    protocol::append_tlv(tlvs_, tag::kQosTimeToLive, octets);
  }
  protocol::append_merged(tlvs_, protocol::Tlvs(wire.tlvs), protocol::Tlvs(sending.accepted.tlvs));
}

}  // namespace stentor::daemon
