#include "daemon/failpoints/failpoint.h"

#include <fmt/format.h>
#include <signal.h>  // kill() is POSIX's
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace stentor::daemon {
namespace {

using enum Failpoint;

constexpr std::array kSteps = std::to_array<std::pair<Failpoint, std::string_view>>({
    {start_recovered, "start.recovered"},
    {commit_durable, "commit.durable"},
    {commit_told, "commit.told"},
    {answer_before_write, "answer.before_write"},
    {answer_after_write, "answer.after_write"},
    {intent_before, "intent.before"},
    {intent_durable, "intent.durable"},
    {submit_before_write, "submit.before_write"},
    {submit_after_write, "submit.after_write"},
    {response_read, "response.read"},
    {response_recorded, "response.recorded"},
    {receipt_read, "receipt.read"},
    {receipt_recorded, "receipt.recorded"},
    {receipt_before_answer, "receipt.before_answer"},
    {receipt_after_answer, "receipt.after_answer"},
    {event_before_write, "event.before_write"},
    {event_after_write, "event.after_write"},
    {doubt_noted, "doubt.noted"},
    {resolve_before, "resolve.before"},
    {resolve_recorded, "resolve.recorded"},
    {cancel_before, "cancel.before"},
    {cancel_durable, "cancel.durable"},
    {pause_before, "pause.before"},
    {pause_durable, "pause.durable"},
    {resume_before, "resume.before"},
    {resume_durable, "resume.durable"},
    {campaign_cancel_before, "campaign_cancel.before"},
    {campaign_cancel_durable, "campaign_cancel.durable"},
    {campaign_cancel_some, "campaign_cancel.some"},
    {carrier_cancel_before, "carrier_cancel.before"},
    {carrier_cancel_durable, "carrier_cancel.durable"},
    {carrier_cancel_some, "carrier_cancel.some"},
    {message_pause_before, "message_pause.before"},
    {message_pause_durable, "message_pause.durable"},
    {message_resume_before, "message_resume.before"},
    {message_resume_durable, "message_resume.durable"},
    {carrying_before, "carrying.before"},
    {carrying_recorded, "carrying.recorded"},
    {retirement_before, "retirement.before"},
    {retirement_asked, "retirement.asked"},
    {opt_out_trail, "opt_out.trail"},
    {opt_out_before_rename, "opt_out.before_rename"},
    {opt_out_after_rename, "opt_out.after_rename"},
    {stop_drained, "stop.drained"},
    {stop_last_commit, "stop.last_commit"},
});

struct FileSteps {
  std::string_view kind;
  std::vector<std::string_view> steps;
};

// What is done to a new file until it counts.
std::vector<std::string_view> making_and(std::initializer_list<std::string_view> more = {}) {
  std::vector<std::string_view> steps{"create.after",  "write.after",  "sync.after",
                                      "rename.before", "rename.after", "sync_directory.after"};
  steps.insert(steps.end(), more);
  return steps;
}

std::vector<FileSteps> file_steps() {
  return {
      {"journal", making_and({"commit.before", "commit.half", "commit.unsynced", "commit.after",
                              "truncate.after", "remove.before", "remove.after"})},
      {"recovery", making_and()},
      {"checkpoint", making_and({"remove.before", "remove.after"})},
      {"carried", making_and({"remove.before", "remove.after"})},
      {"references",
       {"create.after", "write.after", "sync.after", "rename.before", "rename.after"}},
      {"history", {"create.after", "write.after", "rename.before", "rename.after", "remove.after"}},
      {"names",
       {"create.after", "write.after", "sync.after", "rename.before", "rename.after",
        "remove.after"}},
      {"quarantine", making_and()},
      {"spill", {"create.after", "write.after", "truncate.after", "remove.before", "remove.after"}},
  };
}

// Set once, before there are threads.
std::string armed_name;
std::string armed_kind;
std::string armed_step;
std::atomic<std::uint32_t> left{1};

}  // namespace

void failpoint_detail::pass() {
  // Relaxed: a count, and whoever takes the last one ends everything.
  if (left.fetch_sub(1, std::memory_order_relaxed) != 1) return;
  const std::string line = fmt::format("failpoint {} reached\n", armed_name);
  [[maybe_unused]] const auto told = ::write(STDERR_FILENO, line.data(), line.size());
  ::kill(::getpid(), SIGKILL);
  while (true) ::pause();  // the signal is on its way; nothing more is done here
}

void pass_file_failpoint(std::string_view kind, std::string_view step) {
  if (kind == armed_kind && step == armed_step) failpoint_detail::pass();
}

bool is_file_failpoint_armed() noexcept {
  return !armed_step.empty();
}

std::vector<std::string> failpoint_names() {
  std::vector<std::string> names;
  names.reserve(2 * kSteps.size());
  for (const auto& [step, name] : kSteps) names.emplace_back(name);
  for (const FileSteps& file : file_steps()) {
    for (const std::string_view step : file.steps) {
      names.push_back(fmt::format("{}.{}", file.kind, step));
    }
  }
  return names;
}

std::expected<void, std::string> arm_failpoint(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  std::uint32_t count = 1;
  if (colon != std::string_view::npos) {
    const std::string_view digits = text.substr(colon + 1);
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), count);
    if (read.ec != std::errc{} || read.ptr != digits.data() + digits.size() || count == 0) {
      return std::unexpected(fmt::format("'{}' is no count from 1 on", digits));
    }
  }
  const auto names = failpoint_names();
  if (std::ranges::find(names, name) == names.end()) {
    return std::unexpected(
        fmt::format("no failpoint '{}'; there are: {}", name, fmt::join(names, " ")));
  }
  armed_name = name;
  left.store(count, std::memory_order_relaxed);  // there is no other thread yet
  const auto step = std::ranges::find(kSteps, name, [](const auto& pair) { return pair.second; });
  if (step != kSteps.end()) {
    failpoint_detail::armed.store(step->first, std::memory_order_relaxed);  // likewise
    return {};
  }
  const std::size_t dot = name.find('.');
  armed_kind = name.substr(0, dot);
  armed_step = name.substr(dot + 1);
  return {};
}

}  // namespace stentor::daemon
