#include "queue/ticket_chunk.h"

#include <cassert>
#include <limits>
#include <memory>
#include <new>

namespace stentor::queue {

ChunkStore::~ChunkStore() {
  for (Shelf* shelf : {&full_, &small_}) {
    for (std::size_t i = 0; i < shelf->count; ++i) ::operator delete(shelf->spares[i]);
  }
}

TicketChunk* ChunkStore::take(std::uint8_t capacity, std::uint32_t now) {
  assert((capacity == kChunkTickets || capacity == kSmallChunkTickets) && "chunks have two sizes");
  Shelf& shelf = shelf_for(capacity);
  void* place = shelf.count > 0 ? shelf.spares[--shelf.count]
                                : ::operator new(sizeof(TicketChunk) + capacity * sizeof(Ticket));
  auto* chunk = new (place) TicketChunk{
      .earliest = std::numeric_limits<std::uint32_t>::max(), .since = now, .capacity = capacity};
  std::uninitialized_default_construct_n(chunk->tickets(), capacity);
  return chunk;
}

void ChunkStore::give_back(TicketChunk* chunk) noexcept {
  Shelf& shelf = shelf_for(chunk->capacity);
  if (shelf.count < kSparesMax) {
    shelf.spares[shelf.count++] = chunk;
  } else {
    ::operator delete(chunk);
  }
}

}  // namespace stentor::queue
