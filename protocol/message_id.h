// The spellings of a carrier's message id: what a receipt writes in decimal may be what
// submit_sm_resp wrote in hexadecimal, padded with zeros, in another case.
//
// Units    Ids are up to 64 octets and a NUL (section 5.2.23), and in the field as long as their
//          PDU; numbers up to 128 bits are converted.
// Owns     Spellings own their octets, without allocation.
// Errors   None: an id that is no number has just one spelling.
// Threads  Pure functions.
// Spec     SMPP 3.4 section 5.2.23 (message_id). Pitfalls: docs/carriers.md.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace stentor::protocol {

/// How a carrier writes, in its receipts, the id that it gave in submit_sm_resp.
enum class MessageIdRule : std::uint8_t {
  automatic,  ///< tries all of the below, verbatim first
  verbatim,   ///< the same text, letter case and leading zeros aside
  decimal,    ///< receipts are decimal for a hexadecimal submit_sm_resp
  hex         ///< receipts are hexadecimal for a decimal submit_sm_resp
};

inline constexpr std::size_t kMessageIdOctetsMax = 65;

/// An id in canonical form: lower case, leading zeros stripped (one digit stays).
///
/// Of one that is longer than kMessageIdOctetsMax then, its beginning stays, and a hash of all of
/// it stands for the rest: two that differ anywhere are two. The form is its own canonical form.
class CanonicalId {
 public:
  CanonicalId() = default;
  explicit CanonicalId(std::string_view id) noexcept;
  [[nodiscard]] std::string_view text() const noexcept { return {octets_.data(), size_}; }

 private:
  void fold(std::string_view id) noexcept;

  std::array<char, kMessageIdOctetsMax> octets_{};
  std::uint8_t size_ = 0;
};

/// What submit_sm_resp may have said when a receipt says `id`: up to three candidates, in the
/// order they should be tried.
struct Spellings {
  std::array<CanonicalId, 3> candidates;
  std::array<MessageIdRule, 3> rules{};  ///< which rule each candidate follows
  std::uint8_t count = 0;
};
[[nodiscard]] Spellings spellings_of(std::string_view receipt_id, MessageIdRule rule) noexcept;

}  // namespace stentor::protocol
