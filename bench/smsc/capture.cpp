#include "bench/smsc/capture.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace stentor::smsc {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

// Two characters for each octet at once: a table of 512 octets stays in the first-level cache.
constexpr auto kHexPairs = [] {
  std::array<char, 512> pairs{};
  for (std::size_t octet = 0; octet < 256; ++octet) {
    pairs[2 * octet] = kHexDigits[octet >> 4];
    pairs[2 * octet + 1] = kHexDigits[octet & 0xf];
  }
  return pairs;
}();

std::string_view name_of(DeliveryKind kind) noexcept {
  switch (kind) {
    case DeliveryKind::receipt: return "receipt";
    case DeliveryKind::intermediate: return "intermediate";
    case DeliveryKind::reply: return "reply";
    case DeliveryKind::enquire: break;
  }
  return "enquire_link";
}

}  // namespace

Capture::Capture(const char* file)
    : file_(::open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)),
      buffer_(std::make_unique<char[]>(kBufferOctets + kLineOctetsMax)),
      at_(buffer_.get()) {
  if (file_ < 0) throw std::system_error(errno, std::generic_category(), file);
}

Capture::~Capture() {
  flush();
  ::close(file_);
}

void Capture::on_submit(const Now& now, std::uint32_t connection, std::string_view command,
                        std::uint32_t sequence_number, const protocol::ShortMessage& message,
                        std::uint32_t status, std::string_view message_id, bool is_answered) {
  open_line(command, now, connection);
  field(R"(,"sequence":)", sequence_number);
  text_field(R"(,"service_type":")", message.service_type);
  text_field(R"(,"source":")", message.source.digits);
  field(R"(,"source_ton":)", message.source.numbering.ton);
  field(R"(,"source_npi":)", message.source.numbering.npi);
  text_field(R"(,"destination":")", message.destination.digits);
  field(R"(,"destination_ton":)", message.destination.numbering.ton);
  field(R"(,"destination_npi":)", message.destination.numbering.npi);
  field(R"(,"esm_class":)", message.esm_class);
  field(R"(,"protocol_id":)", message.protocol_id);
  field(R"(,"priority_flag":)", message.priority_flag);
  text_field(R"(,"schedule_delivery_time":")", message.schedule_delivery_time);
  text_field(R"(,"validity_period":")", message.validity_period);
  field(R"(,"registered_delivery":)", message.registered_delivery);
  field(R"(,"replace_if_present_flag":)", message.replace_if_present_flag);
  field(R"(,"data_coding":)", message.data_coding);
  field(R"(,"sm_default_msg_id":)", message.sm_default_msg_id);
  raw(R"(,"short_message":")");
  hex(message.short_message);
  raw("\"");
  if (shown_in_) text_of(message, *shown_in_);
  raw(R"(,"tlvs":[)");
  bool is_first = true;
  for (const protocol::Tlv& tlv : message.tlvs) {
    const std::array<std::uint8_t, 2> tag{static_cast<std::uint8_t>(tlv.tag >> 8),
                                          static_cast<std::uint8_t>(tlv.tag)};
    raw(is_first ? R"({"tag":"0x)" : R"(,{"tag":"0x)");
    is_first = false;
    hex(tag);
    raw(R"(","value":")");
    hex(tlv.value);
    raw(R"("})");
  }
  field(R"(],"status":)", status);
  text_field(R"(,"message_id":")", message_id);
  raw(is_answered ? R"(,"answered":true)" : R"(,"answered":false)");
  close_line();
}

void Capture::on_unanswered(const Now& now, std::uint32_t connection,
                            std::uint32_t sequence_number) {
  open_line("unanswered", now, connection);
  field(R"(,"sequence":)", sequence_number);
  close_line();
}

void Capture::on_bind(const Now& now, std::uint32_t connection, std::string_view command,
                      std::string_view system_id, std::uint32_t status) {
  open_line(command, now, connection);
  text_field(R"(,"system_id":")", system_id);
  field(R"(,"status":)", status);
  close_line();
}

void Capture::on_connection(const Now& now, std::uint32_t connection, std::string_view type,
                            std::string_view detail) {
  open_line(type, now, connection);
  if (!detail.empty()) text_field(R"(,"detail":")", detail);
  close_line();
}

