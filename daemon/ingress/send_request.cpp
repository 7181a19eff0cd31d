#include "daemon/ingress/send_request.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <initializer_list>

#include "daemon/config/url_check.h"
#include "daemon/ingress/hours_wish.h"
#include "daemon/ingress/json_refusal.h"
#include "encoding/national_language.h"

namespace stentor::daemon {
namespace {

constexpr std::size_t kWordOctetsMax = 16;
constexpr std::size_t kUncertainOctetsMax = 32;
constexpr std::size_t kNameOctetsMax = 64;
constexpr std::size_t kMetaOctetsMax = 1024;
constexpr std::uint64_t kSegmentsMax = 255;  // a concatenated message's count is one octet
// It is kept with each record about the message, some five of them.
constexpr std::size_t kCallbackOctetsMax = 512;

template <class Value>
struct Word {
  std::string_view word;
  Value value;
};

// "a, b or c"
template <class Value>
std::string listed(std::initializer_list<Word<Value>> words) {
  std::string text;
  std::size_t left = words.size();
  for (const Word<Value>& word : words) {
    text.append(word.word);
    if (--left > 0) text.append(left == 1 ? " or " : ", ");
  }
  return text;
}

// One of a few words; leaves `out` as it was when the field is absent.
template <class Value, class Out>
std::expected<void, Refusal> read_word(const RequestFields& fields, Field field,
                                       std::initializer_list<Word<Value>> words, Out& out) {
  if (!fields.has(field)) return {};
  std::string_view given;
  if (auto read = fields.read_text(field, given, kWordOctetsMax); !read) return read;
  const auto* const found = std::ranges::find(words, given, &Word<Value>::word);
  if (found == words.end()) {
    return fields.refuse("bad_field", fmt::format("{}: must be {}", name_of(field), listed(words)));
  }
  out = found->value;
  return {};
}

std::expected<void, Refusal> read_encoding(const RequestFields& fields, EncodingWish& out) {
  return read_word<EncodingWish>(fields, Field::encoding,
                                 {{"auto", EncodingWish::automatic},
                                  {"gsm7", EncodingWish::gsm7},
                                  {"ucs2", EncodingWish::ucs2}},
                                 out);
}

std::expected<void, Refusal> read_destinations(const RequestFields& fields, SendRequest& out) {
  const FieldValue& to = fields.value(Field::to);
  switch (to.type) {
    case FieldValue::Type::text: out.to.push_back(to.text); break;
    case FieldValue::Type::list:
      if (!to.is_string_list) return fields.refuse("bad_field", "to: must be strings");
      if (to.list_begin == to.list_end)
        return fields.refuse("bad_destination", "to: no number given");
      for (std::size_t i = to.list_begin; i < to.list_end; ++i) out.to.push_back(fields.listed(i));
      out.to_is_array = true;
      break;
    case FieldValue::Type::absent: return fields.refuse("bad_destination", "to: no number given");
    case FieldValue::Type::number:
    case FieldValue::Type::boolean:
    case FieldValue::Type::null:
    case FieldValue::Type::other:
      return fields.refuse("bad_field", "to: must be a string or a list of strings");
  }
  return read_word<bool>(fields, Field::kind, {{"short", true}}, out.is_short);
}

std::expected<void, Refusal> read_uncertain(const RequestFields& fields,
                                            std::optional<UncertainWish>& out) {
  if (!fields.has(Field::uncertain)) return {};
  std::string_view word;
  if (auto read = fields.read_text(Field::uncertain, word, kUncertainOctetsMax); !read) return read;
  out = parse_uncertain(word, false);
  if (out) return {};
  return fields.refuse("bad_field",
                       "uncertain: must be resend, hold, fail or wait-dlr:SECONDS, at most a week");
}

std::expected<void, Refusal> read_choices(const RequestFields& fields, SendRequest& out) {
  auto step = read_uncertain(fields, out.uncertain);
  if (!step) return step;
  auto hours = read_hours(fields);
  if (!hours) return std::unexpected(std::move(hours.error()));
  out.hours = std::move(*hours);
  step = read_word<queue::Priority>(fields, Field::priority,
                                    {{"urgent", queue::Priority::urgent},
                                     {"normal", queue::Priority::normal},
                                     {"bulk", queue::Priority::bulk}},
                                    out.priority);
  if (!step) return step;
  step = read_word<ReceiptWish>(
      fields, Field::receipt,
      {{"all", ReceiptWish::all}, {"failure", ReceiptWish::failure}, {"none", ReceiptWish::none}},
      out.receipt);
  if (!step) return step;
  std::uint64_t segments = out.max_segments;
  step = fields.read_whole(Field::max_segments, segments, 1, kSegmentsMax);
  out.max_segments = static_cast<std::uint32_t>(segments);
  return step;
}

// Fields of the protocol that this version does not act on are refused, never passed over; a value
// that asks for what happens anyway is fine.
std::expected<void, Refusal> refuse_unbuilt(const RequestFields& fields) {
  if (!fields.has(Field::plan)) return {};
  return fields.refuse("not_supported", fmt::format("{} {}", name_of(Field::plan), kNotYet));
}

std::expected<void, Refusal> read_callback(const RequestFields& fields, std::string_view& out) {
  if (auto read = fields.read_text(Field::callback, out, kCallbackOctetsMax); !read) return read;
  if (!fields.has(Field::callback)) return {};
  if (const auto wrong = check_url_template(out)) {
    return fields.refuse("bad_field", fmt::format("callback: {}", *wrong));
  }
  return {};
}

std::expected<void, Refusal> read_rewriting(const RequestFields& fields,
                                            std::optional<encoding::Replacement>& replacement,
                                            std::optional<encoding::NationalLanguages>& national) {
  if (auto read = read_word<encoding::Replacement>(
          fields, Field::replace,
          {{"none", encoding::Replacement::none},
           {"safe", encoding::Replacement::safe},
           {"transliterate", encoding::Replacement::transliterate}},
          replacement);
      !read) {
    return read;
  }
  if (!fields.has(Field::national)) return {};
  const FieldValue& codes = fields.value(Field::national);
  if (!codes.is_string_list) {
    return fields.refuse("bad_field", "national: must be a list of language codes");
  }
  national.emplace();
  for (std::size_t i = codes.list_begin; i < codes.list_end; ++i) {
    const auto language = encoding::national_language_of(fields.listed(i));
    if (!language) {
      return fields.refuse("bad_field", "national: a language without a national language table");
    }
    national->allow(*language);
  }
  return {};
}

std::expected<void, Refusal> read_hex(const RequestFields& fields, Field field, std::string& out) {
  std::string_view hex;
  if (auto read = fields.read_text(field, hex, SIZE_MAX); !read) return read;
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
    return fields.refuse("bad_field",
                         fmt::format("{}: must be pairs of hexadecimal digits", name_of(field)));
  }
  return {};
}

}  // namespace

