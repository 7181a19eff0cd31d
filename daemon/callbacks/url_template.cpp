#include "daemon/callbacks/url_template.h"

namespace stentor::daemon {
namespace {

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

void append_encoded(std::string_view text, std::string& out) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  for (const char c : text) {
    if (is_unreserved(c)) {
      out.push_back(c);
    } else {
      const auto octet = static_cast<unsigned char>(c);
      out.append({'%', kHex[octet >> 4], kHex[octet & 15]});
    }
  }
}

void append_place(std::string_view place, const Subject& subject, std::string_view type,
                  std::string& out) {
  const auto id = subject.id.text();
  if (place == "client") append_encoded(subject.client, out);
  if (place == "campaign") append_encoded(subject.campaign, out);
  if (place == "type") append_encoded(type, out);
  if (place == "id") append_encoded({id.data(), id.size()}, out);
  if (place == "ref") append_encoded(subject.ref, out);
  if (place == "to") append_encoded(subject.to, out);
  if (place == "from") append_encoded(subject.from, out);
}

}  // namespace

std::string expand_url(std::string_view url, const Subject& subject, std::string_view type) {
  std::string out;
  while (!url.empty()) {
    const auto open = url.find('{');
    out.append(url.substr(0, open));
    if (open == std::string_view::npos) break;
    const auto close = url.find('}', open);
    append_place(url.substr(open + 1, close - open - 1), subject, type, out);
    url.remove_prefix(close + 1);
  }
  return out;
}

}  // namespace stentor::daemon
