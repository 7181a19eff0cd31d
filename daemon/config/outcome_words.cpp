#include "daemon/config/outcome_words.h"

#include <algorithm>
#include <array>

namespace stentor::daemon {
namespace {

constexpr std::array<std::string_view, 26> kWords = {"absent_subscriber",
                                                     "unknown_subscriber",
                                                     "illegal_subscriber",
                                                     "subscriber_busy",
                                                     "roaming_not_allowed",
                                                     "not_provisioned",
                                                     "barred",
                                                     "illegal_handset",
                                                     "handset_full",
                                                     "handset_error",
                                                     "not_supported_by_handset",
                                                     "waiting_list_full",
                                                     "network_error",
                                                     "no_credit",
                                                     "opted_out_at_carrier",
                                                     "spam",
                                                     "content_refused",
                                                     "invalid_destination",
                                                     "invalid_source",
                                                     "not_permitted_by_carrier",
                                                     "carrier_rejected",
                                                     "carrier_error",
                                                     "undeliverable",
                                                     "expired",
                                                     "deleted",
                                                     "unknown"};

}  // namespace

std::span<const std::string_view> outcome_words_of_carriers() noexcept {
  return kWords;
}

bool is_outcome_word(std::string_view word) noexcept {
  return std::ranges::find(kWords, word) != kWords.end();
}

}  // namespace stentor::daemon
