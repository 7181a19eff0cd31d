#include "queue/record_batch.h"

#include <array>
#include <cassert>

#include "queue/journal_format.h"

namespace stentor::queue {

std::uint32_t RecordBatch::add(std::uint8_t kind, std::span<const std::uint8_t> payload) {
  assert(kind != 0 && "kind 0 is never written");
  assert(payload.size() <= kRecordOctetsMax && "a record keeps its bound");
  const std::size_t offset = octets_.size();
  std::array<std::uint8_t, 4> head{kind};
  std::size_t head_octets = 1;
  auto length = static_cast<std::uint32_t>(payload.size());
  while (length > 0x7f) {
    head[head_octets++] = static_cast<std::uint8_t>(length | 0x80);
    length >>= 7;
  }
  head[head_octets++] = static_cast<std::uint8_t>(length);
  octets_.insert(octets_.end(), head.begin(),
                 head.begin() + static_cast<std::ptrdiff_t>(head_octets));
  octets_.insert(octets_.end(), payload.begin(), payload.end());
  return static_cast<std::uint32_t>(offset);
}

Record RecordBatch::record(Locator place) const noexcept {
  assert(holds(place) && "the batch holds the record asked for");
  const auto read = read_record(octets_, static_cast<std::uint32_t>(place.bits() - base_.bits()));
  if (!read) return {};
  Record record = read->record;
  record.at = place;
  return record;
}

}  // namespace stentor::queue
