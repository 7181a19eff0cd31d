#include "daemon/ingress/request_parser.h"

#include <fmt/format.h>
#include <simdjson.h>

#include "daemon/config/url_check.h"
#include "daemon/ingress/campaign_request.h"
#include "daemon/ingress/cancel_request.h"
#include "daemon/ingress/carrier_request.h"
#include "daemon/ingress/hours_wish.h"
#include "daemon/ingress/opt_out_request.h"
#include "daemon/ingress/request_fields.h"
#include "daemon/ingress/resolve_request.h"
#include "daemon/ingress/route_request.h"
#include "daemon/ingress/smpp_wish.h"
#include "encoding/national_language.h"

namespace stentor::daemon {
namespace {

namespace sj = simdjson;
using sj::ondemand::json_type;

}  // namespace

class RequestParser::Body : private RequestFields {
 public:
  std::expected<Request, Refusal> parse(std::string_view line);

 private:
  std::expected<void, Refusal> collect(std::string_view line);
  std::expected<void, Refusal> collect_fields(sj::ondemand::object& object);
  std::expected<void, Refusal> take(Field field, sj::ondemand::value value);
  sj::error_code take_list(FieldValue& out, sj::ondemand::value& value);
  std::expected<Request, Refusal> interpret();
  std::expected<Request, Refusal> send();
  std::expected<Request, Refusal> preview();
  std::expected<Request, Refusal> message();
  std::expected<Request, Refusal> events();
  std::expected<Request, Refusal> ack();

  [[nodiscard]] std::unexpected<Refusal> refuse_json(sj::error_code error) const;
  std::expected<void, Refusal> read_encoding(EncodingWish& out) const;
  std::expected<void, Refusal> read_destinations(SendRequest& out) const;
  std::expected<void, Refusal> read_choices(SendRequest& out) const;
  std::expected<void, Refusal> read_rewriting(
      std::optional<encoding::Replacement>& replacement,
      std::optional<encoding::NationalLanguages>& national) const;
  std::expected<void, Refusal> read_hex(Field field, std::string& out) const;
  std::expected<void, Refusal> read_content(SendRequest& out);
  std::expected<void, Refusal> read_callback(std::string_view& out) const;
  std::expected<void, Refusal> refuse_unbuilt() const;

  static constexpr std::size_t kMetaOctetsMax = 1024;
  // It is kept with each record about the message, some five of them.
  static constexpr std::size_t kCallbackOctetsMax = 512;

