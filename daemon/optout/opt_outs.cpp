#include "daemon/optout/opt_outs.h"

#include <fmt/format.h>

#include <algorithm>

#include "daemon/ingress/json.h"
#include "daemon/ingress/timestamp.h"
#include "daemon/newer_file.h"
#include "daemon/optout/opt_out_file.h"

namespace stentor::daemon {

OptOutChange OptOutNotice::change() const {
  OptOutChange change;
  change.time_ms = time_ms;
  change.is_out = is_out;
  change.by = OptOutBy::reply;
  change.inbound = inbound;
  change.client = client;
  change.carrier = carrier;
  change.sender = sender;
  change.word = word;
  change.numbers = {number};
  return change;
}

OptOuts::OptOuts(const Config& config, CommitThread& commit)
    : config_(config),
      commit_(commit),
      pin_(commit.add_pin()),
      folder_(config.state_dir / "opt_out") {}

std::expected<void, std::string> OptOuts::load(queue::FileSystem& files) {
  std::error_code uncreated;
  std::filesystem::create_directories(folder_, uncreated);  // 0700 by our umask
  if (uncreated) {
    return std::unexpected(fmt::format("{}: {}", folder_.string(), uncreated.message()));
  }
  const auto read = read_opt_out_file(path(), [this](const OptedOut& entry) {
    list_.add(entry);
    note_ever_out(entry.number);
  });
  if (!read && read.error() == queue::JournalError::newer_version) {
    return std::unexpected(fmt::format(
        "{}/{}", folder_.string(), to_string(look_at_newer(files, path(), kOptOutFileVersion))));
  }
  if (!read) {
    return std::unexpected(fmt::format("{}: {}", path().string(), read.error().message()));
  }
  loaded_at_ = *read;
  return {};
}

void OptOuts::restore(const OptOutChange& change, queue::Locator at) {
  (void)change_list(change);
  if (at >= loaded_at_) note(change, at.file());
}

bool OptOuts::forbids(const Asked& asked) const {
  if (!list_.is_out(asked.to, asked.from)) return false;
  const OptOutConfig& rules = config_.opt_out;
  if (asked.is_urgent && rules.urgent_is_exempt) return false;
  const auto holds = [](const std::vector<std::string>& names, std::string_view name) {
    return !name.empty() && std::ranges::find(names, name) != names.end();
  };
  return !holds(rules.exempt_campaigns, asked.campaign) &&
         !holds(rules.exempt_clients, asked.client);
}

bool OptOuts::forbids_still(const Asked& asked) const {
  if (ever_out_.is_empty()) return false;
  const auto hash = OptOutList::hash_of(asked.to);
  if (!hash || !ever_out_.may_have(*hash)) return false;
  const std::lock_guard lock(changing_);
  return forbids(asked);
}

// The list first: who finds the number in the filter asks there.
std::size_t OptOuts::change_list(const OptOutChange& change) {
  std::size_t changed = 0;
  {
    const std::lock_guard lock(changing_);
    changed = list_.apply(change);
  }
  if (!change.is_out) return changed;
  for (const std::string_view number : change.numbers) note_ever_out(number);
  return changed;
}

void OptOuts::note_ever_out(std::string_view number) {
  if (const auto hash = OptOutList::hash_of(number)) ever_out_.add(*hash);
}

std::size_t OptOuts::apply(const OptOutChange& change) {
  const std::size_t changed = change_list(change);
  // Its record comes to lie here or behind.
  note(change, commit_.durable_end().file());
  return changed;
}

bool OptOuts::owns(std::string_view number, std::string_view sender,
                   std::string_view client) const {
  return list_.client_of(number, sender) == client;
}

void OptOuts::note(const OptOutChange& change, std::uint32_t file) {
  if (pin_.held_from() > file) pin_.hold_from(file);
  has_changed_ = true;
  append_audit(change);
}

void OptOuts::append_audit(const OptOutChange& change) {
  std::string& out = audit_lines_;
  out.append("{\"time\":\"");
  append_rfc3339(change.time_ms, out);
  out.push_back('"');
  append_member("what", change.is_out ? "out" : "in", out);
  append_member("by", name_of(change.by), out);
  append_member("client", change.client, out);
  if (!change.sender.empty()) append_member("sender", change.sender, out);
  if (!change.word.empty()) append_member("word", change.word, out);
  if (!change.carrier.empty()) append_member("carrier", change.carrier, out);
  if (change.inbound != MessageId{}) {
    const auto id = change.inbound.text();
    append_member("inbound", {id.data(), id.size()}, out);
  }
  open_list("numbers", out);
  for (std::size_t i = 0; i < change.numbers.size(); ++i) {
    if (i > 0) out.push_back(',');
    append_json_string(change.numbers[i], out);
  }
  out.append("]}\n");
}

std::optional<OptOuts::Save> OptOuts::begin_save() {
  if (!has_changed_) return std::nullopt;
  has_changed_ = false;
  return Save{.begun_at = commit_.durable_end(), .audit_lines = std::exchange(audit_lines_, {})};
}

void OptOuts::end_save(queue::Locator begun_at) {
  pin_.hold_from(has_changed_ ? begun_at.file() : FilePin::kNothing);
}

void OptOuts::give_back(Save save) {
  has_changed_ = true;
  audit_lines_ = std::move(save.audit_lines) + audit_lines_;
}

}  // namespace stentor::daemon
