// A write linked to its fdatasync, in one call to the kernel.
//
// Units    Octets.
// Owns     The ring; not the file descriptors it is handed.
// Errors   errno as std::error_code. make() fails where the kernel refuses a ring.
// Threads  Any; one write at a time, the next one waits.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "queue/error.h"

namespace stentor::queue {

class UringRing {
 public:
  [[nodiscard]] static result<std::unique_ptr<UringRing>> make();
  ~UringRing();
  UringRing(const UringRing&) = delete;
  UringRing& operator=(const UringRing&) = delete;

  /// Writes `pieces` at `offset`, then syncs the data. Answers how many octets were written; when
  /// fewer than offered, nothing was synced. Fails when the write or the sync did.
  [[nodiscard]] result<std::size_t> write_durable(int descriptor, std::span<const iovec> pieces,
                                                  std::uint64_t offset);

 private:
  class Body;
  explicit UringRing(std::unique_ptr<Body> body);
  std::unique_ptr<Body> body_;
};

}  // namespace stentor::queue
