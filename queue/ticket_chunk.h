// A run of tickets in one piece of memory, linked to the next of its flow.
//
// Two sizes: a page, so that ten million tickets are few pieces; and a quarter of a KiB for the
// first tickets of a flow, so that ten thousand flows of one ticket each are not as many pages.
//
// Units    Counts are tickets; seconds are Unix time.
// Owns     Its tickets. ChunkStore owns chunks given back, up to a bound; all others belong to
//          whoever took them.
// Threads  One thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "queue/ticket.h"

namespace stentor::queue {

inline constexpr std::uint8_t kChunkTickets = 254;      // 4088 octets: a page with malloc's own 8
inline constexpr std::uint8_t kSmallChunkTickets = 14;  // 248 octets: 256 likewise

struct TicketChunk {
  TicketChunk* next = nullptr;
  std::uint32_t earliest = 0;  ///< no ticket in it expires before this step
  std::uint32_t since = 0;     ///< when it got its first ticket
  std::uint8_t begin = 0;      ///< tickets lie in [begin, end)
  std::uint8_t end = 0;
  std::uint8_t capacity = 0;

  [[nodiscard]] Ticket* tickets() noexcept { return reinterpret_cast<Ticket*>(this + 1); }
};
static_assert(sizeof(TicketChunk) % alignof(Ticket) == 0);
static_assert(sizeof(TicketChunk) + kChunkTickets * sizeof(Ticket) == 4088);
static_assert(sizeof(TicketChunk) + kSmallChunkTickets * sizeof(Ticket) == 248);

class ChunkStore {
 public:
  ChunkStore() = default;
  ~ChunkStore();
  ChunkStore(const ChunkStore&) = delete;
  ChunkStore& operator=(const ChunkStore&) = delete;

  /// An empty chunk of kChunkTickets or kSmallChunkTickets.
  [[nodiscard]] TicketChunk* take(std::uint8_t capacity, std::uint32_t now);
  void give_back(TicketChunk* chunk) noexcept;

 private:
  // Flows that run empty and fill again every few picks should not go to malloc each time.
  static constexpr std::size_t kSparesMax = 32;
  using Spares = std::array<TicketChunk*, kSparesMax>;

  struct Shelf {
    Spares spares{};
    std::size_t count = 0;
  };
  [[nodiscard]] Shelf& shelf_for(std::uint8_t capacity) noexcept {
    return capacity == kChunkTickets ? full_ : small_;
  }

  Shelf full_;
  Shelf small_;
};

}  // namespace stentor::queue
