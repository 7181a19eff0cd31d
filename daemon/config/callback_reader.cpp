#include "daemon/config/callback_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "daemon/config/file_text.h"
#include "daemon/config/network_text.h"
#include "daemon/config/url_check.h"

namespace stentor::daemon::config_file {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kUrlOctetsMax = 2048;
constexpr std::size_t kSecretOctetsMax = 1024;
constexpr std::size_t kHeaderOctetsMax = 4096;

void check_url(Section& section, std::string_view key, const std::string& url) {
  if (const auto wrong = check_url_template(url)) section.mistake(key, *wrong);
}

// The entries of a table of texts, as they stand.
template <class Take>
void read_texts_of(Section& section, std::string_view key, Take&& take) {
  const Value* value = section.find(key);
  if (value == nullptr) return;
  const auto* table = std::get_if<Table>(&value->is);
  if (table == nullptr) return section.mistake(key, "must be a table of texts");
  for (const Entry& entry : *table) {
    const auto* text = std::get_if<std::string>(&entry.value.is);
    const std::string below = fmt::format("{}.{}", key, entry.key);
    if (text == nullptr) {
      section.mistake_at(entry.line, below, "must be a text");
    } else if (const auto wrong = take(entry.key, *text)) {
      section.mistake_at(entry.line, below, *wrong);
    }
  }
}

std::optional<std::string> check_header(std::string_view name, std::string_view value) {
  const auto is_bad = [](char c) { return (c >= 0 && c < ' ') || c == 0x7f; };
  if (name.empty() || name.find_first_of(" :\r\n") != std::string_view::npos) {
    return "is not the name of a header";
  }
  if (value.size() > kHeaderOctetsMax || std::ranges::any_of(value, is_bad)) {
    return "must be one line of at most 4096 octets";
  }
  return std::nullopt;
}

void read_secret(Section& section, const SecretSources& secrets, std::string& into) {
  section.text("secret", into, kSecretOctetsMax);
  std::string path;
  section.text("secret_file", path, kSecretOctetsMax);
  if (!into.empty() && !path.empty()) {
    return section.mistake("secret_file", "secret is given too; keep one of the two");
  }
  if (!into.empty() && secrets.config_open_to_others) {
    section.mistake("secret", fmt::format("this file holds a secret and is readable by others "
                                          "(mode {:04o}); chmod 600 {}",
                                          secrets.config_mode, secrets.config_file.string()));
  }
  if (path.empty()) return;
  const auto file = read_file_text(path, kSecretOctetsMax);
  if (!file) {
    return section.mistake("secret_file",
                           fmt::format("cannot read {}: {}", path, file.error().message()));
  }
  if (file->open_to_others) {
    return section.mistake(
        "secret_file",
        fmt::format("{0} is readable by others (mode {1:04o}); chmod 600 {0}", path, file->mode));
  }
  into = file->text;
  while (into.ends_with('\n') || into.ends_with('\r')) into.pop_back();
}

}  // namespace

void read_callbacks(Section& section, CallbacksConfig& into) {
  section.texts("allow", into.allow_text);
  for (const std::string& text : into.allow_text) {
    if (const auto network = parse_network(text)) {
      into.allow.push_back(*network);
    } else {
      section.mistake("allow", fmt::format("\"{}\" is no address and no range such as "
                                           "\"10.0.0.0/8\"",
                                           text));
    }
  }
  // More at once is an attack on the host, not a service to it.
  section.number("in_flight", into.in_flight, 1, 256);
  section.text("ca", into.ca, 4095);
  section.finish();
}

CallbackConfig read_callback(Section& section, const SecretSources& secrets) {
  CallbackConfig callback;
  section.text("url", callback.url, kUrlOctetsMax);
  if (section.find("url") != nullptr) check_url(section, "url", callback.url);
  read_texts_of(section, "campaigns", [&](const std::string& campaign, const std::string& url) {
    callback.campaigns.emplace(campaign, url);
    return check_url_template(url);
  });
  if (callback.url.empty() && callback.campaigns.empty()) {
    section.mistake("", "names no url and no campaigns");
  }
  read_texts_of(section, "headers", [&](const std::string& name, const std::string& value) {
    callback.headers.emplace_back(name, value);
    return check_header(name, value);
  });
  read_secret(section, secrets, callback.secret);
  section.texts("types", callback.types);
  for (const std::string& type : callback.types) {
    if (std::ranges::find(kEventTypeNames, type) == kEventTypeNames.end()) {
      section.mistake("types", fmt::format("\"{}\" is not a type of event", type));
    }
  }
  section.duration("timeout", callback.timeout, 100ms, 5min);
  section.number("batch", callback.batch, 1, 1000);
  section.duration("give_up_after", callback.give_up_after, 1s, 24h * 31);
  section.finish();
  return callback;
}

}  // namespace stentor::daemon::config_file
