#include "daemon/records/subject_extras.h"

namespace stentor::daemon {
namespace {

constexpr int kTextsOfASubject = 7;  // client, ref, campaign, to, from, carrier, meta

}  // namespace

void append_callback(std::string_view url, FieldWriter& subject) {
  if (!url.empty()) subject.text(url);
}

std::string_view callback_of(std::span<const std::uint8_t> subject) {
  FieldReader in(subject);
  (void)in.u64();  // id
  (void)in.u64();
  (void)in.u8();  // parts
  for (int i = 0; i < kTextsOfASubject; ++i) (void)in.block();
  if (!in.is_good() || in.is_at_end()) return {};
  const std::string_view url = in.text();
  return in.is_good() ? url : std::string_view{};
}

}  // namespace stentor::daemon
