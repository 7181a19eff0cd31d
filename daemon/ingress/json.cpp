#include "daemon/ingress/json.h"

#include <array>

namespace stentor::daemon {
namespace {

constexpr std::array<bool, 256> make_plain() {
  std::array<bool, 256> plain{};
  for (std::size_t i = 0x20; i < 256; ++i) plain[i] = i != '"' && i != '\\' && i != 0x7f;
  return plain;
}
constexpr auto kPlain = make_plain();

void append_escaped(char c, std::string& out) {
  constexpr std::string_view kHex = "0123456789abcdef";
  switch (c) {
    case '"': out.append("\\\""); return;
    case '\\': out.append("\\\\"); return;
    case '\n': out.append("\\n"); return;
    case '\r': out.append("\\r"); return;
    case '\t': out.append("\\t"); return;
    default: break;
  }
  const auto octet = static_cast<unsigned char>(c);
  out.append("\\u00");
  out.push_back(kHex[octet >> 4]);
  out.push_back(kHex[octet & 15]);
}

}  // namespace

void append_json_string(std::string_view text, std::string& out) {
  std::size_t plain = 0;
  while (plain < text.size() && kPlain[static_cast<unsigned char>(text[plain])]) ++plain;
  if (plain == text.size()) {  // nearly always
    char* at = extend(out, text.size() + 2);
    *at++ = '"';
    std::memcpy(at, text.data(), text.size());
    at[text.size()] = '"';
    return;
  }
  out.push_back('"');
  std::size_t from = 0;
  for (std::size_t i = plain; i < text.size(); ++i) {
    if (kPlain[static_cast<unsigned char>(text[i])]) continue;
    out.append(text, from, i - from);
    append_escaped(text[i], out);
    from = i + 1;
  }
  out.append(text, from);
  out.push_back('"');
}

void append_json_untrusted(std::string_view octets, std::size_t octets_max, std::string& out) {
  octets = octets.substr(0, octets_max);
  const std::size_t before = out.size();
  char* const begin = extend(out, 2 * octets.size() + 2);  // each may need a backslash
  char* at = begin;
  *at++ = '"';
  for (const char c : octets) {
    const auto octet = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') *at++ = '\\';
    *at++ = octet < 0x20 || octet >= 0x7f ? '?' : c;
  }
  *at++ = '"';
  out.resize(before + static_cast<std::size_t>(at - begin));
}

}  // namespace stentor::daemon
