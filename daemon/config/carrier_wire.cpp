#include "daemon/config/carrier_wire.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "daemon/config/receipt_keys.h"
#include "protocol/tlv_kinds.h"

namespace stentor::daemon::config_file {
namespace {

using namespace std::chrono_literals;

// They travel with every segment: what is more than this is no field but a text.
constexpr std::size_t kTlvsMax = 16;
constexpr std::size_t kTlvOctetsMax = 512;
// A receipt's text has at most 254 octets.
constexpr std::size_t kPatternOctetsMax = 254;
constexpr std::uint8_t kReceiptBits = 0x03;  // registered_delivery, SMPP 3.4 section 5.2.17

// Searched from the front for receipts whose word is not the standard's.
constexpr std::size_t kStatesMax = 64;
constexpr std::size_t kStatOctets = 32;
constexpr std::pair<std::string_view, protocol::MessageState> kStates[] = {
    {"delivered", protocol::MessageState::delivered},
    {"expired", protocol::MessageState::expired},
    {"deleted", protocol::MessageState::deleted},
    {"undeliverable", protocol::MessageState::undeliverable},
    {"rejected", protocol::MessageState::rejected},
    {"enroute", protocol::MessageState::enroute},
    {"accepted", protocol::MessageState::accepted},
    {"unknown", protocol::MessageState::unknown},
};

constexpr std::pair<std::string_view, bool> kSubmits[] = {{"submit_sm", false}, {"data_sm", true}};

void read_tlvs(Section& section, std::vector<std::uint8_t>& into) {
  const Value* const found = section.find("tlv");
  if (found == nullptr) return;
  const auto* const table = std::get_if<Table>(&found->is);
  if (table == nullptr) {
    return section.mistake("tlv", fmt::format("is {}; must be a table such as "
                                              "{{ \"0x1400\" = \"0a0b\", source_port = 16 }}",
                                              kind_of(*found)));
  }
  if (table->size() > kTlvsMax) {
    return section.mistake("tlv", fmt::format("may name at most {} parameters", kTlvsMax));
  }
  for (const Entry& entry : *table) {
    const auto mistake = [&](std::string what) {
      section.mistake_at(entry.line, "tlv." + entry.key, std::move(what));
    };
    protocol::TlvText value;
    if (const auto* text = std::get_if<std::string>(&entry.value.is)) {
      value = std::string_view(*text);
    } else if (const auto* number = std::get_if<std::int64_t>(&entry.value.is);
               number != nullptr && *number >= 0) {
      value = static_cast<std::uint64_t>(*number);
    } else {
      mistake("must be a text or a number, not negative");
      continue;
    }
    const std::size_t before = into.size();
    if (auto appended = protocol::append_tlv_by_name(into, entry.key, value); !appended) {
      mistake(appended.error());
      continue;
    }
    const std::span octets(into);
    const protocol::Tlv added = *protocol::Tlvs(octets.subspan(before)).begin();
    if (protocol::Tlvs(octets.first(before)).find(added.tag).tag == added.tag && before > 0) {
      mistake("is given twice, by name and by number");
    }
  }
  if (into.size() > kTlvOctetsMax) {
    section.mistake("tlv", fmt::format("takes {} octets; at most {} travel with every segment",
                                       into.size(), kTlvOctetsMax));
  }
}

// `true` and `false` are somebody's word; "auto" goes by what the peer tells.
void read_tlv_use(Section& section, std::string_view key, TlvUse& use) {
  const Value* const given = section.find(key);
  if (given == nullptr) return;
  if (const auto* text = std::get_if<std::string>(&given->is); text != nullptr) {
    if (*text == "auto") {
      use = TlvUse::where_known;
    } else {
      section.mistake(key, "must be true, false or \"auto\"");
    }
    return;
  }
  bool is_wanted = false;
  section.flag(key, is_wanted);
  if (!section.has_mistake(key)) use = is_wanted ? TlvUse::always : TlvUse::never;
}

void read_registered_delivery(Section& section, bool receipts, WireConfig& wire) {
  std::uint8_t value = 0;
  section.number("registered_delivery", value, 0, 255);
  if (section.find("registered_delivery") == nullptr) return;
  if (section.has_mistake("registered_delivery")) return;
  if (!receipts) {
    return section.mistake("registered_delivery", "receipts = false asks for none");
  }
  if ((value & kReceiptBits) == 0) {
    return section.mistake("registered_delivery",
                           fmt::format("is {}, which asks for no receipt; say receipts = false, or "
                                       "set one of the bits 0x01 and 0x02",
                                       value));
  }
  wire.registered_delivery = value;
}

void read_receipt_pattern(Section& section, WireConfig& wire) {
  section.text("receipt_pattern", wire.receipt_pattern_text, kPatternOctetsMax);
  if (wire.receipt_pattern_text.empty()) {
    if (section.find("receipt_pattern") != nullptr && !section.has_mistake("receipt_pattern")) {
      section.mistake("receipt_pattern", "is empty; leave it out for the usual form");
    }
    return;
  }
  wire.receipt_pattern = protocol::ReceiptPattern::compile(wire.receipt_pattern_text);
  if (!wire.receipt_pattern) {
    section.mistake("receipt_pattern",
                    "is no pattern: names are {id}, {stat}, {err}, {done} and {} for what is of no "
                    "interest, each once, with text between any two, {id} or {stat} among them");
  }
}

bool is_key_of_states(std::string_view key) {
  if (key.empty() || key.size() > kStatOctets) return false;
  return !key.starts_with(kMessageStateKey) || message_state_in(key).has_value();
}

// receipt_states = { "00" = "delivered", "message_state:9" = "rejected" }: what the carrier means
// by its words in `stat` and by the TLV, whatever the standard says.
void read_receipt_states(Section& section, WireConfig& wire) {
  const Value* const given = section.find("receipt_states");
  if (given == nullptr) return;
  const auto* const table = std::get_if<Table>(&given->is);
  if (table == nullptr) {
    return section.mistake("receipt_states", "must be a table, such as { \"00\" = \"delivered\" }");
  }
  if (table->size() > kStatesMax) {
    return section.mistake("receipt_states", fmt::format("may name at most {}", kStatesMax));
  }
  for (const Entry& entry : *table) {
    const auto* word = std::get_if<std::string>(&entry.value.is);
    const auto* known =
        word == nullptr ? std::end(kStates)
                        : std::ranges::find(kStates, *word, [](const auto& s) { return s.first; });
    if (!is_key_of_states(entry.key)) {
      section.mistake_at(entry.line, "receipt_states",
                         fmt::format("\"{}\" is no word of a receipt (1 to {} octets) and no "
                                     "message_state:0 to 255",
                                     entry.key.substr(0, kStatOctets), kStatOctets));
    } else if (known == std::end(kStates)) {
      section.mistake_at(entry.line, "receipt_states." + entry.key,
                         "must be delivered, expired, deleted, undeliverable, rejected, enroute, "
                         "accepted or unknown");
    } else {
      wire.receipt_states.emplace_back(entry.key, known->second);
    }
  }
}

}  // namespace

void read_wire(Section& section, bool receipts, WireConfig& wire) {
  section.choice("submit", wire.by_data_sm, kSubmits);
  read_tlvs(section, wire.tlvs);
  read_tlv_use(section, "user_message_reference", wire.user_message_reference);
  section.flag("match_by_reference", wire.match_by_reference);
  if (wire.user_message_reference == TlvUse::never) {
    if (section.find("match_by_reference") != nullptr && wire.match_by_reference) {
      section.mistake("match_by_reference", "needs user_message_reference");
    }
    wire.match_by_reference = false;
  }
  read_tlv_use(section, "more_messages_to_send", wire.more_messages_to_send);
  read_registered_delivery(section, receipts, wire);
  read_receipt_pattern(section, wire);
  read_receipt_states(section, wire);
  section.duration("query_after", wire.query_after, 1s, 24h * 30);
  section.flag("cancel_sm", wire.cancel_sm);
}

}  // namespace stentor::daemon::config_file
