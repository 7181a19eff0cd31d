// Any text, planned any way: a typed error with its offset, or a plan that keeps every promise.
// The first four octets choose the options.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "encoding/forcing.h"
#include "encoding/segmenter.h"
#include "tests/encoding/plan_promises.h"

namespace {

using stentor::encoding::Alphabet;

constexpr std::array kLists{
    std::array{Alphabet::gsm7, Alphabet::ucs2}, std::array{Alphabet::gsm7_packed, Alphabet::latin1},
    std::array{Alphabet::latin1, Alphabet::gsm7}, std::array{Alphabet::ascii, Alphabet::ucs2},
    std::array{Alphabet::ucs2, Alphabet::gsm7}};

// The plain splitter tries every cut: longer texts would take it seconds.
constexpr std::size_t kOctetsMax = 4096;

[[noreturn]] void stop(const std::string& promise) {
  std::fprintf(stderr, "broken: %s\n", promise.c_str());
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stentor::encoding;
  if (size < 4 || size > kOctetsMax) return 0;
  PlanOptions options;
  options.alphabets = kLists[data[0] % kLists.size()];
  options.strict = (data[0] & 0x80) != 0;
  options.concatenation = static_cast<Concatenation>(data[1] % 3);
  options.replacement = static_cast<Replacement>(data[1] / 3 % 3);
  for (unsigned language = 1; language <= kNationalLanguages; ++language) {
    const unsigned bits = data[2] | unsigned{data[3]} << 8;
    if ((bits >> language & 1u) != 0) {
      options.national.allow(static_cast<NationalLanguage>(language));
    }
  }
  const std::string text(reinterpret_cast<const char*>(data + 4), size - 4);
  const auto planned = plan(text, options);
  if (!planned) {
    if (planned.error().offset > text.size()) stop("an error is inside the text");
    if (planned.error().fault == EncodingFault::too_many_segments &&
        planned.error().segments <= 255) {
      stop("what fits is not refused");
    }
    return 0;
  }
  if (const auto broken = broken_promise(text, options, *planned)) stop(*broken);
  if (planned->forced_by && planned->forced_by->offset >= text.size()) {
    stop("what forced the alphabet is in the text");
  }
  (void)without_forcing(text, options);
  return 0;
}
