// Counts what the calling thread allocates. The whole test program is counted: allocation_count.cpp
// replaces the global operator new, which allocates as before.
#pragma once

#include <cstdint>

namespace stentor::protocol::test {

[[nodiscard]] std::uint64_t allocation_count() noexcept;

}  // namespace stentor::protocol::test