  sj::ondemand::parser parser_;
  sj::dom::parser strict_;  // checks what is kept verbatim: on demand, skipped values are not
  std::string binary_;
  std::string udh_;
  SmppWishReader smpp_wish_;
};

RequestParser::RequestParser() : body_(std::make_unique<Body>()) {}
RequestParser::~RequestParser() = default;

std::expected<Request, Refusal> RequestParser::parse(std::string_view line) {
  return body_->parse(line);
}

std::expected<Request, Refusal> RequestParser::Body::parse(std::string_view line) {
  values_.fill(FieldValue{});
  list_.clear();
  if (auto collected = collect(line); !collected) return std::unexpected(collected.error());
  return interpret();
}

std::unexpected<Refusal> RequestParser::Body::refuse_json(sj::error_code error) const {
  if (error == sj::UTF8_ERROR) return refuse("bad_utf8", "the line is not valid UTF-8");
  return refuse("bad_json", sj::error_message(error));
}

std::expected<void, Refusal> RequestParser::Body::collect(std::string_view line) {
  sj::ondemand::document document;
  const sj::padded_string_view padded(line.data(), line.size(), line.size() + kLinePaddingOctets);
  if (const auto error = parser_.iterate(padded).get(document)) return refuse_json(error);
  json_type type{};
  if (const auto error = document.type().get(type)) return refuse_json(error);
  if (type != json_type::object) return refuse("bad_json", "the line is not a JSON object");
  sj::ondemand::object object;
  if (const auto error = document.get_object().get(object)) return refuse_json(error);
  if (auto fields = collect_fields(object); !fields) return fields;
  // Behind the object nothing may follow: then there is no current location any more.
  if (document.current_location().error() != sj::OUT_OF_BOUNDS) {
    return refuse("bad_json", "something follows the object");
  }
  return {};
}

std::expected<void, Refusal> RequestParser::Body::collect_fields(sj::ondemand::object& object) {
  // The first mistake is told, but the line is read to its end: its ref may come later, and a line
  // that breaks off is bad_json before all else.
  std::optional<Refusal> first_mistake;
  const auto note = [&](std::string_view code, std::string detail) {
    if (!first_mistake) first_mistake = Refusal{code, std::move(detail), {}};
  };
  for (auto entry : object) {
    std::string_view key;
    if (const auto error = entry.unescaped_key().get(key)) return refuse_json(error);
    sj::ondemand::value found;
    if (const auto error = entry.value().get(found)) return refuse_json(error);
    const auto field = field_of(key);
    if (!field) {
      note("unknown_field", fmt::format("\"{}\" is not a field", key.substr(0, 64)));
      continue;
    }
    if (has(*field)) {
      note("bad_field", fmt::format("\"{}\" is given twice", key));
      continue;
    }
    if (auto taken = take(*field, found); !taken) {
      if (taken.error().code != "bad_text") return taken;
      note("bad_text", std::move(taken.error().detail));
    }
  }
  if (first_mistake) return refuse(first_mistake->code, std::move(first_mistake->detail));
  return {};
}

std::expected<void, Refusal> RequestParser::Body::take(Field field, sj::ondemand::value found) {
  FieldValue& out = values_[static_cast<std::size_t>(field)];
  json_type type{};
  if (const auto error = found.type().get(type)) return refuse_json(error);
  switch (type) {
    case json_type::string: {
      out.type = FieldValue::Type::text;
      if (const auto error = found.get_string().get(out.text)) {
        if (error == sj::STRING_ERROR) {  // an escape that is no character: a lone surrogate
          return refuse("bad_text",
                        fmt::format("{}: an escape is not a character", name_of(field)));
        }
        return refuse_json(error);
      }
      return {};
    }
    case json_type::number: {
      out.type = FieldValue::Type::number;
      sj::ondemand::number number;
      if (const auto error = found.get_number().get(number)) return refuse_json(error);
      if (number.is_uint64()) {
        out.is_whole = true;
        out.whole = number.get_uint64();
      } else if (number.is_int64() && number.get_int64() >= 0) {
        out.is_whole = true;
        out.whole = static_cast<std::uint64_t>(number.get_int64());
      }
      return {};
    }
    case json_type::boolean:
      out.type = FieldValue::Type::boolean;
      if (const auto error = found.get_bool().get(out.flag)) return refuse_json(error);
      return {};
    case json_type::null: {
      out.type = FieldValue::Type::null;
      bool is_null = false;
      if (const auto error = found.is_null().get(is_null)) return refuse_json(error);
      if (!is_null) return refuse("bad_json", "not a JSON value");
      return {};
    }
    case json_type::array:
      if (const auto error = take_list(out, found)) return refuse_json(error);
      return {};
    case json_type::object: {
      out.type = FieldValue::Type::other;
      sj::ondemand::object object;
      if (const auto error = found.get_object().get(object)) return refuse_json(error);
      if (const auto error = object.raw_json().get(out.text)) return refuse_json(error);
      return {};
    }
  }
  return {};
}

sj::error_code RequestParser::Body::take_list(FieldValue& out, sj::ondemand::value& found) {
  out.type = FieldValue::Type::list;
  out.is_string_list = true;
  out.list_begin = list_.size();
  sj::ondemand::array array;
  if (const auto error = found.get_array().get(array)) return error;
  for (auto element : array) {
    sj::ondemand::value item;
    if (const auto error = element.get(item)) return error;
    json_type type{};
    if (const auto error = item.type().get(type)) return error;
    if (type != json_type::string) {
      out.is_string_list = false;
      continue;
    }
    std::string_view text;
    if (const auto error = item.get_string().get(text)) return error;
    list_.push_back(text);
  }
  out.list_end = list_.size();
  return sj::SUCCESS;
}

std::expected<Request, Refusal> RequestParser::Body::interpret() {
  const FieldValue& op = value(Field::op);
  if (op.type == FieldValue::Type::absent) return send();
  if (op.type != FieldValue::Type::text) return refuse("bad_field", "op: must be a string");
  if (op.text == "send") return send();
  if (op.text == "preview") return preview();
  if (op.text == "message") return message();
  if (op.text == "events") return events();
  if (op.text == "ack") return ack();
  if (op.text == "cancel") return read_cancel_request(*this);
  if (op.text == "resolve") return read_resolve_request(*this);
  if (op.text == "campaign") return read_campaign_request(*this);
  if (op.text == "route") return read_route_request(*this);
  if (op.text == "optout") return read_opt_out(*this);
  if (op.text == "callbacks") {
    if (auto only = allow_only(set_of(Field::op)); !only) return std::unexpected(only.error());
    return CallbacksRequest{};
  }
  if (op.text == "status") {
    if (auto only = allow_only(set_of(Field::op)); !only) return std::unexpected(only.error());
    return StatusRequest{};
  }
  if (op.text == "carrier") return read_carrier_request(*this);
  for (const std::string_view later : {"reload", "drain"}) {
    if (op.text == later)
      return refuse("not_supported", fmt::format("op \"{}\" {}", later, kNotYet));
  }
  return refuse("bad_field", "op: not a request of this protocol");
}

std::expected<void, Refusal> RequestParser::Body::read_encoding(EncodingWish& out) const {
  std::string_view word = "auto";
  if (auto read = read_text(Field::encoding, word, 16); !read) return read;
  if (word == "auto") {
    out = EncodingWish::automatic;
  } else if (word == "gsm7") {
    out = EncodingWish::gsm7;
  } else if (word == "ucs2") {
    out = EncodingWish::ucs2;
  } else {
    return refuse("bad_field", "encoding: must be auto, gsm7 or ucs2");
  }
  return {};
}

std::expected<void, Refusal> RequestParser::Body::read_destinations(SendRequest& out) const {
  const FieldValue& to = value(Field::to);
  switch (to.type) {
    case FieldValue::Type::text: out.to.push_back(to.text); break;
    case FieldValue::Type::list:
      if (!to.is_string_list) return refuse("bad_field", "to: must be strings");
      if (to.list_begin == to.list_end) return refuse("bad_destination", "to: no number given");
      out.to.assign(list_.begin() + static_cast<std::ptrdiff_t>(to.list_begin),
                    list_.begin() + static_cast<std::ptrdiff_t>(to.list_end));
      out.to_is_array = true;
      break;
    case FieldValue::Type::absent: return refuse("bad_destination", "to: no number given");
    case FieldValue::Type::number:
    case FieldValue::Type::boolean:
    case FieldValue::Type::null:
    case FieldValue::Type::other:
      return refuse("bad_field", "to: must be a string or a list of strings");
  }
  std::string_view kind = "number";
  if (has(Field::kind)) {
    if (auto read = read_text(Field::kind, kind, 16); !read) return read;
    if (kind != "short") return refuse("bad_field", "kind: must be short");
    out.is_short = true;
  }
  return {};
}

std::expected<void, Refusal> RequestParser::Body::read_choices(SendRequest& out) const {
  if (has(Field::uncertain)) {
    std::string_view word;
    if (auto read = read_text(Field::uncertain, word, 32); !read) return read;
    out.uncertain = parse_uncertain(word, false);
    if (!out.uncertain) {
      return refuse("bad_field",
                    "uncertain: must be resend, hold, fail or wait-dlr:SECONDS, at most a week");
    }
  }
  auto hours = read_hours(*this);
  if (!hours) return std::unexpected(std::move(hours.error()));
  out.hours = std::move(*hours);
  if (has(Field::priority)) {
    std::string_view word;
    if (auto read = read_text(Field::priority, word, 16); !read) return read;
    if (word == "urgent") {
      out.priority = queue::Priority::urgent;
    } else if (word == "normal") {
      out.priority = queue::Priority::normal;
    } else if (word == "bulk") {
      out.priority = queue::Priority::bulk;
    } else {
      return refuse("bad_field", "priority: must be urgent, normal or bulk");
    }
  }
  if (has(Field::receipt)) {
    std::string_view word;
    if (auto read = read_text(Field::receipt, word, 16); !read) return read;
    if (word == "all") {
      out.receipt = ReceiptWish::all;
    } else if (word == "failure") {
      out.receipt = ReceiptWish::failure;
    } else if (word == "none") {
      out.receipt = ReceiptWish::none;
    } else {
      return refuse("bad_field", "receipt: must be all, failure or none");
    }
  }
  if (has(Field::max_segments)) {
    const FieldValue& found = value(Field::max_segments);
    if (found.type != FieldValue::Type::number || !found.is_whole || found.whole < 1 ||
        found.whole > 255) {
      return refuse("bad_field", "max_segments: must be a whole number from 1 to 255");
    }
    out.max_segments = static_cast<std::uint32_t>(found.whole);
  }
  return {};
}

// Fields of the protocol that this version does not act on are refused, never passed over; a value
// that asks for what happens anyway is fine.
std::expected<void, Refusal> RequestParser::Body::refuse_unbuilt() const {
  if (!has(Field::plan)) return {};
  return refuse("not_supported", fmt::format("{} {}", name_of(Field::plan), kNotYet));
}

std::expected<void, Refusal> RequestParser::Body::read_callback(std::string_view& out) const {
  if (auto read = read_text(Field::callback, out, kCallbackOctetsMax); !read) return read;
  if (!has(Field::callback)) return {};
  if (const auto wrong = check_url_template(out)) {
    return refuse("bad_field", fmt::format("callback: {}", *wrong));
  }
  return {};
}

std::expected<void, Refusal> RequestParser::Body::read_rewriting(
    std::optional<encoding::Replacement>& replacement,
    std::optional<encoding::NationalLanguages>& national) const {
  if (has(Field::replace)) {
    std::string_view word;
    if (auto read = read_text(Field::replace, word, 16); !read) return read;
    if (word == "none") {
      replacement = encoding::Replacement::none;
    } else if (word == "safe") {
      replacement = encoding::Replacement::safe;
    } else if (word == "transliterate") {
      replacement = encoding::Replacement::transliterate;
    } else {
      return refuse("bad_field", "replace: must be none, safe or transliterate");
    }
  }
  if (has(Field::national)) {
    const FieldValue& codes = value(Field::national);
    if (!codes.is_string_list) {
      return refuse("bad_field", "national: must be a list of language codes");
    }
    national.emplace();
    for (std::size_t i = codes.list_begin; i < codes.list_end; ++i) {
      const auto language = encoding::national_language_of(list_[i]);
      if (!language) {
        return refuse("bad_field", "national: a language without a national language table");
      }
      national->allow(*language);
    }
  }
  return {};
}

std::expected<void, Refusal> RequestParser::Body::read_hex(Field field, std::string& out) const {
  std::string_view hex;
  if (auto read = read_text(field, hex, SIZE_MAX); !read) return read;
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  out.clear();
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    const int high = digit(hex[i]);
    const int low = digit(hex[i + 1]);
    if (high < 0 || low < 0) break;
    out.push_back(static_cast<char>(high << 4 | low));
  }
  if (hex.size() % 2 != 0 || out.size() * 2 != hex.size()) {
    return refuse("bad_field",
                  fmt::format("{}: must be pairs of hexadecimal digits", name_of(field)));
  }
  return {};
}

