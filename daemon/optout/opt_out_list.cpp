#include "daemon/optout/opt_out_list.h"

#include <charconv>

namespace stentor::daemon {
namespace {

constexpr std::size_t kDigitsMax = 15;  // ITU-T E.164
constexpr std::uint64_t kInternational = 1ull << 63;
constexpr unsigned kLengthShift = 56;  // 15 digits are below 2^50

// Digits, how many there are (a short code may begin with 0), and whether a + stands in front.
std::optional<std::uint64_t> packed(std::string_view number) {
  std::uint64_t bits = 0;
  if (number.starts_with('+')) {
    bits = kInternational;
    number.remove_prefix(1);
  }
  if (number.empty() || number.size() > kDigitsMax) return std::nullopt;
  std::uint64_t digits = 0;
  for (const char c : number) {
    if (c < '0' || c > '9') return std::nullopt;
    digits = digits * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return bits | std::uint64_t{number.size()} << kLengthShift | digits;
}

std::string unpacked(std::uint64_t bits) {
  const auto length = static_cast<std::size_t>(bits >> kLengthShift & 0x0f);
  const std::uint64_t digits = bits & ((1ull << kLengthShift) - 1);
  std::array<char, 24> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), digits).ptr;
  const std::string_view written(text.data(), static_cast<std::size_t>(end - text.data()));
  std::string number((bits & kInternational) != 0 ? "+" : "");
  if (written.size() < length) number.append(length - written.size(), '0');
  return number.append(written);
}

// Murmur's finaliser: numbers of one range differ in their low bits only.
std::uint64_t mixed(std::uint64_t bits) {
  bits ^= bits >> 33;
  bits *= 0xff51afd7ed558ccdull;
  bits ^= bits >> 33;
  bits *= 0xc4ceb9fe1a85ec53ull;
  return bits ^ bits >> 33;
}

}  // namespace

std::size_t OptOutList::Hash::operator()(const Key& key) const noexcept {
  return mixed(key.number + key.sender * 0x9e3779b97f4a7c15ull);
}

std::uint32_t OptOutList::Names::number_of(std::string_view name) {
  if (const auto known = find(name)) return *known;
  if (names.size() > kNamesMax) return 0;
  names.emplace_back(name);
  const auto number = static_cast<std::uint32_t>(names.size() - 1);
  numbers.emplace(std::string(name), number);
  return number;
}

std::optional<std::uint32_t> OptOutList::Names::find(std::string_view name) const {
  if (name.empty()) return 0;
  const auto found = numbers.find(std::string(name));
  if (found == numbers.end()) return std::nullopt;
  return found->second;
}

OptOutList::Piece& OptOutList::piece_of(const Key& key) {
  return pieces_[mixed(key.number) % kPieces];
}

std::optional<std::uint64_t> OptOutList::hash_of(std::string_view number) noexcept {
  const auto bits = packed(number);
  if (!bits) return std::nullopt;
  return mixed(*bits);
}

bool OptOutList::has(std::uint64_t number, std::uint32_t sender) const {
  return pieces_[mixed(number) % kPieces].contains(Key{number, sender});
}

bool OptOutList::add(const OptedOut& entry) {
  const auto number = packed(entry.number);
  if (!number) return false;
  const Key key{*number, senders_.number_of(entry.sender)};
  const Value value{.since = entry.since,
                    .client = static_cast<std::uint16_t>(clients_.number_of(entry.client)),
                    .by = entry.by};
  const bool is_new = piece_of(key).try_emplace(key, value).second;
  if (is_new) ++size_;
  return is_new;
}

std::optional<std::string_view> OptOutList::client_of(std::string_view number,
                                                      std::string_view sender) const {
  const auto bits = packed(number);
  const auto scope = senders_.find(sender);
  if (!bits || !scope) return std::nullopt;
  const Piece& piece = pieces_[mixed(*bits) % kPieces];
  const auto found = piece.find(Key{*bits, *scope});
  if (found == piece.end()) return std::nullopt;
  return clients_.names[found->second.client];
}

bool OptOutList::remove(std::string_view number, std::string_view sender,
                        std::optional<std::string_view> client) {
  const auto bits = packed(number);
  if (!bits) return false;
  bool changed = false;
  for (const auto scope : {senders_.find(sender), std::optional<std::uint32_t>(0)}) {
    if (!scope) continue;
    const Key key{*bits, *scope};
    Piece& piece = piece_of(key);
    const auto found = piece.find(key);
    if (found == piece.end()) continue;
    const bool is_others =
        client && !sender.empty() && *scope == 0 && clients_.names[found->second.client] != *client;
    if (is_others) continue;
    piece.erase(found);
    --size_;
    changed = true;
  }
  return changed;
}

std::size_t OptOutList::apply(const OptOutChange& change) {
  std::size_t changed = 0;
  // START takes all back; a request for one sender nothing of others' that is for all.
  const bool is_asked = change.by == OptOutBy::request;
  const auto client = is_asked ? std::optional(change.client) : std::nullopt;
  for (const std::string_view number : change.numbers) {
    const bool is_news = change.is_out
                             ? add({.number = std::string(number),
                                    .sender = std::string(change.sender),
                                    .client = std::string(change.client),
                                    .since = static_cast<std::uint32_t>(change.time_ms / 1000),
                                    .by = change.by})
                             : remove(number, change.sender, client);
    if (is_news) ++changed;
  }
  return changed;
}

bool OptOutList::is_out(std::string_view number, std::string_view sender) const {
  if (size_ == 0) return false;
  const auto bits = packed(number);
  if (!bits) return false;
  if (has(*bits, 0)) return true;
  if (senders_.names.size() == 1) return false;
  const auto scope = senders_.find(sender);
  return scope && *scope != 0 && has(*bits, *scope);
}

void OptOutList::for_each(std::size_t piece,
                          const std::function<void(const OptedOut&)>& see) const {
  for (const auto& [key, value] : pieces_[piece]) {
    see({.number = unpacked(key.number),
         .sender = senders_.names[key.sender],
         .client = clients_.names[value.client],
         .since = value.since,
         .by = value.by});
  }
}

}  // namespace stentor::daemon
