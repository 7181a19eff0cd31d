// The words that a carrier's own error numbers may be given in the configuration.
//
// A closed list: programs upstream decide by these words, so a slip must not become a new one.
//
// Threads  Pure functions.
// Spec     docs/protocol.md, "Outcome codes"
#pragma once

#include <span>
#include <string_view>

namespace stentor::daemon {

[[nodiscard]] std::span<const std::string_view> outcome_words_of_carriers() noexcept;
[[nodiscard]] bool is_outcome_word(std::string_view word) noexcept;

}  // namespace stentor::daemon