// Text, or octets behind a header of the caller's.
std::expected<void, Refusal> RequestParser::Body::read_content(SendRequest& out) {
  if (has(Field::flash)) {
    if (value(Field::flash).type != FieldValue::Type::boolean) {
      return refuse("bad_field", "flash: must be true or false");
    }
    out.flash = value(Field::flash).flag;
  }
  if (!has(Field::binary)) {
    if (has(Field::udh)) return refuse("bad_field", "udh: goes with binary only");
    return read_text(Field::text, out.text, SIZE_MAX);
  }
  for (const Field field : {Field::text, Field::encoding, Field::replace, Field::national}) {
    if (has(field)) {
      return refuse("bad_field", fmt::format("{}: does not go with binary", name_of(field)));
    }
  }
  if (auto read = read_hex(Field::binary, binary_); !read) return read;
  if (auto read = read_hex(Field::udh, udh_); !read) return read;
  out.is_binary = true;
  out.text = binary_;
  out.udh = udh_;
  return {};
}

std::expected<Request, Refusal> RequestParser::Body::send() {
  static const FieldSet allowed = set_of(
      Field::op, Field::to, Field::from, Field::text, Field::ref, Field::campaign, Field::priority,
      Field::meta, Field::expires, Field::not_before, Field::carrier, Field::max_segments,
      Field::encoding, Field::receipt, Field::kind, Field::replace, Field::national, Field::hours,
      Field::plan, Field::uncertain, Field::flash, Field::service_type, Field::protocol_id,
      Field::tlv, Field::callback, Field::binary, Field::udh);
  SendRequest out;
  std::expected<void, Refusal> step = allow_only(allowed);
  if (step) step = refuse_unbuilt();
  if (step) step = read_text(Field::ref, out.ref, kRefOctetsMax);
  if (step) step = read_content(out);
  if (step) step = read_callback(out.callback);
  if (step) step = read_text(Field::from, out.from, SIZE_MAX);
  if (step) step = read_text(Field::campaign, out.campaign, 64);
  if (step) step = read_text(Field::carrier, out.carrier, 64);
  if (step) step = read_destinations(out);
  if (step) step = read_choices(out);
  if (step) step = read_encoding(out.encoding);
  if (step) step = read_rewriting(out.replacement, out.national);
  if (step) step = read_time(Field::not_before, out.not_before);
  if (step) step = read_time(Field::expires, out.expires);
  if (step) step = smpp_wish_.read(*this, out.smpp);
  if (!step) return std::unexpected(std::move(step.error()));

  if (has(Field::ref) && out.ref.empty()) return refuse("bad_field", "ref: must not be empty");
  if (has(Field::from) && out.from.empty()) return refuse("bad_sender", "from: is empty");
  if (out.text.empty() && !out.is_binary) return refuse("empty_text", "text: nothing to send");
  if (has(Field::meta)) {
    const FieldValue& meta = value(Field::meta);
    if (meta.type != FieldValue::Type::other) return refuse("bad_field", "meta: must be an object");
    if (meta.text.size() > kMetaOctetsMax)
      return refuse("bad_field", "meta: longer than 1024 octets");
    if (const auto error = strict_.parse(meta.text.data(), meta.text.size()).error()) {
      return refuse_json(error);
    }
    out.meta = meta.text;
  }
  return out;
}