class SendRequestReader::Json {
 public:
  simdjson::dom::parser strict;  // checks what is kept verbatim: on demand, skipped values are not
};

SendRequestReader::SendRequestReader() : json_(std::make_unique<Json>()) {}
SendRequestReader::~SendRequestReader() = default;

// Text, or octets behind a header of the caller's.
std::expected<void, Refusal> SendRequestReader::read_content(const RequestFields& fields,
                                                             SendRequest& out) {
  if (auto read = fields.read_flag(Field::flash, out.flash); !read) return read;
  if (!fields.has(Field::binary)) {
    if (fields.has(Field::udh)) return fields.refuse("bad_field", "udh: goes with binary only");
    return fields.read_text(Field::text, out.text, SIZE_MAX);
  }
  for (const Field field : {Field::text, Field::encoding, Field::replace, Field::national}) {
    if (fields.has(field)) {
      return fields.refuse("bad_field", fmt::format("{}: does not go with binary", name_of(field)));
    }
  }
  if (auto read = read_hex(fields, Field::binary, binary_); !read) return read;
  if (auto read = read_hex(fields, Field::udh, udh_); !read) return read;
  out.is_binary = true;
  out.text = binary_;
  out.udh = udh_;
  return {};
}

std::expected<void, Refusal> SendRequestReader::read_meta(const RequestFields& fields,
                                                          SendRequest& out) {
  if (!fields.has(Field::meta)) return {};
  const FieldValue& meta = fields.value(Field::meta);
  if (meta.type != FieldValue::Type::other) {
    return fields.refuse("bad_field", "meta: must be an object");
  }
  if (meta.text.size() > kMetaOctetsMax) {
    return fields.refuse("bad_field", "meta: longer than 1024 octets");
  }
  if (const auto error = json_->strict.parse(meta.text.data(), meta.text.size()).error()) {
    return refuse_json(fields, error);
  }
  out.meta = meta.text;
  return {};
}

