#include "protocol/receipt_pattern.h"

#include <array>
#include <utility>

#include "protocol/gaps.h"

namespace stentor::protocol {

std::optional<ReceiptPattern> ReceiptPattern::compile(std::string_view pattern) {
  static constexpr std::array<std::pair<std::string_view, Name>, 5> kNames{{
      {"id", Name::id},
      {"stat", Name::stat},
      {"err", Name::err},
      {"done", Name::done},
      {"", Name::nothing},
  }};
  ReceiptPattern compiled;
  std::array<bool, kNames.size()> is_named{};
  const auto take_until = [&](char end) {
    const std::string_view taken = pattern.substr(0, pattern.find(end));
    pattern.remove_prefix(taken.size());
    return taken;
  };

  compiled.start_ = take_until('{');
  while (!pattern.empty()) {
    pattern.remove_prefix(1);  // the brace
    const std::string_view name = take_until('}');
    if (pattern.empty()) return std::nullopt;
    pattern.remove_prefix(1);
    std::size_t known = 0;
    while (known < kNames.size() && kNames[known].first != name) ++known;
    if (known == kNames.size()) return std::nullopt;
    const Name field = kNames[known].second;
    if (field != Name::nothing && std::exchange(is_named[known], true)) return std::nullopt;
    const std::string_view until = take_until('{');
    if (until.empty() && !pattern.empty()) return std::nullopt;  // two fields touch
    compiled.parts_.push_back({field, std::string(until)});
  }
  const bool says_something = is_named[0] || is_named[1];
  return says_something ? std::optional(std::move(compiled)) : std::nullopt;
}

std::optional<ReceiptText> ReceiptPattern::match(std::string_view text) const noexcept {
  if (!text.starts_with(start_)) return std::nullopt;
  text.remove_prefix(start_.size());
  ReceiptText found;
  for (const Part& part : parts_) {
    const std::size_t end = part.until.empty() ? text.size() : text.find(part.until);
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view value = trimmed(text.substr(0, end));
    text.remove_prefix(end + part.until.size());
    switch (part.name) {
      case Name::id: found.id = value; break;
      case Name::stat: found.stat = value; break;
      case Name::err: found.err = value; break;
      case Name::done: found.done_date = value; break;
      case Name::nothing: break;
    }
  }
  return found;
}

}  // namespace stentor::protocol
