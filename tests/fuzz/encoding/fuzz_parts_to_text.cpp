// Any octets as parts of a message: the decoder gives valid UTF-8 and reads nothing past them.
// The first octet chooses the alphabet; each part is led by its length, whose high bit says that
// it begins with a user-data header.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

#include "encoding/decoder.h"
#include "encoding/utf8.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stentor::encoding;
  if (size == 0) return 0;
  Decoder decoder(static_cast<Alphabet>(data[0] % 5));
  std::span<const std::uint8_t> left(data + 1, size - 1);
  while (!left.empty()) {
    const bool has_header = (left[0] & 0x80) != 0;
    const std::size_t octets = std::min<std::size_t>(left[0] & 0x7fu, left.size() - 1);
    // A copy of its own, so that the sanitizer sees what is read past it.
    const std::vector<std::uint8_t> part(left.begin() + 1,
                                         left.begin() + 1 + static_cast<std::ptrdiff_t>(octets));
    decoder.add(part, has_header);
    left = left.subspan(1 + octets);
  }
  const std::string text = decoder.take();
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint next = checked_code_point(text, at);
    if (next.octets == 0) std::abort();
    at += next.octets;
  }
  return 0;
}
