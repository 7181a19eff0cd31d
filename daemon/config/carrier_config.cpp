#include "daemon/config/carrier_config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>

#include "daemon/config/carrier_delivery_keys.h"
#include "daemon/config/carrier_wire.h"
#include "daemon/config/outbind_reader.h"
#include "daemon/config/outcome_words.h"
#include "daemon/config/password_reader.h"
#include "daemon/config/receipt_keys.h"
#include "daemon/config/tls_config.h"
#include "daemon/config/units.h"

namespace stentor::daemon::config_file {
namespace {

using namespace std::chrono_literals;

// Each field's size in SMPP 3.4 section 5.2 less its final NUL.
constexpr std::size_t kSystemTypeOctets = 12;    // section 5.2.3
constexpr std::size_t kAddressRangeOctets = 40;  // section 5.2.7
constexpr std::size_t kServiceTypeOctets = 5;    // section 5.2.11

constexpr std::size_t kNameOctets = 32;
// Beyond what a relative validity_period can be asked for in earnest; vendors stop at days.
constexpr std::chrono::seconds kValidityMax = 366 * 24h;
// One carrier is served by one thread; past this another carrier entry serves better.
constexpr std::int64_t kBindsMax = 64;
// A fallback list, tried one after another at up to bind_timeout each.
constexpr std::size_t kHostsMax = 16;

// Searched from the front for each failed receipt; carriers' lists have a few dozen numbers.
constexpr std::size_t kErrorsMax = 500;
constexpr std::size_t kErrorOctets = 40;  // kStatKey and a word of receipt_states

using encoding::Alphabet;
// What data_coding 0 may mean; UCS-2 is never the default alphabet.
constexpr std::pair<std::string_view, Alphabet> kAlphabets[] = {
    {"gsm7", Alphabet::gsm7},
    {"gsm7_packed", Alphabet::gsm7_packed},
    {"latin1", Alphabet::latin1},
    {"ascii", Alphabet::ascii},
};
constexpr std::pair<std::string_view, Alphabet> kEncodings[] = {
    {"gsm7", Alphabet::gsm7},     {"gsm7_packed", Alphabet::gsm7_packed},
    {"latin1", Alphabet::latin1}, {"ascii", Alphabet::ascii},
    {"ucs2", Alphabet::ucs2},
};
constexpr std::pair<std::string_view, LongMessages> kLongMessages[] = {
    {"udh8", LongMessages::udh8},
    {"udh16", LongMessages::udh16},
    {"sar", LongMessages::sar},
    {"payload", LongMessages::payload},
};
constexpr std::pair<std::string_view, MessageIds> kMessageIds[] = {
    {"auto", MessageIds::automatic},
    {"hex", MessageIds::hex},
    {"decimal", MessageIds::decimal},
    {"verbatim", MessageIds::verbatim},
};
constexpr std::pair<std::string_view, ValidityForm> kValidity[] = {
    {"relative", ValidityForm::relative},
    {"absolute", ValidityForm::absolute},
    {"none", ValidityForm::none},
};

void read_name(Section& section, std::string& name) {
  section.text("name", name, kNameOctets);
  if (section.find("name") == nullptr) {
    section.mistake("", "a carrier needs a name");
  } else if (!name.empty() && !is_name(name)) {
    section.mistake("name", "may hold letters, digits, '-', '_' and '.' only, no dot first");
    name.clear();
  }
}

void read_hosts(Section& section, std::vector<HostPort>& hosts) {
  std::vector<std::string> texts;
  section.texts("hosts", texts);
  const auto* given = section.find("hosts");
  if (given == nullptr) {
    return section.mistake("", "a carrier needs hosts, such as hosts = [\"127.0.0.1:2775\"]");
  }
  if (const auto* array = std::get_if<Array>(&given->is)) {
    if (array->empty()) return section.mistake("hosts", "must name at least one host:port");
    if (array->size() > kHostsMax) {
      return section.mistake("hosts", fmt::format("may name at most {}", kHostsMax));
    }
  }
  for (const std::string& text : texts) {
    if (auto host = parse_host_port(text)) {
      hosts.push_back(*std::move(host));
    } else {
      section.mistake("hosts", fmt::format("\"{}\" is not host:port with a port of 1 to 65535; "
                                           "an IPv6 address stands in brackets",
                                           text));
    }
  }
}

void read_binds(Section& section, CarrierConfig& carrier) {
  auto table = section.table("binds", "binds");
  if (!table) return;
  BindCounts counts{.transceivers = 0, .transmitters = 0, .receivers = 0};
  table->number("transceiver", counts.transceivers, 0, kBindsMax);
  table->number("transmitter", counts.transmitters, 0, kBindsMax);
  table->number("receiver", counts.receivers, 0, kBindsMax);
  table->finish();

  if (counts.transceivers + counts.transmitters == 0) {
    return section.mistake("binds", "nothing could be sent: needs a transceiver or a transmitter");
  }
  if (counts.transceivers + counts.transmitters + counts.receivers > kBindsMax) {
    return section.mistake("binds", fmt::format("at most {} binds to one carrier", kBindsMax));
  }
  carrier.binds = counts;
}

// The pair that stands in `table` itself; nothing without one.
std::optional<TonNpi> read_pair(Section& table, Section& section, std::string_view key) {
  const bool has_ton = table.find("ton") != nullptr;
  const bool has_npi = table.find("npi") != nullptr;
  if (!has_ton && !has_npi) return std::nullopt;
  TonNpi read;
  table.number("ton", read.ton, 0, 255);
  table.number("npi", read.npi, 0, 255);
  if (!has_ton || !has_npi) {
    section.mistake(key, fmt::format("needs {}", has_ton ? "npi" : "ton"));
  }
  return read;
}

// { ton = 1, npi = 1 } for every form; { alphanumeric = { ton = 5, npi = 0 }, … } for each.
void read_numbering(Section& section, std::string_view key, FormNumbering& into) {
  auto table = section.table(key, "ton_npi");
  if (!table) return;
  into.others = read_pair(*table, section, key);
  const std::pair<std::string_view, std::optional<TonNpi>*> forms[] = {
      {"international", &into.international},
      {"national", &into.national},
      {"short", &into.short_code},
      {"alphanumeric", &into.alphanumeric}};
  for (const auto& [name, form] : forms) {
    auto of_form = table->table(name, "ton_npi");
    if (!of_form) continue;
    *form = read_pair(*of_form, *table, name);
    if (!*form) table->mistake(name, "needs ton and npi");
    of_form->finish();
  }
  table->finish();
  if (!into.is_given() && !section.has_mistake(key)) {
    section.mistake(key,
                    "needs ton and npi, or a form with both: international, national, short, "
                    "alphanumeric");
  }
}

// The versions there are: SMPP 3.3, 3.4 and 5.0.
void read_interface_version(Section& section, std::uint8_t& version) {
  section.number("interface_version", version, 0x33, 0x50);
  if (version == 0x33 || version == 0x34 || version == 0x50) return;
  section.mistake("interface_version",
                  fmt::format("is {:#04x}; must be 0x33, 0x34 or 0x50", version));
}

// What came with 3.4 is off unless it is asked for, and then it is a mistake (below).
void suit_version_33(CarrierConfig& carrier) {
  carrier.binds = {.transceivers = 0, .transmitters = 1, .receivers = 1};
  carrier.wire.user_message_reference = TlvUse::never;
  carrier.wire.more_messages_to_send = TlvUse::never;
}

void refuse_beyond_version_33(Section& section, const CarrierConfig& carrier) {
  const auto refuse = [&section](bool is_asked_for, std::string_view key, std::string_view what) {
    if (is_asked_for) section.mistake(key, fmt::format("SMPP 3.3 has no {}", what));
  };
  refuse(carrier.binds.transceivers > 0, "binds",
         "bind_transceiver: give transmitter and receiver");
  refuse(carrier.wire.by_data_sm, "submit", "data_sm");
  refuse(carrier.long_messages == LongMessages::sar, "long", "optional parameters: udh8 or udh16");
  refuse(carrier.long_messages == LongMessages::payload, "long",
         "optional parameters: udh8 or udh16");
  refuse(!carrier.wire.tlvs.empty(), "tlv", "optional parameters");
  refuse(carrier.wire.user_message_reference != TlvUse::never, "user_message_reference",
         "optional parameters");
  refuse(carrier.wire.more_messages_to_send != TlvUse::never, "more_messages_to_send",
         "optional parameters");
}

// { urgent = 3, normal = 1, bulk = 0 }: SMPP 3.4 section 5.2.14 has 0 to 3.
void read_priority_flags(Section& section, CarrierConfig& carrier) {
  constexpr std::uint8_t kPriorityFlagMax = 3;
  auto table = section.table("priority_flag", "priority_flag");
  if (!table) return;
  if (carrier.wire.by_data_sm) {
    section.mistake("priority_flag", "data_sm has none: leave submit out");
  }
  constexpr std::pair<std::string_view, queue::Priority> kPriorities[] = {
      {"urgent", queue::Priority::urgent},
      {"normal", queue::Priority::normal},
      {"bulk", queue::Priority::bulk}};
  for (const auto& [name, priority] : kPriorities) {
    table->number(name, carrier.priority_flags[static_cast<std::size_t>(priority)], 0,
                  kPriorityFlagMax);
  }
  table->finish();
}

// `alphabet` names what data_coding 0 means; `encodings` lists all that is taken, in order.
void read_encodings(Section& section, CarrierConfig& carrier) {
  Alphabet alphabet = Alphabet::gsm7;
  section.choice("alphabet", alphabet, kAlphabets);
  carrier.alphabets = {alphabet};
  if (section.find("encodings") == nullptr) return;
  auto list = section.tables("encodings");
  if (section.find("alphabet") != nullptr) {
    return section.mistake("encodings", "alphabet is given too; keep one of the two");
  }
  carrier.alphabets.clear();
  carrier.data_codings.clear();
  for (Section& entry : list) {
    Alphabet listed = Alphabet::gsm7;
    std::uint8_t data_coding = 0;
    entry.choice("alphabet", listed, kEncodings);
    entry.number("data_coding", data_coding, 0, 255);
    for (const std::string_view part : {"alphabet", "data_coding"}) {
      if (entry.find(part) == nullptr) entry.mistake("", fmt::format("needs {}", part));
    }
    entry.finish();
    if (std::ranges::find(carrier.alphabets, listed) != carrier.alphabets.end()) {
      section.mistake("encodings", "names an alphabet twice");
    }
    carrier.alphabets.push_back(listed);
    carrier.data_codings.push_back(data_coding);
  }
  if (carrier.alphabets.empty() && !section.has_mistake("encodings")) {
    section.mistake("encodings", "must name at least one alphabet");
  }
}

void read_national(Section& section, encoding::NationalLanguages& national) {
  std::vector<std::string> codes;
  section.texts("national", codes);
  for (const std::string& code : codes) {
    if (const auto language = encoding::national_language_of(code)) {
      national.allow(*language);
    } else {
      section.mistake("national",
                      fmt::format("\"{}\" has no national language table; tr, es, pt, bn, gu, hi, "
                                  "kn, ml, or, pa, ta, te and ur have",
                                  code));
    }
  }
}

// "001", "3:27", "stat:REJECTD", "message_state:8": the states of SMPP 5.0 go to 9.
bool is_key_of_errors(std::string_view key) {
  constexpr std::uint8_t kStateMax = 9;
  if (key.empty() || key.size() > kErrorOctets || key == kStatKey) return false;
  if (!key.starts_with(kMessageStateKey)) return true;
  const auto state = message_state_in(key);
  return state && *state <= kStateMax;
}

// errors = { "001" = "absent_subscriber" }: what the carrier's own numbers mean.
void read_errors(Section& section, CarrierConfig& carrier) {
  const auto* given = section.find("errors");
  if (given == nullptr) return;
  const auto* table = std::get_if<Table>(&given->is);
  if (table == nullptr) {
    return section.mistake("errors",
                           "must be a table, such as { \"001\" = \"absent_subscriber\" }");
  }
  if (table->size() > kErrorsMax) {
    return section.mistake("errors", fmt::format("may name at most {}", kErrorsMax));
  }
  for (const Entry& entry : *table) {
    const auto* word = std::get_if<std::string>(&entry.value.is);
    if (!is_key_of_errors(entry.key)) {
      section.mistake_at(entry.line, "errors",
                         fmt::format("\"{}\" is no error number (1 to {} octets), stat:WORD or "
                                     "message_state:0 to 9",
                                     entry.key.substr(0, kErrorOctets), kErrorOctets));
    } else if (word == nullptr || !is_outcome_word(*word)) {
      section.mistake_at(
          entry.line, "errors." + entry.key,
          fmt::format("must be one of {}", fmt::join(outcome_words_of_carriers(), ", ")));
    } else {
      carrier.errors.emplace_back(entry.key, *word);
    }
  }
}

}  // namespace

bool is_name(std::string_view text) {
  const auto is_fit = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  };
  return !text.empty() && text.size() <= kNameOctets && text.front() != '.' &&
         std::ranges::all_of(text, is_fit);
}

