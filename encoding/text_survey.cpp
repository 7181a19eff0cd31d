#include "encoding/text_survey.h"

#include <algorithm>

#include "encoding/gsm_alphabet.h"
#include "encoding/octet_block.h"
#include "encoding/utf8.h"

namespace stentor::encoding {

namespace {

// What a block of characters below U+0800 tells, octet by octet.
struct BlockSurvey {
  BlockMask continues;  // a second octet
  BlockMask unsound;    // look one by one
  BlockMask composes;   // may compose
};

// `octets` has an octet before it.
BlockSurvey survey_block(const char* octets) noexcept {
  const OctetBlock block = load_block(octets);
  const OctetBlock before = load_block(octets - 1);
  const BlockMask continuation = (block >= 0x80) & (block < 0xc0);
  const BlockMask expected = (before >= 0xc2) & (before < 0xe0);
  return {continuation,
          (continuation ^ expected) | (block >= 0xe0) | ((block & 0xfe) == 0xc0) | (block == 0),
          ((block & 0xfe) == 0xcc) |                  // U+0300 to U+037F
              ((before == 0xce) & (block == 0x87)) |  // U+0387
              ((before == 0xd9) & (block >= 0x93) & (block <= 0x95))};
}

// From Devanagari to Sinhala, by code point: texts there are full of vowel signs, few of which
// compose. A text_survey_test compares this with ICU.
constexpr char32_t kIndicBegin = 0x900;
constexpr char32_t kIndicEnd = 0xe00;

consteval auto make_indic() {
  std::array<std::uint64_t, (kIndicEnd - kIndicBegin) / 64> bits{};
  const auto set = [&](char32_t first, char32_t last) {
    for (char32_t at = first; at <= last; ++at) {
      bits[(at - kIndicBegin) / 64] |= std::uint64_t{1} << at % 64;
    }
  };
  set(0x93c, 0x93c), set(0x958, 0x95f), set(0x9be, 0x9be), set(0x9d7, 0x9df), set(0xa33, 0xa36);
  set(0xa59, 0xa5e), set(0xb3e, 0xb3e), set(0xb56, 0xb5d), set(0xbbe, 0xbbe), set(0xbd7, 0xbd7);
  set(0xc56, 0xc56), set(0xcc2, 0xcc2), set(0xcd5, 0xcd6), set(0xd3e, 0xd3e), set(0xd57, 0xd57);
  set(0xdca, 0xddf);
  return bits;
}

constexpr auto kIndic = make_indic();

}  // namespace

bool may_compose(char32_t code_point) noexcept {
  const auto within = [&](char32_t first, char32_t last) {
    return code_point >= first && code_point <= last;
  };
  if (code_point < 0x300) return false;
  if (code_point < kIndicBegin) {
    return code_point < 0x380 || code_point == 0x387 || within(0x653, 0x655);
  }
  if (code_point < kIndicEnd) {
    return (kIndic[(code_point - kIndicBegin) / 64] >> code_point % 64 & 1u) != 0;
  }
  if (code_point < 0x2000) {
    return within(0xf40, 0x11ff) || code_point == 0x1b35 || code_point >= 0x1f00;
  }
  if (code_point < 0x3000) {
    return within(0x2000, 0x2001) || within(0x2126, 0x212b) || within(0x2329, 0x232a) ||
           code_point == 0x2adc;
  }
  if (code_point < 0x10000) return within(0x3099, 0x309a) || within(0xf900, 0xfb4f);
  if (code_point < 0x1f000) return within(0x11000, 0x11fff) || within(0x1d100, 0x1d1ff);
  return within(0x2f800, 0x2fa1f);
}

GsmAsciiRun gsm_ascii_run(std::string_view text) noexcept {
  GsmAsciiRun run;
  while (text.size() - run.octets >= kBlockOctets) {
    const OctetBlock block = load_block(text.data() + run.octets);
    const BlockMask basic = is_gsm_basic(block);
    if (any(~basic)) {
      const BlockMask extended = is_gsm_extended(block);
      if (any(~(basic | extended))) break;
      run.extended += count(extended);
    }
    run.octets += kBlockOctets;
  }
  const std::size_t left = text.size() - run.octets;
  if (left > 0 && left < kBlockOctets && run.octets > 0) {
    // The last block overlaps what was read already.
    const OctetBlock block = load_block(text.data() + text.size() - kBlockOctets);
    const BlockMask extended = is_gsm_extended(block);
    const BlockMask fresh = last_of_block(left);
    if (!any(fresh & ~(is_gsm_basic(block) | extended))) {
      run.octets = text.size();
      run.extended += count(extended & fresh);
      return run;
    }
  }
  // At most a block more: the character that ends the run is in it.
  for (; run.octets < text.size(); ++run.octets) {
    const auto octet = static_cast<std::uint8_t>(text[run.octets]);
    if (octet >= 0x80) break;
    const GsmCode code = default_code_of(octet);
    if (!code.exists()) break;
    run.extended += code.is_escaped() ? 1u : 0u;
  }
  return run;
}

result<TextSurvey> survey(std::string_view text) noexcept {
  if (text.empty()) return std::unexpected(EncodingError{.fault = EncodingFault::empty_text});
  TextSurvey found;
  std::size_t supplementary = 0;  // code points of two code units
  std::size_t at = 0;
  while (at < text.size()) {
    // Blocks below U+0800; `at` may rest between the two octets of a character. The last block
    // overlaps what was read already.
    while (at > 0 && at < text.size() && text.size() > kBlockOctets) {
      const std::size_t fresh = std::min(text.size() - at, kBlockOctets);
      const BlockSurvey block = survey_block(text.data() + at + fresh - kBlockOctets);
      if (any(block.unsound | block.composes)) {
        if (any(block.unsound)) break;
        found.may_compose = true;
      }
      found.code_points += fresh - count(block.continues & last_of_block(fresh));
      at += fresh;
    }
    if (at > 0 && static_cast<std::uint8_t>(text[at - 1]) >= 0xc2) {
      --at;  // its second octet belongs to the block that did not pass, or is missing
      --found.code_points;
    }
    // The first one alone, as a block looks at the octet before it; else one by one over a block's
    // length, before blocks are tried again.
    for (const std::size_t end = at == 0 ? 1 : at + kBlockOctets; at < text.size() && at < end;) {
      const CodePoint next = checked_code_point(text, at);
      if (next.octets == 0 || next.value == 0) {
        return std::unexpected(EncodingError{.fault = next.octets == 0
                                                          ? EncodingFault::invalid_utf8
                                                          : EncodingFault::forbidden_character,
                                             .offset = static_cast<std::uint32_t>(at)});
      }
      found.may_compose |= may_compose(next.value);
      ++found.code_points;
      supplementary += next.value > 0xffff ? 1u : 0u;
      at += next.octets;
    }
  }
  found.utf16_units = found.code_points + supplementary;
  return found;
}

}  // namespace stentor::encoding