std::expected<Request, Refusal> RequestParser::Body::preview() {
  static const FieldSet allowed = set_of(Field::op, Field::text, Field::to, Field::carrier,
                                         Field::encoding, Field::replace, Field::national);
  PreviewRequest out;
  std::expected<void, Refusal> step = allow_only(allowed);
  if (step) step = refuse_unbuilt();
  if (step) step = read_text(Field::text, out.text, SIZE_MAX);
  if (step) step = read_text(Field::to, out.to, SIZE_MAX);
  if (step) step = read_text(Field::carrier, out.carrier, 64);
  if (step) step = read_encoding(out.encoding);
  if (step) step = read_rewriting(out.replacement, out.national);
  if (!step) return std::unexpected(std::move(step.error()));
  if (out.text.empty()) return refuse("empty_text", "text: nothing to preview");
  return out;
}

std::expected<Request, Refusal> RequestParser::Body::message() {
  static const FieldSet allowed =
      set_of(Field::op, Field::id, Field::ref, Field::to, Field::carrier_id);
  MessageRequest out;
  std::expected<void, Refusal> step = allow_only(allowed);
  if (step) step = read_text(Field::id, out.id, 64);
  if (step) step = read_text(Field::ref, out.ref, kRefOctetsMax);
  if (step) step = read_text(Field::to, out.to, 64);
  if (step) step = read_text(Field::carrier_id, out.carrier_id, 256);
  if (!step) return std::unexpected(std::move(step.error()));
  const int given = (out.id.empty() ? 0 : 1) + (out.ref.empty() ? 0 : 1) +
                    (out.to.empty() ? 0 : 1) + (out.carrier_id.empty() ? 0 : 1);
  if (given != 1) return refuse("bad_field", "give one of id, ref, to and carrier_id");
  return out;
}

