#include "encoding/text_survey.h"

#include <algorithm>

#include "encoding/octet_block.h"
#include "encoding/utf8.h"

namespace stentor::encoding {

namespace {

// The last octets of a text, fewer than a block, with one octet before them and spaces after.
class PaddedTail {
 public:
  PaddedTail(char before, std::string_view tail) noexcept {
    octets_.fill(' ');
    octets_[0] = before;
    std::copy(tail.begin(), tail.end(), octets_.begin() + 1);
  }
  [[nodiscard]] const char* octets() const noexcept { return octets_.data() + 1; }

 private:
  std::array<char, kBlockOctets + 1> octets_{};
};

// What a block of characters below U+0800 tells; not `sound` means: look one by one.
struct BlockSurvey {
  bool sound = false;
  bool may_compose = false;
  std::size_t characters = 0;
};

// `octets` has an octet before it: the last of what was read already, or a space at the start.
BlockSurvey survey_block(const char* octets) noexcept {
  const OctetBlock block = load_block(octets);
  const OctetBlock before = load_block(octets - 1);
  const BlockMask continuation = (block >= 0x80) & (block < 0xc0);
  const BlockMask expected = (before >= 0xc2) & (before < 0xe0);
  const BlockMask unsound =
      (continuation ^ expected) | (block >= 0xe0) | ((block & 0xfe) == 0xc0) | (block == 0);
  const BlockMask composing = ((block & 0xfe) == 0xcc) |              // U+0300 to U+037F
                              ((before == 0xce) & (block == 0x87)) |  // U+0387
                              ((before == 0xd9) & (block >= 0x93) & (block <= 0x95));
  return {!any(unsound), any(composing), kBlockOctets - count(continuation)};
}

BlockSurvey survey_padded(std::string_view text, std::size_t at, std::size_t octets) noexcept {
  const PaddedTail tail(at == 0 ? ' ' : text[at - 1], text.substr(at, octets));
  return survey_block(tail.octets());
}

}  // namespace

bool may_compose(char32_t code_point) noexcept {
  const auto within = [&](char32_t first, char32_t last) {
    return code_point >= first && code_point <= last;
  };
  if (code_point < 0x300) return false;
  if (code_point < 0x900) {
    return code_point < 0x380 || code_point == 0x387 || within(0x653, 0x655);
  }
  if (code_point < 0x2000)
    return code_point < 0x1200 || within(0x1b00, 0x1b7f) || code_point >= 0x1f00;
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
  if (const std::size_t left = text.size() - run.octets; left < kBlockOctets) {
    const PaddedTail tail(' ', text.substr(run.octets));
    const OctetBlock block = load_block(tail.octets());
    const BlockMask extended = is_gsm_extended(block);
    if (!any(~(is_gsm_basic(block) | extended))) {
      run.octets = text.size();
      run.extended += count(extended);
      return run;
    }
  }
  // At most a block more: the character that ends the run is in it.
  for (; run.octets < text.size(); ++run.octets) {
    OctetBlock one{};
    one[0] = static_cast<std::uint8_t>(text[run.octets]);
    if (is_gsm_extended(one)[0] != 0) {
      ++run.extended;
    } else if (is_gsm_basic(one)[0] == 0) {
      break;
    }
  }
  return run;
}

result<TextSurvey> survey(std::string_view text) noexcept {
  if (text.empty()) return std::unexpected(EncodingError{.fault = EncodingFault::empty_text});
  TextSurvey found;
  std::size_t supplementary = 0;  // code points of two code units
  std::size_t at = 0;
  while (at < text.size()) {
    // Blocks below U+0800; `at` may rest between the two octets of a character.
    while (at < text.size()) {
      const std::size_t octets = std::min(text.size() - at, kBlockOctets);
      const bool in_place = at > 0 && octets == kBlockOctets;
      const BlockSurvey block =
          in_place ? survey_block(text.data() + at) : survey_padded(text, at, octets);
      if (!block.sound) break;
      found.may_compose |= block.may_compose;
      found.code_points += block.characters - (kBlockOctets - octets);
      at += octets;
    }
    if (at > 0 && static_cast<std::uint8_t>(text[at - 1]) >= 0xc2) {
      --at;  // its second octet belongs to the block that did not pass, or is missing
      --found.code_points;
    }
    // One by one over a block's length, then blocks are tried again.
    for (const std::size_t end = at + kBlockOctets; at < text.size() && at < end;) {
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
