#include "bench/smsc/receipt_composer.h"

#include <cassert>
#include <cstring>
#include <ctime>
#include <span>

namespace stentor::smsc {
namespace {

constexpr std::uint8_t kReceiptClass = 0x04;       // section 5.2.12: delivery receipt
constexpr std::uint8_t kIntermediateClass = 0x20;  // section 5.2.12: intermediate notification
constexpr std::uint8_t kGsmNetwork = 3;            // section 5.3.2.31, network_error_code

// As vendors commonly number them: absent subscriber, delivery time-out, refused by the network.
std::string_view err_of(Outcome outcome) noexcept {
  if (outcome == Outcome::undeliverable) return "001";
  if (outcome == Outcome::expired) return "027";
  if (outcome == Outcome::rejected) return "015";
  return "000";
}

}  // namespace

std::string_view ReceiptComposer::Stamp::at(std::uint32_t unix_seconds) noexcept {
  const std::uint32_t minute = unix_seconds / 60;
  if (minute != minute_) {
    const std::time_t time = unix_seconds;
    std::tm utc{};
    ::gmtime_r(&time, &utc);
    std::array<char, 16> digits{};
    std::strftime(digits.data(), digits.size(), "%y%m%d%H%M", &utc);
    std::memcpy(digits_.data(), digits.data(), digits_.size());
    minute_ = minute;
  }
  return {digits_.data(), digits_.size()};
}

std::string_view ReceiptComposer::compose_text(const Delivery& delivery,
                                               std::string_view message_id, const Now& now) {
  char* to = text_.data();
  const auto put = [&to](std::string_view piece) {
    std::memcpy(to, piece.data(), piece.size());
    to += piece.size();
  };
  put("id:");
  put(message_id);
  put(delivery.outcome == Outcome::delivered ? " sub:001 dlvrd:001 submit date:"
                                             : " sub:001 dlvrd:000 submit date:");
  put(submitted_.at(delivery.submitted));
  put(" done date:");
  put(done_.at(now.wall_seconds()));
  put(" stat:");
  put(stat_of(delivery.outcome));
  put(" err:");
  put(err_of(delivery.outcome));
  put(" text:");
  return {text_.data(), static_cast<std::size_t>(to - text_.data())};
}

// No field has a name, and "text" no part in it.
std::string_view ReceiptComposer::compose_csv(const Delivery& delivery, std::string_view message_id,
                                              const Now& now) {
  std::string& csv = csv_;
  csv = stat_of(delivery.outcome);
  for (const std::string_view field :
       {done_.at(now.wall_seconds()), submitted_.at(delivery.submitted), err_of(delivery.outcome),
        delivery.destination.view().digits, delivery.source.view().digits, message_id}) {
    csv.append(",").append(field);
  }
  return csv;
}

void ReceiptComposer::append(protocol::Octets& out, std::uint32_t sequence_number,
                             const Delivery& delivery, std::string_view message_id,
                             const Now& now) {
  protocol::DeliverSm deliver;
  deliver.source = delivery.destination.view();
  deliver.destination = delivery.source.view();
  deliver.esm_class =
      delivery.kind == DeliveryKind::intermediate ? kIntermediateClass : kReceiptClass;
  tlvs_.clear();
  if (form_ != ReceiptForm::tlv) {
    const std::string_view text = form_ == ReceiptForm::csv
                                      ? compose_csv(delivery, message_id, now)
                                      : compose_text(delivery, message_id, now);
    const std::span octets(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
    if (form_ != ReceiptForm::payload || by_data_sm_) {
      deliver.short_message = octets;
    } else {
      protocol::append_tlv(tlvs_, protocol::tag::kMessagePayload, octets);
    }
  }
  if (form_ == ReceiptForm::tlv || form_ == ReceiptForm::both) {
    protocol::append_tlv_text(tlvs_, protocol::tag::kReceiptedMessageId, message_id);
    protocol::append_tlv_u8(tlvs_, protocol::tag::kMessageState,
                            message_state_of(delivery.outcome));
    if (const std::string_view err = err_of(delivery.outcome); err != "000") {
      const auto code = static_cast<std::uint8_t>((err[1] - '0') * 10 + err[2] - '0');
      const std::uint8_t value[] = {kGsmNetwork, 0, code};
      protocol::append_tlv(tlvs_, protocol::tag::kNetworkErrorCode, value);
    }
  }
  if (delivery.has_user_message_reference) {
    protocol::append_tlv_u16(tlvs_, protocol::tag::kUserMessageReference,
                             delivery.user_message_reference);
  }
  deliver.tlvs = protocol::Tlvs(tlvs_);
  const auto appended = by_data_sm_ ? protocol::append_data_sm(out, sequence_number, deliver)
                                    : protocol::append_deliver_sm(out, sequence_number, deliver);
  assert(appended && "every field of a receipt fits");
  (void)appended;
}

}  // namespace stentor::smsc