std::expected<Request, Refusal> RequestParser::Body::events() {
  static const FieldSet allowed =
      set_of(Field::op, Field::consumer, Field::from, Field::campaign, Field::types);
  EventsRequest out;
  std::expected<void, Refusal> step = allow_only(allowed);
  if (step) step = read_text(Field::consumer, out.consumer, 64);
  if (step) step = read_text(Field::from, out.from, 64);
  if (step) step = read_text(Field::campaign, out.campaign, 64);
  if (!step) return std::unexpected(std::move(step.error()));
  if (out.consumer.empty()) return refuse("bad_field", "consumer: a name is needed");
  if (has(Field::types)) {
    const FieldValue& types = value(Field::types);
    if (types.type != FieldValue::Type::list || !types.is_string_list ||
        types.list_begin == types.list_end) {
      return refuse("bad_field", "types: must be a list of event types");
    }
    out.types.assign(list_.begin() + static_cast<std::ptrdiff_t>(types.list_begin),
                     list_.begin() + static_cast<std::ptrdiff_t>(types.list_end));
  }
  return out;
}

std::expected<Request, Refusal> RequestParser::Body::ack() {
  AckRequest out;
  std::expected<void, Refusal> step = allow_only(set_of(Field::op, Field::cursor));
  if (step) step = read_text(Field::cursor, out.cursor, 64);
  if (!step) return std::unexpected(std::move(step.error()));
  if (out.cursor.empty()) return refuse("bad_field", "cursor: must be given");
  return out;
}

}  // namespace stentor::daemon
