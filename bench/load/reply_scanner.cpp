#include "bench/load/reply_scanner.h"

#include <cstring>

namespace stentor::load {
namespace {

constexpr std::string_view kStatus = R"("status":")";
constexpr std::string_view kAccepted = R"("status":"accepted")";
constexpr std::string_view kCode = R"("code":")";
constexpr std::size_t kCodesMax = 64;  // the protocol knows half as many

// glibc's memmem, which is vectorised, beats string_view::find several times over.
std::size_t find(std::string_view line, std::string_view wanted) {
  const void* const at = ::memmem(line.data(), line.size(), wanted.data(), wanted.size());
  return at == nullptr ? std::string_view::npos
                       : static_cast<std::size_t>(static_cast<const char*>(at) - line.data());
}

// The string value that begins at `at`.
std::string_view value_at(std::string_view line, std::size_t at) {
  const std::string_view rest = line.substr(at);
  return rest.substr(0, rest.find('"'));
}

}  // namespace

std::size_t ReplyScanner::on_octets(std::string_view octets) {
  std::size_t replies = 0;
  const char* const end = octets.data() + octets.size();
  const char* begin = octets.data();
  while (begin != end) {
    const auto* const newline =
        static_cast<const char*>(std::memchr(begin, '\n', static_cast<std::size_t>(end - begin)));
    if (newline == nullptr) break;
    const std::string_view line(begin, static_cast<std::size_t>(newline - begin));
    if (unfinished_.empty()) {
      on_line(line);
    } else {
      unfinished_ += line;
      on_line(unfinished_);
      unfinished_.clear();
    }
    ++replies;
    begin = newline + 1;
  }
  unfinished_.append(begin, end);
  return replies;
}

void ReplyScanner::on_line(std::string_view line) {
  if (status_at_ < line.size() && line.substr(status_at_).starts_with(kAccepted)) {
    ++accepted_;
    return;
  }
  const std::size_t at = find(line, kAccepted);
  if (at == std::string_view::npos) return on_other_line(line);
  status_at_ = at;
  ++accepted_;
}

void ReplyScanner::on_other_line(std::string_view line) {
  const std::size_t at = find(line, kStatus);
  const std::string_view status =
      at == std::string_view::npos ? "" : value_at(line, at + kStatus.size());
  if (status == "duplicate") {
    ++duplicates_;
    return;
  }
  std::string code = "unreadable";
  const std::size_t code_at = find(line, kCode);
  if (status == "rejected" && code_at != std::string_view::npos) {
    code = value_at(line, code_at + kCode.size());
  }
  if (rejected_.size() < kCodesMax || rejected_.contains(code)) ++rejected_[code];
}

}  // namespace stentor::load