void Capture::on_deliver(const Now& now, std::uint32_t connection, std::uint32_t sequence_number,
                         const Delivery& delivery, std::string_view message_id) {
  open_line("deliver_sm", now, connection);
  field(R"(,"sequence":)", sequence_number);
  text_field(R"(,"kind":")", name_of(delivery.kind));
  text_field(R"(,"message_id":")", message_id);
  text_field(R"(,"stat":")", stat_of(delivery.outcome));
  text_field(R"(,"source":")", delivery.destination.view().digits);
  text_field(R"(,"destination":")", delivery.source.view().digits);
  field(R"(,"attempt":)", delivery.attempt);
  raw(delivery.is_duplicate ? R"(,"duplicate":true)" : R"(,"duplicate":false)");
  close_line();
}

void Capture::on_deliver_resp(const Now& now, std::uint32_t connection,
                              std::uint32_t sequence_number, const Delivery& delivery,
                              std::string_view message_id, std::uint32_t status) {
  open_line("deliver_sm_resp", now, connection);
  field(R"(,"sequence":)", sequence_number);
  text_field(R"(,"kind":")", name_of(delivery.kind));
  text_field(R"(,"message_id":")", message_id);
  field(R"(,"status":)", status);
  close_line();
}

void Capture::flush() {
  const char* from = buffer_.get();
  while (from != at_ && !failure_) {
    const ssize_t count = ::write(file_, from, static_cast<std::size_t>(at_ - from));
    if (count > 0) {
      from += count;
    } else if (count == 0 || errno != EINTR) {
      failure_ = std::error_code(count == 0 ? EIO : errno, std::generic_category());
    }
  }
  at_ = buffer_.get();
}

void Capture::open_line(std::string_view type, const Now& now, std::uint32_t connection) {
  text_field(R"({"type":")", type);
  field(R"(,"time":)", static_cast<std::uint64_t>(now.wall_nanoseconds));
  field(R"(,"connection":)", connection);
}

void Capture::close_line() {
  raw("}\n");
  if (static_cast<std::size_t>(at_ - buffer_.get()) >= kBufferOctets) flush();
}

void Capture::field(std::string_view name_and_colon, std::uint64_t value) {
  raw(name_and_colon);
  constexpr std::size_t kDigitsMax = 20;
  at_ = std::to_chars(at_, at_ + kDigitsMax, value).ptr;
}

void Capture::text_field(std::string_view name_and_quote, std::string_view value) {
  raw(name_and_quote);
  escaped(value);
  *at_++ = '"';
}

void Capture::raw(std::string_view octets) {
  std::memcpy(at_, octets.data(), octets.size());
  at_ += octets.size();
}

void Capture::hex(std::span<const std::uint8_t> octets) {
  char* to = at_;
  for (const std::uint8_t octet : octets) {
    std::memcpy(to, &kHexPairs[std::size_t{2} * octet], 2);
    to += 2;
  }
  at_ = to;
}

// A peer's octets may be anything: what is not plain ASCII is written as the Latin-1 character of
// that number, so that a judge gets the octets back.
void Capture::escaped(std::string_view octets) {
  char* to = at_;
  for (const char c : octets) {
    const auto octet = static_cast<std::uint8_t>(c);
    if (octet >= 0x20 && octet < 0x7f && c != '"' && c != '\\') {
      *to++ = c;
    } else {
      std::copy_n("\\u00", 4, to);
      std::memcpy(to + 4, &kHexPairs[std::size_t{2} * octet], 2);
      to += 6;
    }
  }
  at_ = to;
}

// Valid UTF-8, from the decoder: only what JSON demands is escaped.
void Capture::utf8_field(std::string_view name_and_quote, std::string_view text) {
  raw(name_and_quote);
  for (const char c : text) {
    if (static_cast<std::uint8_t>(c) >= 0x80) {
      *at_++ = c;
    } else {
      escaped({&c, 1});
    }
  }
  raw("\"");
}

// SMPP 3.4 section 5.2.19; the groups with a message class: TS 23.038 section 4. Octets that are no
// text, or in a coding of the carrier's own, are left to the hex.
void Capture::text_of(const protocol::ShortMessage& message, encoding::Alphabet alphabet) {
  switch (message.data_coding) {
    case 0x00:
    case 0x10:
    case 0xf0:
    case 0xf1: break;
    case 0x01: alphabet = encoding::Alphabet::ascii; break;
    case 0x03: alphabet = encoding::Alphabet::latin1; break;
    case 0x08:
    case 0x18: alphabet = encoding::Alphabet::ucs2; break;
    default: return;
  }
  constexpr std::uint8_t kUdhIndicator = 0x40;
  utf8_field(R"(,"text":")", encoding::decode_part(alphabet, protocol::user_data_of(message),
                                                   (message.esm_class & kUdhIndicator) != 0));
}

}  // namespace stentor::smsc
