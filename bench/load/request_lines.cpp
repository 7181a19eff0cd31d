#include "bench/load/request_lines.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <stdexcept>

namespace stentor::load {
namespace {

constexpr std::size_t kNumberDigits = 11;
constexpr std::size_t kRefDigits = 10;
// One segment of plain text, of a length that is common for a notice.
constexpr std::string_view kPlainText =
    "Your order has been shipped and will reach you tomorrow between 10:00 and 14:00. Track it at "
    "https://shop.example/t/7F3K9Q";

void append_escaped(std::string& out, std::string_view text) {
  constexpr std::string_view kHexDigits = "0123456789abcdef";
  for (const char c : text) {
    const auto octet = static_cast<std::uint8_t>(c);
    if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (octet < 0x20) {
      out += "\\u00";
      out += {kHexDigits[octet >> 4], kHexDigits[octet & 0xf]};
    } else {
      out += c;
    }
  }
}

void append_member(std::string& out, std::string_view name, std::string_view value) {
  out += '"';
  out += name;
  out += "\":\"";
  append_escaped(out, value);
  out += '"';
}

// Adds one to the decimal digits that end at `end`: mostly one octet changes.
void count_up(char* end, std::size_t digits) {
  while (digits-- > 0 && ++*--end > '9') *end = '0';
}

}  // namespace

std::vector<std::string> read_texts(const std::string& file) {
  std::ifstream input(file);
  if (!input) throw std::runtime_error(file + ": cannot be read");
  std::vector<std::string> texts;
  for (std::string line; std::getline(input, line);) {
    if (line.ends_with('\r')) line.pop_back();
    if (!line.empty()) texts.push_back(line);
  }
  if (texts.empty()) throw std::runtime_error(file + ": holds no text");
  return texts;
}

RequestLines::RequestLines(const RequestSettings& settings) {
  to_digits_ = kNumberDigits - std::min(settings.to_prefix.size(), kNumberDigits - 1);
  head_ = R"({"to":")" + settings.to_prefix + std::string(to_digits_, '0');
  to_end_ = head_.size();
  head_ += R"(",)";
  if (settings.has_refs) {
    head_ += R"("ref":")" + settings.ref_prefix + "-" + std::string(kRefDigits, '0');
    ref_end_ = head_.size();
    head_ += R"(",)";
  }
  std::string shared;
  const std::array<std::pair<std::string_view, const std::string*>, 3> members{
      {{"from", &settings.from},
       {"campaign", &settings.campaign},
       {"priority", &settings.priority}}};
  for (const auto& [name, value] : members) {
    if (value->empty()) continue;
    append_member(shared, name, *value);
    shared += ',';
  }
  std::vector<std::string> texts = settings.texts;
  if (texts.empty()) texts.emplace_back(kPlainText);
  for (const std::string& text : texts) {
    std::string& tail = tails_.emplace_back(shared);
    append_member(tail, "text", text);
    tail += "}\n";
    longest_ = std::max(longest_, head_.size() + tail.size());
  }
}

void RequestLines::append(std::string& out, std::uint64_t count) {
  for (; count > 0; --count) {
    count_up(head_.data() + to_end_, to_digits_);
    if (ref_end_ != 0) count_up(head_.data() + ref_end_, kRefDigits);
    out += head_;
    out += tails_[next_tail_];
    if (++next_tail_ == tails_.size()) next_tail_ = 0;
  }
}

}  // namespace stentor::load
