#include "protocol/address.h"

#include <algorithm>

namespace stentor::protocol {

namespace {
constexpr std::size_t kShortCodeDigitsMax = 8;
}

Numbering numbering_of(AddressForm form) noexcept {
  switch (form) {
    case AddressForm::international: return {.ton = 1, .npi = 1};
    case AddressForm::national: return {.ton = 2, .npi = 1};
    case AddressForm::short_code: return {.ton = 3, .npi = 0};
    case AddressForm::alphanumeric: break;
  }
  return {.ton = 5, .npi = 0};
}

AddressForm form_of(std::string_view address) noexcept {
  const bool has_plus = address.starts_with('+');
  const std::string_view digits = address.substr(has_plus ? 1 : 0);
  const bool is_number =
      !digits.empty() && std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
  if (!is_number) return AddressForm::alphanumeric;
  if (has_plus) return AddressForm::international;
  if (digits.size() <= kShortCodeDigitsMax) return AddressForm::short_code;
  const bool has_trunk_prefix = digits.starts_with('0') && !digits.starts_with("00");
  return has_trunk_prefix ? AddressForm::national : AddressForm::international;
}

}  // namespace stentor::protocol
