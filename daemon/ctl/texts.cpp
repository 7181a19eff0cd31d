#include "daemon/ctl/texts.h"

#include <fmt/format.h>

#include <cerrno>
#include <filesystem>
#include <istream>
#include <system_error>
#include <utility>

namespace stentor::ctl {

result<Texts> Texts::open(const TextSource& source, std::istream& standard_input) {
  Texts texts;
  if (source.text) {
    texts.single_ = source.text;
    return texts;
  }
  if (source.file.empty() || source.file == "-") {
    texts.in_ = &standard_input;
    texts.name_ = "standard input";
    return texts;
  }
  texts.name_ = source.file;
  std::error_code ignored;  // what cannot be looked at cannot be opened either, and that is said
  if (std::filesystem::is_directory(source.file, ignored)) {
    return failed(Exit::usage, fmt::format("cannot read {}: it is a directory", source.file));
  }
  texts.file_ = std::make_unique<std::ifstream>(source.file, std::ios::binary);
  if (!*texts.file_) {
    return failed(Exit::usage,
                  fmt::format("cannot read {}: {}", source.file,
                              std::error_code(errno, std::system_category()).message()));
  }
  texts.in_ = texts.file_.get();
  return texts;
}

result<std::optional<std::string>> Texts::next() {
  if (is_single()) {
    line_ = 1;
    return std::exchange(single_, std::nullopt);
  }
  std::string text;
  while (std::getline(*in_, text)) {
    ++line_;
    if (text.ends_with('\r')) text.pop_back();
    if (text.empty()) continue;
    if (text.size() > kTextOctetsMax) {
      return failed(Exit::usage, fmt::format("{}:{}: a text of {} octets; at most {}", name_, line_,
                                             text.size(), kTextOctetsMax));
    }
    return text;
  }
  if (in_->bad()) return failed(Exit::usage, fmt::format("cannot read on in {}", name_));
  return std::nullopt;
}

}  // namespace stentor::ctl
