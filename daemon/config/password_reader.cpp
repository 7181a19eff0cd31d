#include "daemon/config/password_reader.h"

#include <fmt/format.h>
#include <string.h>  // explicit_bzero is not in <cstring>

#include <filesystem>

#include "daemon/config/file_text.h"

namespace stentor::daemon::config_file {
namespace {

constexpr std::size_t kPasswordOctets = 8;  // SMPP 3.4 section 5.2.2, less its final NUL
// A password and a final line end; more than this is not the file that was meant.
constexpr std::size_t kPasswordFileOctets = 4096;

// Takes the secret out of a file's text; the copy is wiped, since it may linger on the heap.
std::string without_line_end(std::string& text) {
  std::string_view secret = text;
  if (secret.ends_with('\n')) secret.remove_suffix(1);
  if (secret.ends_with('\r')) secret.remove_suffix(1);
  std::string kept(secret);
  ::explicit_bzero(text.data(), text.size());
  return kept;
}

void check_password(Section& section, std::string_view key, std::string& password,
                    std::string_view where) {
  if (password.size() > kPasswordOctets) {
    section.mistake(key, fmt::format("the password{} is {} octets long; SMPP allows {}", where,
                                     password.size(), kPasswordOctets));
    password.clear();
  } else if (password.contains('\0')) {
    section.mistake(key, fmt::format("the password{} contains a NUL", where));
    password.clear();
  }
}

void read_password_file(Section& section, const std::string& path, std::string& password) {
  if (path.empty()) return section.mistake("password_file", "must name a file");
  auto file = read_file_text(path, kPasswordFileOctets);
  if (!file) {
    return section.mistake("password_file",
                           fmt::format("cannot read {}: {}", path, file.error().message()));
  }
  if (file->open_to_others) {
    return section.mistake(
        "password_file",
        fmt::format("{0} is readable by others (mode {1:04o}); chmod 600 {0}", path, file->mode));
  }
  password = without_line_end(file->text);
  check_password(section, "password_file", password, " in it");
}

// No look at the mode here: systemd keeps the directory to the service, and where it does so by
// an access list, the group bits show the list's mask. False: a mistake was said.
bool read_credential(Section& section, const std::filesystem::path& path, std::string& password) {
  auto file = read_file_text(path, kPasswordFileOctets);
  if (!file) {
    section.mistake("", fmt::format("cannot read the credential {}: {}", path.string(),
                                    file.error().message()));
    return false;
  }
  password = without_line_end(file->text);
  const std::size_t octets = password.size();
  check_password(section, "", password, " in the credential");
  return password.size() == octets;  // a refused one is cleared
}

}  // namespace

PasswordFound read_password(Section& section, const SecretSources& secrets,
                            const std::string& credential, std::string& password) {
  // Longer than SMPP allows, so that check_password says what the limit is and whose.
  section.text("password", password, kPasswordFileOctets);
  std::string path;
  section.text("password_file", path, kPasswordFileOctets);
  const bool stated = section.find("password") != nullptr;
  const bool in_file = section.find("password_file") != nullptr;

  std::filesystem::path held;
  if (!secrets.credentials_dir.empty() && !credential.empty()) {
    held = secrets.credentials_dir / credential;
    std::error_code ignored;  // cannot look: as good as not there, and said so below
    if (!std::filesystem::exists(held, ignored)) held.clear();
  }

  const std::string_view key = stated ? "password" : "password_file";
  if (stated && in_file) {
    section.mistake("password_file", "password is given too; keep one of the two");
    return PasswordFound::refused;
  }
  if ((stated || in_file) && !held.empty()) {
    section.mistake(key,
                    fmt::format("the credential {} gives the password too; keep one", credential));
    return PasswordFound::refused;
  }
  if (stated) {
    if (secrets.config_open_to_others) {
      section.mistake("password",
                      fmt::format("this file holds a password and is readable by others "
                                  "(mode {:04o}); chmod 600 {}",
                                  secrets.config_mode, secrets.config_file.string()));
    }
    check_password(section, "password", password, "");
  } else if (in_file) {
    read_password_file(section, path, password);
  } else if (held.empty()) {
    return PasswordFound::none;
  } else {
    return read_credential(section, held, password) ? PasswordFound::taken : PasswordFound::refused;
  }
  return section.has_mistake(key) ? PasswordFound::refused : PasswordFound::taken;
}

}  // namespace stentor::daemon::config_file
