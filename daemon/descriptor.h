// A file descriptor that is closed with its owner.
//
// Owns     The descriptor.
// Errors   None: a negative number is no descriptor, and the caller looks for it.
// Threads  One at a time.
#pragma once

#include <unistd.h>

namespace stentor::daemon {

class Descriptor {
 public:
  explicit Descriptor(int number) noexcept : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const noexcept { return number_; }

 private:
  int number_;
};

}  // namespace stentor::daemon
