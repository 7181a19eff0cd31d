// What is done with a message that was written to a carrier and whose answer was lost.
//
// Units    Whole seconds.
// Errors   A word that is none of them: nothing.
// Threads  Plain values and pure functions.
// Spec     docs/carriers.md, "Doubt"
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stentor::daemon {

/// Values are on disk: never renumber.
enum class UncertainPolicy : std::uint8_t {
  resend = 0,   ///< goes again, marked possible_duplicate: at least once
  hold = 1,     ///< waits until somebody says what became of it
  fail = 2,     ///< ends as unknown: at most once
  wait_dlr = 3  ///< waits for evidence, then as `then` says
};
inline constexpr std::size_t kUncertainPolicies = 4;

struct UncertainWish {
  UncertainPolicy policy = UncertainPolicy::resend;
  std::uint32_t seconds = 0;                       ///< of wait_dlr
  UncertainPolicy then = UncertainPolicy::resend;  ///< of wait_dlr: resend, hold or fail
  friend bool operator==(const UncertainWish&, const UncertainWish&) = default;
};

/// A week: longer than any carrier keeps a receipt back.
inline constexpr std::uint32_t kWaitForReceiptMax = 7 * 86400;

/// `resend`, `hold`, `fail`, `wait-dlr:SECONDS`; with `may_say_then` also
/// `wait-dlr:SECONDS,resend|hold|fail`.
[[nodiscard]] std::optional<UncertainWish> parse_uncertain(std::string_view text,
                                                           bool may_say_then) noexcept;
[[nodiscard]] std::string_view word_of(UncertainPolicy policy) noexcept;
[[nodiscard]] std::string to_string(const UncertainWish& wish);

/// What is done now: a message's own wish goes before its carrier's, and what follows a wait is the
/// carrier's.
[[nodiscard]] UncertainWish decide(const std::optional<UncertainWish>& message,
                                   const UncertainWish& carrier) noexcept;

}  // namespace stentor::daemon
