// Which of a carrier's binds a message goes on.
//
// While something of an order key is under way on a bind, what follows of that key goes the same
// way, so that it cannot overtake. Otherwise the least loaded bind gets it, and among equals the
// key's favourite by rendezvous hash: a recipient keeps its bind when nothing speaks against it,
// and slow binds do not hold up what the others could take.
//
// Units    Load in segments.
// Owns     A count of messages under way by key: 16 octets each, at most as many as are reserved.
// Threads  One thread.
// Spec     docs/architecture.md, "Order"
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace stentor::daemon {

class KeysUnderWay {
 public:
  void enter(std::uint32_t key, std::uint16_t bind) {
    Way& way = ways_[key];
    way.bind = bind;
    ++way.messages;
  }
  void leave(std::uint32_t key) {
    const auto found = ways_.find(key);
    assert(found != ways_.end() && "who leaves has entered");
    if (--found->second.messages == 0) ways_.erase(found);
  }
  [[nodiscard]] std::optional<std::uint16_t> bind_of(std::uint32_t key) const {
    const auto found = ways_.find(key);
    if (found == ways_.end()) return std::nullopt;
    return found->second.bind;
  }
  [[nodiscard]] std::size_t size() const noexcept { return ways_.size(); }

 private:
  struct Way {
    std::uint16_t bind = 0;
    std::uint32_t messages = 0;
  };
  boost::unordered_flat_map<std::uint32_t, Way> ways_;
};

/// One choice: offer the binds that can send, then ask.
class BindChoice {
 public:
  explicit BindChoice(std::uint32_t key) noexcept : key_(key) {}

  void offer(std::uint16_t bind, std::size_t load) noexcept {
    const Offer offer{.is_made = true, .bind = bind, .load = load, .weight = weight_of(bind)};
    const bool is_better =
        offer.load != best_.load ? offer.load < best_.load : offer.weight > best_.weight;
    if (!best_.is_made || is_better) best_ = offer;
  }
  [[nodiscard]] std::optional<std::uint16_t> chosen() const noexcept {
    if (!best_.is_made) return std::nullopt;
    return best_.bind;
  }

 private:
  // Not an optional: g++ 12 takes the value of an empty one for used.
  struct Offer {
    bool is_made = false;
    std::uint16_t bind = 0;
    std::size_t load = 0;
    std::uint64_t weight = 0;
  };
  // splitmix64: enough to spread keys over binds.
  [[nodiscard]] std::uint64_t weight_of(std::uint16_t bind) const noexcept {
    std::uint64_t value = (std::uint64_t{key_} << 16 | bind) + 0x9e3779b97f4a7c15ull;
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9ull;
    value = (value ^ value >> 27) * 0x94d049bb133111ebull;
    return value ^ value >> 31;
  }

  std::uint32_t key_;
  Offer best_;
};

}  // namespace stentor::daemon
