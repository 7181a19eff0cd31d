// Cuts what a socket delivers, in whatever pieces, into whole PDUs.
//
// Units    Octets.
// Owns     The octets of at most one unfinished PDU. They are kept as they come: what a peer only
//          announces in command_length takes no memory.
// Errors   bad_length when framing is lost; the stream is of no use afterwards.
// Threads  One at a time.
// Spec     SMPP 3.4 section 3.2.1 (command_length).
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "protocol/decoder.h"

namespace stentor::protocol {

class PduStream {
 public:
  /// `limit` bounds command_length, and with it the memory held.
  explicit PduStream(std::size_t limit) noexcept : limit_(limit) {}

  /// Calls `on_pdu(std::span<const std::uint8_t>)` for each whole PDU, in place where it came in
  /// one piece; the span is valid during the call. When `on_pdu` answers false the rest of
  /// `octets` is dropped.
  template <class OnPdu>
  [[nodiscard]] result<void> feed(std::span<const std::uint8_t> octets, OnPdu&& on_pdu) {
    if (!unfinished_.empty()) {
      const auto is_whole = finish(octets);
      if (!is_whole) return std::unexpected(is_whole.error());
      if (!*is_whole) return {};
      const bool goes_on = on_pdu(std::span<const std::uint8_t>(unfinished_));
      forget_unfinished();
      if (!goes_on) return {};
    }
    for (;;) {
      const auto size = front_pdu_octets(octets, limit_);
      if (!size) return std::unexpected(size.error());
      if (*size == 0 || octets.size() < *size) break;
      if (!on_pdu(octets.first(*size))) return {};
      octets = octets.subspan(*size);
    }
    unfinished_.assign(octets.begin(), octets.end());
    return {};
  }

  /// Nothing of a PDU that is not whole is held.
  [[nodiscard]] bool is_between_pdus() const noexcept { return unfinished_.empty(); }

 private:
  // Moves octets from the front of `octets` until the PDU begun before is whole, or none are left.
  [[nodiscard]] result<bool> finish(std::span<const std::uint8_t>& octets) {
    constexpr std::size_t kLengthOctets = 4;
    if (unfinished_.size() < kLengthOctets) move_front(octets, kLengthOctets);
    const auto size = front_pdu_octets(unfinished_, limit_);
    if (!size) return std::unexpected(size.error());
    if (*size == 0) return false;
    move_front(octets, *size);
    return unfinished_.size() == *size;
  }

  void move_front(std::span<const std::uint8_t>& octets, std::size_t until_size) {
    const auto part = octets.first(std::min(until_size - unfinished_.size(), octets.size()));
    unfinished_.insert(unfinished_.end(), part.begin(), part.end());
    octets = octets.subspan(part.size());
  }

  void forget_unfinished() {
    // A thousand idle sessions need not each remember the one long PDU they once saw.
    constexpr std::size_t kKeptOctets = 4096;
    if (unfinished_.capacity() > kKeptOctets) unfinished_ = {};
    unfinished_.clear();
  }

  std::size_t limit_;
  std::vector<std::uint8_t> unfinished_;
};

}  // namespace stentor::protocol
