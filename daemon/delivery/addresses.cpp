#include "daemon/delivery/addresses.h"

#include <utility>

#include "daemon/ingress/number.h"
#include "protocol/address.h"

namespace stentor::daemon {
namespace {

const Rewrite* rule_for(std::string_view digits, const std::vector<Rewrite>& rules) {
  const Rewrite* longest = nullptr;
  for (const Rewrite& rule : rules) {
    if (!digits.starts_with(rule.from)) continue;
    if (rule.to.empty() && rule.from.size() == digits.size()) continue;  // nothing would be left
    if (longest == nullptr || rule.from.size() > longest->from.size()) longest = &rule;
  }
  return longest;
}

// What the carrier says of the form, then of all forms; nothing: as usual.
const std::optional<TonNpi>& numbering_at(const FormNumbering& carrier,
                                          protocol::AddressForm form) {
  const auto or_others = [&](const std::optional<TonNpi>& own) -> const std::optional<TonNpi>& {
    return own ? own : carrier.others;
  };
  switch (form) {
    case protocol::AddressForm::international: return or_others(carrier.international);
    case protocol::AddressForm::national: return or_others(carrier.national);
    case protocol::AddressForm::short_code: return or_others(carrier.short_code);
    case protocol::AddressForm::alphanumeric: return or_others(carrier.alphanumeric);
  }
  return carrier.others;
}

bool makes_national(const Rewrite& rule, std::string_view rewritten) {
  return rule.is_national.value_or(protocol::form_of(rewritten) == protocol::AddressForm::national);
}

WireAddress on_wire(std::string_view kept, protocol::AddressForm form,
                    const std::vector<Rewrite>& rules, const FormNumbering& configured) {
  WireAddress address;
  address.digits = to_wire(kept);
  if (form == protocol::AddressForm::international) {
    if (const Rewrite* rule = rule_for(address.digits, rules)) {
      address.digits.replace(0, rule->from.size(), rule->to);
      address.rewritten = rule->from;
      if (makes_national(*rule, address.digits)) form = protocol::AddressForm::national;
    }
  }
  address.numbering = protocol::numbering_of(form);
  if (const auto& own = numbering_at(configured, form)) {
    address.numbering = {.ton = own->ton, .npi = own->npi};
  }
  return address;
}

}  // namespace

WireAddress destination_on_wire(std::string_view kept, bool is_short,
                                const CarrierConfig& carrier) {
  const auto form = is_short ? protocol::AddressForm::short_code : protocol::form_of(kept);
  return on_wire(kept, form, carrier.rewrite, carrier.destination);
}

WireAddress source_on_wire(std::string_view kept, const CarrierConfig& carrier) {
  return on_wire(kept, protocol::form_of(kept), carrier.rewrite_source, carrier.source);
}

std::optional<std::string> international_of(std::string_view national,
                                            const std::vector<Rewrite>& rules) {
  std::optional<std::string> found;
  for (const Rewrite& rule : rules) {
    if (!national.starts_with(rule.to) || !makes_national(rule, national)) continue;
    const std::string digits = rule.from + std::string(national.substr(rule.to.size()));
    // Another rule may be the one for these digits, and write them otherwise.
    if (rule_for(digits, rules) != &rule) continue;
    auto number = normalise_destination(digits);
    if (!number || number->substr(1) != digits) continue;
    if (found) return std::nullopt;
    found = std::move(*number);
  }
  return found;
}

}  // namespace stentor::daemon
