// encode_part(): the octets of one part, as its plan says.
#include <algorithm>
#include <array>
#include <boost/container/small_vector.hpp>
#include <cassert>
#include <cstring>

#include "encoding/gsm_alphabet.h"
#include "encoding/octet_block.h"
#include "encoding/segmenter.h"
#include "encoding/septet_packing.h"
#include "encoding/user_data_header.h"
#include "encoding/utf16_writer.h"
#include "encoding/utf8.h"

namespace stentor::encoding {

namespace {

// One septet an octet.
std::size_t write_septets(std::string_view text, Shifts shifts, std::uint8_t* out) noexcept {
  std::uint8_t* const begin = out;
  std::size_t at = 0;
  while (at < text.size()) {
    if (text.size() - at >= kBlockOctets && shifts.are_default()) {
      const OctetBlock block = load_block(text.data() + at);
      if (!any(~is_gsm_basic(block))) {
        const OctetBlock septets = gsm_of_basic(block);
        std::memcpy(out, &septets, sizeof septets);
        out += kBlockOctets;
        at += kBlockOctets;
        continue;
      }
    }
    if (text.size() - at < kBlockOctets && text.size() >= kBlockOctets && shifts.are_default()) {
      // The last block overlaps what is written already, and writes the same again.
      const OctetBlock block = load_block(text.data() + text.size() - kBlockOctets);
      if (!any(~is_gsm_basic(block))) {
        const OctetBlock septets = gsm_of_basic(block);
        out += text.size() - at;
        std::memcpy(out - kBlockOctets, &septets, sizeof septets);
        break;
      }
    }
    for (const std::size_t end = at + kBlockOctets; at < text.size() && at < end;) {
      const CodePoint next = code_point_at(text, at);
      const GsmCode code = code_of(next.value, shifts);
      assert(code.exists() && "a plan names an alphabet that has every character");
      if (code.is_escaped()) *out++ = kEscape;
      *out++ = code.septet();
      at += next.octets;
    }
  }
  return static_cast<std::size_t>(out - begin);
}

std::size_t write_octets(std::string_view text, std::uint8_t* out) noexcept {
  std::uint8_t* const begin = out;
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint next = code_point_at(text, at);
    *out++ = static_cast<std::uint8_t>(next.value);
    at += next.octets;
  }
  return static_cast<std::size_t>(out - begin);
}

}  // namespace

// After a header of 14 octets at most, the body and what its writers may put past it.
static_assert(kPartOctetsMax >= 14 + 160 + kUtf16Slack);

EncodedPart encode_part(std::string_view text, const Plan& plan, std::size_t index,
                        Concatenation concatenation, Tie tie, std::span<std::uint8_t> out) {
  assert(index < plan.parts.size() && "the plan has this part");
  const Part& part = plan.parts[index];
  const std::string_view sent = plan.replaced.empty() ? text : std::string_view(plan.replaced);
  const std::string_view stretch = sent.substr(part.begin, part.end - part.begin);
  assert(out.size() >=
         (concatenation == Concatenation::payload ? payload_octets_max(plan) : kPartOctetsMax));

  const Shifts shifts{plan.locking_shift, plan.single_shift};
  const bool in_header =
      concatenation == Concatenation::udh8 || concatenation == Concatenation::udh16;
  const bool tied = in_header && plan.parts.size() > 1;
  const std::size_t header = write_header(tied ? std::optional(tie) : std::nullopt,
                                          concatenation == Concatenation::udh16, shifts, out);
  std::uint8_t* const body = out.data() + header;
  std::size_t octets = 0;
  switch (plan.alphabet) {
    case Alphabet::gsm7: octets = write_septets(stretch, shifts, body); break;
    case Alphabet::gsm7_packed: {
      boost::container::small_vector<std::uint8_t, kPartOctetsMax> septets;
      septets.resize(part.units + std::size_t{2} * kBlockOctets, boost::container::default_init);
      const std::size_t count = write_septets(stretch, shifts, septets.data());
      octets = pack(std::span(septets).first(count), fill_bits(header), out.subspan(header));
      break;
    }
    case Alphabet::latin1:
    case Alphabet::ascii: octets = write_octets(stretch, body); break;
    case Alphabet::ucs2: octets = write_utf16(stretch, body); break;
  }
  return {header, header + octets};
}

}  // namespace stentor::encoding