std::expected<SendRequest, Refusal> SendRequestReader::read(const RequestFields& fields) {
  static const FieldSet allowed = set_of(
      Field::op, Field::to, Field::from, Field::text, Field::ref, Field::campaign, Field::priority,
      Field::meta, Field::expires, Field::not_before, Field::carrier, Field::max_segments,
      Field::encoding, Field::receipt, Field::kind, Field::replace, Field::national, Field::hours,
      Field::plan, Field::uncertain, Field::flash, Field::service_type, Field::protocol_id,
      Field::tlv, Field::callback, Field::binary, Field::udh);
  SendRequest out;
  std::expected<void, Refusal> step = fields.allow_only(allowed);
  if (step) step = refuse_unbuilt(fields);
  if (step) step = fields.read_text(Field::ref, out.ref, RequestFields::kRefOctetsMax);
  if (step) step = read_content(fields, out);
  if (step) step = read_callback(fields, out.callback);
  if (step) step = fields.read_text(Field::from, out.from, SIZE_MAX);
  if (step) step = fields.read_text(Field::campaign, out.campaign, kNameOctetsMax);
  if (step) step = fields.read_text(Field::carrier, out.carrier, kNameOctetsMax);
  if (step) step = read_destinations(fields, out);
  if (step) step = read_choices(fields, out);
  if (step) step = read_encoding(fields, out.encoding);
  if (step) step = read_rewriting(fields, out.replacement, out.national);
  if (step) step = fields.read_time(Field::not_before, out.not_before);
  if (step) step = fields.read_time(Field::expires, out.expires);
  if (step) step = smpp_wish_.read(fields, out.smpp);
  if (step) step = read_meta(fields, out);
  if (!step) return std::unexpected(std::move(step.error()));

  if (fields.has(Field::ref) && out.ref.empty())
    return fields.refuse("bad_field", "ref: must not be empty");
  if (fields.has(Field::from) && out.from.empty())
    return fields.refuse("bad_sender", "from: is empty");
  if (out.text.empty() && !out.is_binary)
    return fields.refuse("empty_text", "text: nothing to send");
  return out;
}

std::expected<PreviewRequest, Refusal> read_preview_request(const RequestFields& fields) {
  static const FieldSet allowed = set_of(Field::op, Field::text, Field::to, Field::carrier,
                                         Field::encoding, Field::replace, Field::national);
  PreviewRequest out;
  std::expected<void, Refusal> step = fields.allow_only(allowed);
  if (step) step = refuse_unbuilt(fields);
  if (step) step = fields.read_text(Field::text, out.text, SIZE_MAX);
  if (step) step = fields.read_text(Field::to, out.to, SIZE_MAX);
  if (step) step = fields.read_text(Field::carrier, out.carrier, kNameOctetsMax);
  if (step) step = read_encoding(fields, out.encoding);
  if (step) step = read_rewriting(fields, out.replacement, out.national);
  if (!step) return std::unexpected(std::move(step.error()));
  if (out.text.empty()) return fields.refuse("empty_text", "text: nothing to preview");
  return out;
}

}  // namespace stentor::daemon
