#include "daemon/config/uncertain_policy.h"

#include <charconv>

namespace stentor::daemon {
namespace {

constexpr std::string_view kWaitDlr = "wait-dlr:";

std::optional<UncertainPolicy> policy_of(std::string_view word) noexcept {
  if (word == "resend") return UncertainPolicy::resend;
  if (word == "hold") return UncertainPolicy::hold;
  if (word == "fail") return UncertainPolicy::fail;
  return std::nullopt;
}

}  // namespace

std::string_view word_of(UncertainPolicy policy) noexcept {
  switch (policy) {
    case UncertainPolicy::resend: return "resend";
    case UncertainPolicy::hold: return "hold";
    case UncertainPolicy::fail: return "fail";
    case UncertainPolicy::wait_dlr: return "wait-dlr";
  }
  return "";
}

std::optional<UncertainWish> parse_uncertain(std::string_view text, bool may_say_then) noexcept {
  if (const auto policy = policy_of(text)) return UncertainWish{.policy = *policy};
  if (!text.starts_with(kWaitDlr)) return std::nullopt;
  text.remove_prefix(kWaitDlr.size());
  UncertainWish wish{.policy = UncertainPolicy::wait_dlr};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), wish.seconds);
  if (error != std::errc{} || wish.seconds == 0 || wish.seconds > kWaitForReceiptMax) {
    return std::nullopt;
  }
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (text.empty()) return wish;
  if (!may_say_then || text.front() != ',') return std::nullopt;
  const auto then = policy_of(text.substr(1));
  if (!then) return std::nullopt;
  wish.then = *then;
  return wish;
}

std::string to_string(const UncertainWish& wish) {
  std::string text(word_of(wish.policy));
  if (wish.policy != UncertainPolicy::wait_dlr) return text;
  text += ':' + std::to_string(wish.seconds);
  if (wish.then != UncertainPolicy::resend) text.append(",").append(word_of(wish.then));
  return text;
}

UncertainWish decide(const std::optional<UncertainWish>& message,
                     const UncertainWish& carrier) noexcept {
  if (!message) return carrier;
  UncertainWish wish = *message;
  if (wish.policy == UncertainPolicy::wait_dlr) {
    wish.then = carrier.policy == UncertainPolicy::wait_dlr ? carrier.then : carrier.policy;
  }
  return wish;
}

}  // namespace stentor::daemon