CarrierConfig read_carrier(Section& section, const SecretSources& secrets) {
  CarrierConfig carrier;
  read_name(section, carrier.name);
  read_hosts(section, carrier.hosts);
  section.text("system_id", carrier.system_id, kSystemIdOctets);
  if (section.find("system_id") == nullptr) section.mistake("", "a carrier needs a system_id");
  const std::string credential = carrier.name.empty() ? "" : carrier.name + ".password";
  if (read_password(section, secrets, credential, carrier.password) == PasswordFound::none) {
    section.mistake(
        "", fmt::format("no password: give password, password_file or the credential {}.password",
                        carrier.name.empty() ? "NAME" : carrier.name));
  }
  section.text("system_type", carrier.system_type, kSystemTypeOctets);
  section.text("service_type", carrier.service_type, kServiceTypeOctets);
  section.text("address_range", carrier.address_range, kAddressRangeOctets);
  section.number("addr_ton", carrier.address_numbering.ton, 0, 255);
  section.number("addr_npi", carrier.address_numbering.npi, 0, 255);
  read_numbering(section, "source", carrier.source);
  read_numbering(section, "destination", carrier.destination);
  read_interface_version(section, carrier.interface_version);
  if (carrier.interface_version == kVersion33) suit_version_33(carrier);
  read_binds(section, carrier);
  section.number("rate", carrier.rate, 0, 10'000'000);
  read_encodings(section, carrier);
  read_national(section, carrier.national);
  section.choice("long", carrier.long_messages, kLongMessages);
  section.choice("message_id", carrier.message_id, kMessageIds);
  read_errors(section, carrier);
  section.flag("receipts", carrier.receipts);
  section.choice("validity", carrier.validity, kValidity);
  section.duration("validity_max", carrier.validity_max, 60s, kValidityMax);
  section.duration("enquire_link", carrier.enquire_link, 1s, 1h);
  section.duration("response_timeout", carrier.response_timeout, 1s, 1h);
  section.duration("bind_timeout", carrier.bind_timeout, 1s, 10min);
  section.duration("inactivity", carrier.inactivity, 1s, 24h * 30);
  section.duration("credentials_retry", carrier.credentials_retry, 1s, 24h);
  read_wire(section, carrier.receipts, carrier.wire);
  read_priority_flags(section, carrier);
  if (carrier.interface_version == kVersion33) refuse_beyond_version_33(section, carrier);
  read_delivery_keys(section, carrier);

  read_tls(section, carrier.tls);
  check_plain_text(section, carrier.hosts, carrier.tls);
  read_outbind(section, secrets, carrier);

  // Known, and checked for form; finish() refuses what is not built yet.
  std::string uncertain;
  section.text("uncertain", uncertain, 64);
  if (!uncertain.empty()) {
    if (const auto wish = parse_uncertain(uncertain, true)) {
      carrier.uncertain = *wish;
    } else {
      section.mistake("uncertain", fmt::format("is \"{}\"; must be one of resend, hold, fail, "
                                               "wait-dlr:SECONDS, wait-dlr:SECONDS,hold",
                                               uncertain));
    }
  }

  const BindCounts& binds = carrier.binds;
  if (carrier.receipts && binds.transceivers + binds.receivers == 0) {
    section.mistake("binds", "no receipt could arrive: add a receiver, or say receipts = false");
  }
  section.finish();
  return carrier;
}

}  // namespace stentor::daemon::config_file
