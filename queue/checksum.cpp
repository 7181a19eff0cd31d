#include "queue/checksum.h"

#include <isa-l/crc.h>

#include <cassert>

#include "queue/locator.h"

namespace stentor::queue {

// ISA-L picks the instructions of the processor it runs on: 50 GB/s with VPCLMULQDQ, so that the
// checksum of a commit costs next to nothing beside its sync.
std::uint32_t crc32c(std::span<const std::uint8_t> octets, std::uint32_t before) noexcept {
  assert(octets.size() <= kFileOctetsMax && "the library counts in int");
  // The library takes a pointer to octets it does not change, without saying const.
  auto* start = const_cast<unsigned char*>(octets.data());
  return ~crc32_iscsi(start, static_cast<int>(octets.size()), ~before);
}

}  // namespace stentor::queue
