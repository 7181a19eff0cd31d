// Any octets as a line of the local socket.
//
// Beside not reading outside: what is said of a line does not depend on the lines before it, a
// refusal has one of the protocol's words, and what a send holds has the size that its record can.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>

#include "daemon/ingress/request_parser.h"

namespace {

using namespace stentor::daemon;

void require(bool holds) {
  if (!holds) std::abort();
}

// Allocated to the octet, so that reading behind the padding is seen.
class Line {
 public:
  Line(const std::uint8_t* data, std::size_t size)
      : octets_(std::make_unique<char[]>(size + kLinePaddingOctets)), size_(size) {
    if (size > 0) std::memcpy(octets_.get(), data, size);
  }
  [[nodiscard]] std::string_view text() const { return {octets_.get(), size_}; }

 private:
  std::unique_ptr<char[]> octets_;
  std::size_t size_;
};

bool is_same(const std::expected<Request, Refusal>& one,
             const std::expected<Request, Refusal>& other) {
  if (one.has_value() != other.has_value()) return false;
  if (one.has_value()) return one->index() == other->index();
  return one.error().code == other.error().code && one.error().detail == other.error().detail &&
         one.error().ref == other.error().ref;
}

bool is_word(std::string_view code) {
  return !code.empty() &&
         code.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string_view::npos;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // What a connection hands over: no newline, 64 KiB at most.
  if (size > 65536 || (size > 0 && std::memchr(data, '\n', size) != nullptr)) return 0;
  const Line line(data, size);
  static RequestParser used;  // by all lines before
  RequestParser fresh;
  const auto first = fresh.parse(line.text());
  require(is_same(used.parse(line.text()), first));
  if (!first) {
    require(is_word(first.error().code) && !first.error().detail.empty());
    return 0;
  }
  if (const auto* send = std::get_if<SendRequest>(&*first)) {
    require(!send->to.empty() && send->text.size() <= size && send->ref.size() <= size);
    for (const std::string_view number : send->to) require(number.size() <= size);
  }
  return 0;
}
