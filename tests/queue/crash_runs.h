// Which seeded runs a crash test makes: STENTOR_CRASH_SEED=n repeats one, STENTOR_CRASH_TIMES=n
// makes n times as many as usual. Under a sanitizer, which makes them ten times as slow, those that
// are `many` are a tenth.
//
// Threads  One.
#pragma once

#include <cstdint>
#include <cstdlib>

#include "tests/queue/random_numbers.h"
#include "tests/queue/sim_file_system.h"

namespace stentor::queue::test {

class CrashRuns {
 public:
  enum class Size : std::uint8_t { few, many };
  explicit CrashRuns(std::uint64_t usual, Size size = Size::few)
      : only_(number("STENTOR_CRASH_SEED", 0)),
        times_(number("STENTOR_CRASH_TIMES", 1)),
        count_(usual * times_ / (kIsSanitized && size == Size::many ? 10 : 1)) {}

  /// Enough of them for what is only met now and then.
  [[nodiscard]] bool is_full() const noexcept { return !is_one() && (!kIsSanitized || is_long()); }
  [[nodiscard]] bool is_one() const noexcept { return only_ != 0; }
  [[nodiscard]] bool is_long() const noexcept { return times_ > 1; }
  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  [[nodiscard]] std::uint64_t first() const noexcept { return is_one() ? only_ : 1; }
  [[nodiscard]] std::uint64_t last() const noexcept { return is_one() ? only_ : count_; }

 private:
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  static constexpr bool kIsSanitized = true;
#elif defined(__has_feature)
  static constexpr bool kIsSanitized =
      __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
  static constexpr bool kIsSanitized = false;
#endif

  static std::uint64_t number(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): before any thread
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
  }

  std::uint64_t only_;
  std::uint64_t times_;
  std::uint64_t count_;
};

/// The machine comes back after a crash: the process alone, or the kernel, or the power was gone.
inline void come_back(SimFileSystem& files, RandomNumbers& random) {
  files.unplan();
  switch (random.below(3)) {
    case 0: files.restart(); break;
    case 1: files.restart_with_cold_cache(); break;
    default: files.lose_power(); break;
  }
}

}  // namespace stentor::queue::test
