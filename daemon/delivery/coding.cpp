#include "daemon/delivery/coding.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace stentor::daemon {
namespace {

using encoding::Alphabet;
using encoding::Concatenation;

constexpr std::uint8_t kUcs2 = 0x08;
constexpr std::uint8_t kBinary = 0x04;
// TS 23.038 section 4, group 00x1 with class 0: GSM alphabet, 8-bit data, UCS-2.
constexpr std::uint8_t kFlashGsm7 = 0x10;
constexpr std::uint8_t kFlashBinary = 0x14;
constexpr std::uint8_t kFlashUcs2 = 0x18;

// One element each, so that a PlanOptions can view them for as long as it likes.
constexpr std::array<Alphabet, 1> kGsm7 = {Alphabet::gsm7};
constexpr std::array<Alphabet, 1> kGsm7Packed = {Alphabet::gsm7_packed};
constexpr std::array<Alphabet, 1> kUcs2Only = {Alphabet::ucs2};

bool has(const CarrierConfig& carrier, Alphabet alphabet) {
  return std::ranges::find(carrier.alphabets, alphabet) != carrier.alphabets.end();
}

// The GSM alphabet as this carrier takes it; empty when it does not.
std::span<const Alphabet> gsm_of(const CarrierConfig& carrier) {
  if (has(carrier, Alphabet::gsm7)) return kGsm7;
  if (has(carrier, Alphabet::gsm7_packed)) return kGsm7Packed;
  return {};
}

std::uint8_t data_coding_of(const CarrierConfig& carrier, Alphabet alphabet, bool flash) {
  if (flash) return alphabet == Alphabet::ucs2 ? kFlashUcs2 : kFlashGsm7;
  for (std::size_t i = 0; i < carrier.alphabets.size(); ++i) {
    if (carrier.alphabets[i] == alphabet) return carrier.data_codings[i];
  }
  return kUcs2;  // the one alphabet that need not be listed
}

CodingFault fault_of(const encoding::EncodingError& error, std::size_t segments_max) {
  const std::string where =
      fmt::format("text: {} at octet {}", encoding::describe(error.fault), error.offset);
  switch (error.fault) {
    case encoding::EncodingFault::invalid_utf8: return {"bad_utf8", where};
    case encoding::EncodingFault::empty_text: return {"empty_text", "text: nothing to send"};
    case encoding::EncodingFault::forbidden_character:
    case encoding::EncodingFault::not_encodable: return {"bad_text", where};
    case encoding::EncodingFault::too_many_segments:
      return {"too_many_segments",
              fmt::format("text: takes {} segments, {} are allowed", error.segments, segments_max)};
  }
  return {"bad_text", where};
}

CodingFault fault_of(encoding::BinaryFault fault) {
  const bool is_long = fault == encoding::BinaryFault::too_many_segments;
  return {is_long ? "too_many_segments" : "bad_field",
          fmt::format("binary: {}", encoding::describe(fault))};
}

bool has_national_header(const encoding::Plan& plan) {
  return plan.locking_shift != encoding::NationalLanguage::none ||
         plan.single_shift != encoding::NationalLanguage::none;
}

std::span<const std::uint8_t> octets_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace

Content content_of(const Accepted& accepted) noexcept {
  return {.body = accepted.text,
          .udh = accepted.udh,
          .is_binary = accepted.is_binary,
          .flash = accepted.flash,
          .encoding = accepted.encoding,
          .replacement = accepted.replacement,
          .national = encoding::NationalLanguages(accepted.national)};
}

encoding::Concatenation concatenation_of(const CarrierConfig& carrier) noexcept {
  switch (carrier.long_messages) {
    case LongMessages::udh8: return encoding::Concatenation::udh8;
    case LongMessages::udh16: return encoding::Concatenation::udh16;
    case LongMessages::sar: return encoding::Concatenation::sar;
    case LongMessages::payload: return encoding::Concatenation::payload;
  }
  return encoding::Concatenation::udh8;
}

std::expected<encoding::PlanOptions, CodingFault> plan_options(const Content& content,
                                                               const CarrierConfig& carrier,
                                                               std::size_t segments_max) {
  encoding::PlanOptions options;
  options.concatenation = concatenation_of(carrier);
  options.segments_max = segments_max;
  options.replacement = content.replacement;
  options.national = content.national;
  options.alphabets = carrier.alphabets;
  // Only GSM-7 and UCS-2 have a data_coding that says "class 0".
  if (content.flash) options.alphabets = gsm_of(carrier).empty() ? kUcs2Only : gsm_of(carrier);
  switch (content.encoding) {
    case EncodingWish::automatic: break;
    case EncodingWish::gsm7:
      options.alphabets = gsm_of(carrier);
      options.strict = true;
      if (options.alphabets.empty()) {
        return std::unexpected(CodingFault{"bad_field", "encoding: the carrier takes no gsm7"});
      }
      break;
    case EncodingWish::ucs2:
      options.alphabets = kUcs2Only;
      options.strict = true;
      break;
  }
  return options;
}

std::expected<MessagePlan, CodingFault> MessagePlan::make(const Content& content,
                                                          const CarrierConfig& carrier,
                                                          std::size_t segments_max) {
  MessagePlan made;
  if (content.is_binary) {
    made.concatenation_ = concatenation_of(carrier);
    if (!content.udh.empty() && made.concatenation_ == Concatenation::sar) {
      made.concatenation_ = Concatenation::udh8;
    }
    auto plan = encoding::plan_binary(octets_of(content.udh), content.body.size(),
                                      made.concatenation_, segments_max);
    if (!plan) return std::unexpected(fault_of(plan.error()));
    made.plan_ = std::move(*plan);
    made.data_coding_ = content.flash ? kFlashBinary : kBinary;
    return made;
  }
  auto options = plan_options(content, carrier, segments_max);
  if (!options) return std::unexpected(options.error());
  auto plan = encoding::plan(content.body, *options);
  if (plan && options->concatenation == Concatenation::sar && plan->parts.size() > 1 &&
      has_national_header(*plan)) {
    options->concatenation = Concatenation::udh8;
    plan = encoding::plan(content.body, *options);
  }
  made.concatenation_ = options->concatenation;
  if (!plan) return std::unexpected(fault_of(plan.error(), segments_max));
  made.data_coding_ = data_coding_of(carrier, plan->alphabet, content.flash);
  made.plan_ = std::move(*plan);
  return made;
}

std::size_t MessagePlan::parts() const {
  return std::visit([](const auto& plan) { return plan.parts.size(); }, plan_);
}

std::uint32_t MessagePlan::segments() const {
  return std::visit([](const auto& plan) { return plan.segments; }, plan_);
}

std::string_view MessagePlan::encoding_word() const noexcept {
  return text() == nullptr ? "binary" : daemon::encoding_word(text()->alphabet);
}

std::size_t MessagePlan::part_octets_max(const Content& content) const noexcept {
  if (text() != nullptr) return encoding::payload_octets_max(*text());
  return encoding::kPartOctetsMax + content.udh.size() + content.body.size();
}

encoding::EncodedPart MessagePlan::encode(const Content& content, std::size_t part,
                                          encoding::Concatenation concatenation, encoding::Tie tie,
                                          std::span<std::uint8_t> out) const {
  if (text() != nullptr) {
    return encoding::encode_part(content.body, *text(), part, concatenation, tie, out);
  }
  return encoding::encode_binary_part(octets_of(content.udh), octets_of(content.body),
                                      std::get<encoding::BinaryPlan>(plan_), part, concatenation,
                                      tie, out);
}

EncodingReason reason_of(const MessagePlan& plan, const Content& content) {
  using Why = EncodingReason::Why;
  EncodingReason reason{.encoding = plan.encoding_word()};
  const encoding::Plan* text = plan.text();
  if (content.encoding != EncodingWish::automatic) {
    reason.why = Why::asked;
  } else if (text == nullptr) {
    reason.why = Why::octets;
  } else if (text->forced_by) {
    reason.why = Why::forced;
    reason.code_point = static_cast<std::uint32_t>(text->forced_by->code_point);
    reason.index = text->forced_by->index;
  }
  return reason;
}

std::string_view encoding_word(Alphabet alphabet) noexcept {
  switch (alphabet) {
    case Alphabet::gsm7:
    case Alphabet::gsm7_packed: return "gsm7";
    case Alphabet::latin1: return "latin1";
    case Alphabet::ascii: return "ascii";
    case Alphabet::ucs2: return "ucs2";
  }
  return "ucs2";
}

}  // namespace stentor::daemon
