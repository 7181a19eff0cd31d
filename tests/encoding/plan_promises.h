// What segmenter.h promises of a plan, checked against the plain splitter and the decoder.
//
// Errors   The first promise that does not hold, in words; nothing when all do.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "encoding/capacity.h"
#include "encoding/decoder.h"
#include "encoding/segmenter.h"
#include "encoding/septet_packing.h"
#include "tests/encoding/reference_splitter.h"

namespace stentor::encoding {

inline std::size_t units_in(Alphabet alphabet, Shifts shifts, char32_t code_point) {
  switch (alphabet) {
    case Alphabet::gsm7:
    case Alphabet::gsm7_packed: return code_of(code_point, shifts).septets();
    case Alphabet::latin1:
    case Alphabet::ascii: return 1;
    case Alphabet::ucs2: return code_point > 0xffff ? 2 : 1;
  }
  return 1;
}

/// What the parts read back as, and whether each was within its limit on the air.
struct SentParts {
  std::string text;
  bool within_limit = true;
};

inline SentParts send_and_read(const std::string& text, const PlanOptions& options,
                               const Plan& plan) {
  SentParts sent;
  Decoder decoder(plan.alphabet);
  const Shifts shifts{plan.locking_shift, plan.single_shift};
  for (std::size_t index = 0; index < plan.parts.size(); ++index) {
    std::array<std::uint8_t, kPartOctetsMax> out{};
    const Tie tie{7, static_cast<std::uint8_t>(plan.parts.size()),
                  static_cast<std::uint8_t>(index + 1)};
    const EncodedPart encoded = encode_part(text, plan, index, options.concatenation, tie, out);
    // On the air septets are packed after the header and its fill bits; sar gets a header there.
    const std::size_t header = header_octets(shifts, plan.parts.size() > 1, options.concatenation);
    const std::size_t body = encoded.octets - encoded.header_octets;
    const bool unpacked = plan.alphabet == Alphabet::gsm7;
    const std::size_t bits = 8 * header + (unpacked ? fill_bits(header) + 7 * body : 8 * body);
    sent.within_limit = sent.within_limit && bits <= 8 * kUserDataOctets;
    decoder.add(std::span(out).first(encoded.octets), encoded.header_octets > 0);
  }
  sent.text = decoder.take();
  return sent;
}

inline std::string without_carriage_returns(std::string text) {
  std::erase(text, '\r');
  return text;
}

inline std::optional<std::string> broken_promise(const std::string& text,
                                                 const PlanOptions& options, const Plan& plan) {
  const std::string& sent = plan.replaced.empty() ? text : plan.replaced;
  const Shifts shifts{plan.locking_shift, plan.single_shift};
  const Capacity capacity = capacity_of(plan.alphabet, shifts, options.concatenation);
  const auto units_of = [&](char32_t one) { return units_in(plan.alphabet, shifts, one); };

  std::size_t end = 0;
  std::size_t units = 0;
  for (const Part& part : plan.parts) {
    if (part.begin != end || part.end <= part.begin) return "the parts are the text";
    end = part.end;
    std::size_t counted = 0;
    for (std::size_t at = part.begin; at < part.end;) {
      const CodePoint one = checked_code_point(sent, at);
      if (one.octets == 0) return "a part is UTF-8";
      counted += units_of(one.value);
      at += one.octets;
    }
    if (part.units != counted) return "a part says its units";
    if (counted > (plan.parts.size() == 1 ? capacity.alone : capacity.part)) {
      return "a part is within its limit";
    }
    units += counted;
  }
  if (end != sent.size()) return "the parts are the whole text";
  if (plan.units != units || plan.segments != plan.parts.size()) return "a plan says its totals";

  // A carriage return at the end of a full packed part may cost one more; segmenter_test has that.
  const bool packed = plan.alphabet == Alphabet::gsm7_packed;
  const auto pieces = pieces_of(sent, units_of, capacity.part);
  const std::size_t fewest = units <= capacity.alone ? 1 : fewest_parts(pieces, capacity.part);
  if (packed ? plan.parts.size() < fewest : plan.parts.size() != fewest) {
    return "no splitter needs fewer parts";
  }
  std::set<std::size_t> allowed;
  std::size_t at = 0;
  for (const Piece& piece : pieces) allowed.insert(at += piece.octets);
  for (const Part& part : plan.parts) {
    if (plan.parts.size() > 1 && !allowed.contains(part.end)) return "no character is cut";
  }

  const SentParts back = send_and_read(text, options, plan);
  if (!back.within_limit) return "a part is within 140 octets on the air";
  // A packed carriage return that ends with its octet is sent twice: shown twice, says the
  // standard.
  const bool same = packed ? without_carriage_returns(back.text) == without_carriage_returns(sent)
                           : back.text == sent;
  if (!same) return "what is sent reads back";

  // The changes lead from the text that was given to the one that is sent.
  std::string changed;
  std::size_t given = 0;
  for (const Replaced& change : plan.replacements) {
    if (change.offset < given ||
        text.compare(change.offset, change.from.size(), change.from) != 0) {
      return "a change says what it changed";
    }
    changed += text.substr(given, change.offset - given);
    changed += change.to;
    given = change.offset + change.from.size();
  }
  changed += text.substr(given);
  if (changed != sent) return "the changes lead to what is sent";
  return std::nullopt;
}

}  // namespace stentor::encoding
