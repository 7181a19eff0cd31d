#include "daemon/tracking/segment_names.h"

#include <sodium/crypto_shorthash.h>

#include <algorithm>
#include <cstring>

namespace stentor::daemon {
namespace {

static_assert(crypto_shorthash_KEYBYTES == std::tuple_size_v<SegmentNames::Key>);

constexpr std::size_t kDigitsCompared = 7;

// An address has at most 20 octets (section 5.2.8); a carrier's receipt may hold what it likes.
constexpr std::size_t kAddressOctetsMax = 20;

bool is_all_digits(std::string_view address) noexcept {
  return std::ranges::all_of(address, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::string_view comparable(std::string_view address) noexcept {
  if (address.starts_with('+')) address.remove_prefix(1);
  if (is_all_digits(address) && address.size() > kDigitsCompared) {
    return address.substr(address.size() - kDigitsCompared);
  }
  return address.substr(0, kAddressOctetsMax);
}

bool is_same_number(std::string_view source, std::string_view to) noexcept {
  const std::string_view last = comparable(source);
  return last.size() == kDigitsCompared && is_all_digits(last) && last == comparable(to);
}

bool is_other_number(std::string_view source, std::string_view destination,
                     std::string_view to) noexcept {
  // A number that is the same as itself has digits enough to compare.
  const bool is_comparable = is_same_number(to, to) && (is_same_number(source, source) ||
                                                        is_same_number(destination, destination));
  return is_comparable && !is_same_number(source, to) && !is_same_number(destination, to);
}

protocol::CanonicalId SegmentName::as_id() const noexcept {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::array<char, 17> text{};  // a NUL ends an id on the wire: none begins with it
  for (std::size_t i = 0; i < 16; ++i) text[i + 1] = kDigits[bits >> (60 - 4 * i) & 0xf];
  return protocol::CanonicalId(std::string_view(text.data(), text.size()));
}

SegmentName SegmentNames::name_of(std::uint16_t reference, std::string_view handset,
                                  std::string_view sender) const {
  std::array<unsigned char, 2 + 2 * (kAddressOctetsMax + 1)> text{};
  std::size_t octets = 0;
  text[octets++] = static_cast<unsigned char>(reference >> 8);
  text[octets++] = static_cast<unsigned char>(reference);
  for (const std::string_view address : {comparable(handset), comparable(sender)}) {
    for (const char c : address) {
      const bool is_upper = c >= 'A' && c <= 'Z';
      text[octets++] = static_cast<unsigned char>(is_upper ? c - 'A' + 'a' : c);
    }
    ++octets;  // a NUL between them
  }
  std::array<unsigned char, crypto_shorthash_BYTES> hash{};
  crypto_shorthash(hash.data(), text.data(), octets, secret_.data());
  SegmentName name;
  std::memcpy(&name.bits, hash.data(), sizeof name.bits);
  return name;
}

std::optional<SegmentName> SegmentNames::name_of(const protocol::Receipt& receipt) const {
  if (!is_used() || !receipt.user_message_reference) return std::nullopt;
  // Without both numbers it would be taken for whoever has the reference.
  if (receipt.source.empty() || receipt.destination.empty()) return std::nullopt;
  return name_of(*receipt.user_message_reference, receipt.source, receipt.destination);
}

void SegmentNames::put(SegmentName name, const SegmentKey& key, queue::Locator message,
                       std::uint8_t part, std::uint64_t now) {
  if (!is_used()) return;
  make_room();
  Entry& entry = entries_[name.bits];
  if (entry.puts > 0 && (entry.message != message || entry.part != part)) {
    const bool is_recent = now < std::uint64_t{entry.since} + kSharedSeconds;
    entry.is_shared = entry.is_shared != 0 || is_recent ? 1 : 0;
  }
  entry.key = key;
  entry.message = message;
  entry.since = static_cast<std::uint32_t>(now);
  entry.puts = (entry.puts + 1) & 0x7fffff;  // kEntriesMax is far below
  entry.part = part;
  order_[oldest_] = name.bits;
  oldest_ = (oldest_ + 1) % kEntriesMax;
}

// The place in the ring at oldest_ is free when this returns.
void SegmentNames::make_room() {
  if (order_.size() < kEntriesMax) {
    if (order_.empty()) {
      order_.reserve(kEntriesMax);
      entries_.reserve(kEntriesMax);
    }
    order_.push_back(0);
    return;
  }
  const auto found = entries_.find(order_[oldest_]);
  if (found != entries_.end() && --found->second.puts == 0) entries_.erase(found);
}

std::optional<NamedSegment> SegmentNames::find(SegmentName name, std::uint64_t came) const {
  const auto found = entries_.find(name.bits);
  if (found == entries_.end() || found->second.is_shared != 0) return std::nullopt;
  if (found->second.since > came + kAheadSeconds) return std::nullopt;
  return NamedSegment{.key = found->second.key,
                      .message = found->second.message,
                      .part = static_cast<std::uint8_t>(found->second.part)};
}

void SegmentNames::note(const protocol::Receipt& receipt) {
  if (!is_wanted_) return;
  if (receipt.user_message_reference) {
    without_ = 0;
    is_unused_ = false;
  } else if (!is_unused_ && ++without_ >= kReceiptsWithout) {
    is_unused_ = true;
    entries_ = {};
    order_ = {};
    oldest_ = 0;
  }
}

}  // namespace stentor::daemon
