#include "daemon/ingress/smpp_wish.h"

#include <fmt/format.h>
#include <simdjson.h>

#include "protocol/field_limits.h"
#include "protocol/tlv_kinds.h"

namespace stentor::daemon {
namespace sj = simdjson;

class SmppWishReader::Json {
 public:
  sj::dom::parser parser;
};

SmppWishReader::SmppWishReader() = default;
SmppWishReader::~SmppWishReader() = default;

std::expected<void, Refusal> SmppWishReader::read(const RequestFields& fields, SmppWish& out) {
  if (fields.has(Field::service_type)) {
    std::string_view text;
    auto step = fields.read_text(Field::service_type, text, protocol::kServiceTypeMax);
    if (!step) return step;
    if (text.contains('\0')) return fields.refuse("bad_field", "service_type: contains a NUL");
    out.service_type = text;
  }
  if (fields.has(Field::protocol_id)) {
    std::uint64_t number = 0;
    if (auto step = fields.read_whole(Field::protocol_id, number, 0, 255); !step) return step;
    out.protocol_id = static_cast<std::uint8_t>(number);
  }
  if (fields.has(Field::tlv)) return read_tlvs(fields, out);
  return {};
}

std::expected<void, Refusal> SmppWishReader::read_tlvs(const RequestFields& fields, SmppWish& out) {
  const FieldValue& found = fields.value(Field::tlv);
  if (found.type != FieldValue::Type::other) {
    return fields.refuse("bad_field", "tlv: must be an object");
  }
  if (!json_) json_ = std::make_unique<Json>();
  sj::dom::object object;
  if (const auto error = json_->parser.parse(found.text.data(), found.text.size()).get(object)) {
    return fields.refuse("bad_json", sj::error_message(error));
  }
  tlvs_.clear();
  std::size_t count = 0;
  for (const auto& [name, value] : object) {
    const auto refuse = [&, shown = name.substr(0, 64)](std::string_view why) {
      return fields.refuse("bad_field", fmt::format("tlv.{}: {}", shown, why));
    };
    if (++count > kTlvsMax) {
      return fields.refuse("bad_field", fmt::format("tlv: more than {} members", kTlvsMax));
    }
    protocol::TlvText text;
    std::string_view characters;
    std::uint64_t number = 0;
    if (value.get_string().get(characters) == sj::SUCCESS) {
      text = characters;
    } else if (value.get_uint64().get(number) == sj::SUCCESS) {
      text = number;
    } else {
      return refuse("must be a string or a whole number");
    }
    const std::size_t before = tlvs_.size();
    if (auto appended = protocol::append_tlv_by_name(tlvs_, name, text); !appended) {
      return refuse(appended.error());
    }
    const std::span octets(tlvs_);
    const protocol::Tlv added = *protocol::Tlvs(octets.subspan(before)).begin();
    for (const protocol::Tlv other : protocol::Tlvs(octets.first(before))) {
      if (other.tag == added.tag) return refuse("is given twice");
    }
    if (tlvs_.size() > kTlvOctetsMax) {
      return fields.refuse("bad_field",
                           fmt::format("tlv: more than {} octets together", kTlvOctetsMax));
    }
  }
  out.tlvs = tlvs_;
  return {};
}

}  // namespace stentor::daemon
