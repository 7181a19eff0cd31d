#include "daemon/tracking/outcome_codes.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "daemon/config/receipt_keys.h"

namespace stentor::daemon {
namespace {

constexpr std::uint32_t kGsmNetwork = 3;  // SMPP 3.4 section 5.3.2.31

// 3GPP TS 29.002 section 17.5, local error codes.
std::string_view word_of_map_error(std::uint32_t code) noexcept {
  switch (code) {
    case 1:  // unknownSubscriber
    case 5:  // unidentifiedSubscriber
      return "unknown_subscriber";
    case 6:   // absentSubscriberSM
    case 27:  // absentSubscriber
      return "absent_subscriber";
    case 8: return "roaming_not_allowed";
    case 9: return "illegal_subscriber";
    case 10:  // bearerServiceNotProvisioned
    case 11:  // teleserviceNotProvisioned
      return "not_provisioned";
    case 7:   // unknownEquipment
    case 12:  // illegalEquipment
      return "illegal_handset";
    case 13: return "barred";
    case 21: return "not_supported_by_handset";
    case 31: return "subscriber_busy";
    case 32: return "handset_error";  // sm-DeliveryFailure: its memory is full, or it is faulty
    case 33: return "waiting_list_full";
    case 34:  // systemFailure
    case 35:  // dataMissing
    case 36:  // unexpectedDataValue
      return "network_error";
    default: return {};
  }
}

std::string_view without_zeros(std::string_view number) {
  while (number.size() > 1 && number.front() == '0') number.remove_prefix(1);
  return number;
}

}  // namespace

std::string_view word_of(protocol::MessageState state) noexcept {
  switch (state) {
    case protocol::MessageState::scheduled: return "scheduled";
    case protocol::MessageState::enroute: return "enroute";
    case protocol::MessageState::delivered: return "";
    case protocol::MessageState::expired: return "expired";
    case protocol::MessageState::deleted: return "deleted";
    case protocol::MessageState::undeliverable: return "undeliverable";
    case protocol::MessageState::accepted: return "accepted_by_carrier";
    case protocol::MessageState::unknown: return "unknown";
    case protocol::MessageState::rejected: return "carrier_rejected";
    case protocol::MessageState::skipped: return "skipped";
  }
  return "unknown";
}

protocol::MessageState state_by(const OwnStates& own, const protocol::Receipt& receipt) {
  if (own.empty()) return receipt.state;
  const auto lookup = [&own](std::string_view written) -> std::optional<protocol::MessageState> {
    const auto found = std::ranges::find(own, written, [](const auto& one) { return one.first; });
    if (found == own.end()) return std::nullopt;
    return found->second;
  };
  if (receipt.message_state) {
    const unsigned tlv = *receipt.message_state;
    if (const auto meant = lookup(fmt::format("{}{}", kMessageStateKey, tlv))) return *meant;
    constexpr auto kKnowsNothing = static_cast<unsigned>(protocol::MessageState::unknown);
    if (tlv == static_cast<unsigned>(receipt.state) && tlv != kKnowsNothing) return receipt.state;
  }
  return lookup(receipt.stat).value_or(receipt.state);
}

std::string words_of(std::string_view stat, std::string_view err) {
  constexpr std::size_t kWordOctetsMax = 32;
  std::string words = "stat:" + std::string(stat.substr(0, kWordOctetsMax));
  if (!err.empty()) words += " err:" + std::string(err.substr(0, kWordOctetsMax));
  return words;
}

std::string_view OutcomeCodes::own_word(const protocol::Receipt& receipt) const {
  if (words_.empty()) return {};
  const auto lookup = [this](std::string_view written) -> std::string_view {
    const auto found = std::ranges::find_if(words_, [written](const auto& word) {
      return word.first == written || without_zeros(word.first) == without_zeros(written);
    });
    return found == words_.end() ? std::string_view{} : std::string_view(found->second);
  };
  if (receipt.network_error_code) {
    const std::uint32_t error = *receipt.network_error_code;
    if (const auto word = lookup(fmt::format("{}:{}", error >> 16, error & 0xffff));
        !word.empty()) {
      return word;
    }
  }
  if (const auto word = lookup(receipt.err); !receipt.err.empty() && !word.empty()) return word;
  if (const auto word = lookup(fmt::format("{}{}", kStatKey, receipt.stat)); !word.empty()) {
    return word;
  }
  return lookup(fmt::format("{}{}", kMessageStateKey, static_cast<unsigned>(receipt.state)));
}

std::string_view OutcomeCodes::of(const protocol::Receipt& receipt) const {
  if (receipt.state == protocol::MessageState::delivered) return {};
  if (const auto word = own_word(receipt); !word.empty()) return word;
  if (receipt.network_error_code && *receipt.network_error_code >> 16 == kGsmNetwork) {
    const auto word = word_of_map_error(*receipt.network_error_code & 0xffff);
    if (!word.empty()) return word;
  }
  return word_of(receipt.state);
}

}  // namespace stentor::daemon
