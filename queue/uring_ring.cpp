#include "queue/uring_ring.h"

#include <liburing.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cassert>
#include <cerrno>
#include <mutex>

namespace stentor::queue {
namespace {

constexpr unsigned kEntries = 4;  // one write and its sync; the rest is the smallest ring's spare
constexpr std::uint64_t kWriteTag = 1;
constexpr std::uint64_t kSyncTag = 2;

std::error_code from_errno(int error) {
  return {error, std::generic_category()};
}

}  // namespace

class UringRing::Body {
 public:
  Body() = default;
  ~Body() {
    if (is_open_) io_uring_queue_exit(&ring_);
  }
  Body(const Body&) = delete;
  Body& operator=(const Body&) = delete;

  std::error_code open() {
    // Linux 5.10: no operation before what the ring is for has been said.
    const int error = io_uring_queue_init(kEntries, &ring_, IORING_SETUP_R_DISABLED);
    if (error < 0) return from_errno(-error);
    is_open_ = true;
    return restrict() && tell(IORING_REGISTER_ENABLE_RINGS, nullptr, 0) ? std::error_code{}
                                                                        : from_errno(errno);
  }

  result<std::size_t> write_durable(int descriptor, std::span<const iovec> pieces,
                                    std::uint64_t offset) {
    const std::lock_guard lock(one_at_a_time_);
    if (is_broken_) return std::unexpected(from_errno(EIO));

    io_uring_sqe* write = io_uring_get_sqe(&ring_);
    io_uring_sqe* sync = io_uring_get_sqe(&ring_);
    assert(write != nullptr && sync != nullptr && "the ring is empty between calls");
    io_uring_prep_writev(write, descriptor, pieces.data(), static_cast<unsigned>(pieces.size()),
                         offset);
    // Without the link the two have no order; with it a failed or short write cancels the sync.
    write->flags = static_cast<std::uint8_t>(write->flags | IOSQE_IO_LINK);
    write->user_data = kWriteTag;
    io_uring_prep_fsync(sync, descriptor, IORING_FSYNC_DATASYNC);
    sync->user_data = kSyncTag;

    // Both must have ended before the caller may touch its octets again, whatever they ended with.
    std::array<int, 2> outcome{};
    unsigned submitted = 0;
    for (unsigned ended = 0; ended < 2;) {
      const int error = io_uring_submit_and_wait(&ring_, 1);
      if (error > 0) submitted += static_cast<unsigned>(error);
      if (error < 0 && error != -EINTR && submitted == 0) {
        is_broken_ = true;  // the entries are still queued: this ring must not be used again
        return std::unexpected(from_errno(-error));
      }
      io_uring_cqe* completion = nullptr;
      while (io_uring_peek_cqe(&ring_, &completion) == 0) {
        outcome[completion->user_data == kWriteTag ? 0 : 1] = completion->res;
        io_uring_cqe_seen(&ring_, completion);
        ++ended;
      }
    }
    if (outcome[0] < 0) return std::unexpected(from_errno(-outcome[0]));
    const auto written = static_cast<std::size_t>(outcome[0]);
    std::size_t offered = 0;
    for (const iovec& piece : pieces) offered += piece.iov_len;
    if (written == offered && outcome[1] < 0) return std::unexpected(from_errno(-outcome[1]));
    return written;
  }

 private:
  // A filter of system calls does not see what is asked for within a ring. This one writes and
  // syncs, and takes no registration; the process cannot change that any more.
  bool restrict() {
    std::array<io_uring_restriction, 3> allowed{};
    allowed[0].opcode = IORING_RESTRICTION_SQE_OP;
    allowed[0].sqe_op = IORING_OP_WRITEV;
    allowed[1].opcode = IORING_RESTRICTION_SQE_OP;
    allowed[1].sqe_op = IORING_OP_FSYNC;
    allowed[2].opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED;
    allowed[2].sqe_flags = IOSQE_IO_LINK;
    return tell(IORING_REGISTER_RESTRICTIONS, allowed.data(), allowed.size());
  }
  // liburing 2.3 declares functions for these and does not export them.
  bool tell(unsigned what, const void* argument, std::size_t count) const {
    return ::syscall(SYS_io_uring_register, ring_.ring_fd, what, argument, count) == 0;
  }

  std::mutex one_at_a_time_;
  io_uring ring_{};
  bool is_open_ = false;
  bool is_broken_ = false;
};

result<std::unique_ptr<UringRing>> UringRing::make() {
  auto body = std::make_unique<Body>();
  if (const std::error_code error = body->open()) return std::unexpected(error);
  return std::unique_ptr<UringRing>(new UringRing(std::move(body)));
}

UringRing::UringRing(std::unique_ptr<Body> body) : body_(std::move(body)) {}
UringRing::~UringRing() = default;

result<std::size_t> UringRing::write_durable(int descriptor, std::span<const iovec> pieces,
                                             std::uint64_t offset) {
  return body_->write_durable(descriptor, pieces, offset);
}

}  // namespace stentor::queue
