// Any octets as the text of a receipt and as its TLVs, and any id in every spelling.
//
// The first octet is esm_class; the second how many octets of the rest are TLVs. Beside not
// reading outside: what is found lies inside what was given, and an id rewritten in one base comes
// back when it is rewritten in the other.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>
#include <vector>

#include "protocol/decoder.h"
#include "protocol/encoder.h"
#include "protocol/field_limits.h"
#include "protocol/message_id.h"
#include "protocol/receipt.h"

namespace {

using namespace stentor::protocol;

void require(bool holds) {
  if (!holds) std::abort();
}

void require_inside(std::string_view found, std::span<const std::uint8_t> whole) {
  if (found.empty()) return;
  const auto* begin = reinterpret_cast<const char*>(whole.data());
  require(found.data() >= begin && found.data() + found.size() <= begin + whole.size());
}

void try_spellings(std::string_view id) {
  for (const MessageIdRule rule : {MessageIdRule::automatic, MessageIdRule::verbatim,
                                   MessageIdRule::decimal, MessageIdRule::hex}) {
    const Spellings spellings = spellings_of(id, rule);
    // No id has no spelling; such a receipt is known by its user_message_reference.
    require((spellings.count >= 1) != id.empty() && spellings.count <= 3);
    for (std::size_t at = 0; at < spellings.count; ++at) {
      const std::string_view text = spellings.candidates[at].text();
      if (spellings.rules[at] == MessageIdRule::decimal) {
        require(spellings_of(text, MessageIdRule::hex).candidates[0].text() ==
                CanonicalId(id).text());
      }
      if (spellings.rules[at] == MessageIdRule::hex) {
        require(spellings_of(text, MessageIdRule::decimal).candidates[0].text() ==
                CanonicalId(id).text());
      }
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::span<const std::uint8_t> rest(data + 2, size - 2);
  const std::size_t tlv_octets = std::min<std::size_t>(data[1], rest.size());

  // Through the decoder, as Tlvs must be checked before they are walked. (The encoder copies them.)
  const auto text = rest.subspan(tlv_octets);
  Octets pdu;
  const auto encoded = append_deliver_sm(
      pdu, 1,
      {.esm_class = data[0],
       .short_message = text.first(std::min<std::size_t>(text.size(), kShortMessageMax)),
       .tlvs = Tlvs(rest.first(tlv_octets))});
  require(encoded.has_value());

  const auto deliver = decode_short_message(pdu);
  if (!deliver) return 0;
  const auto receipt = parse_receipt(*deliver);
  if (!receipt) return 0;
  require(!receipt->message_id.empty() || receipt->user_message_reference.has_value());
  for (const std::string_view found :
       {receipt->message_id, receipt->stat, receipt->err, receipt->done_date}) {
    require_inside(found, pdu);
  }
  (void)verdict_of(receipt->state);
  try_spellings(receipt->message_id);
  return 0;
}
