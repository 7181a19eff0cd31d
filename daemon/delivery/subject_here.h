// A message's subject as the carrier that has it now tells it: with its own name and parts.
//
// The accepted record names the carrier that was chosen then. Where a message has moved, events of
// what follows must name the one that really sends.
//
// Owns     The octets, when they had to be written anew; else it views those it was made from.
// Threads  Plain values.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace stentor::daemon {

class SubjectHere {
 public:
  /// `parts` 0: as accepted.
  SubjectHere(std::span<const std::uint8_t> accepted, std::string_view carrier,
              std::uint8_t parts = 0);

  [[nodiscard]] std::span<const std::uint8_t> octets() const noexcept {
    return own_.empty() ? accepted_ : std::span<const std::uint8_t>(own_);
  }
  [[nodiscard]] bool is_rewritten() const noexcept { return !own_.empty(); }
  /// The octets that were written anew, or none.
  [[nodiscard]] std::vector<std::uint8_t> take() && { return std::move(own_); }

 private:
  std::span<const std::uint8_t> accepted_;
  std::vector<std::uint8_t> own_;
};

}  // namespace stentor::daemon
