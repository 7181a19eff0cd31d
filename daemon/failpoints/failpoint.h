// Places where the daemon can be told to die, so that a test can prove what comes after.
//
// One place is armed for the life of the process, by STENTOR_FAILPOINT=name or name:count in its
// environment, read once before any thread is there; at the count-th passing the process says so in
// one line and kills itself with SIGKILL. Nothing else arms a place: no request, no configuration,
// no peer. Who may set the environment of the process may kill it anyway. An armed process says so
// when it starts, and an unknown name keeps it from starting.
//
// Where nothing is armed a place costs one relaxed load of an octet that nobody writes, and files
// are not looked at on their way at all (failpoint_files.h). So tests run what is shipped.
//
// Threads  arm_failpoint() before there are others; the rest on any.
// Errors   Of the name, in words; nothing comes back from a place that was reached.
#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace stentor::daemon {

/// Steps of the daemon. Those of its files are named by failpoint_files.h.
enum class Failpoint : std::uint8_t {
  none,
  start_recovered,        ///< the journal is read, nobody is served yet
  commit_durable,         ///< a block is on disk, nobody knows yet
  commit_told,            ///< its producers are woken
  answer_before_write,    ///< of a client's requests
  answer_after_write,     ///< the kernel has it
  intent_before,          ///< messages are reserved, their intent is not recorded
  intent_durable,         ///< it is on disk, nothing is written to the carrier
  submit_before_write,    ///< to the carrier's socket
  submit_after_write,     ///< the kernel has it
  response_read,          ///< the carrier's answer is read, nothing is recorded
  response_recorded,      ///< on its way to the disk
  receipt_read,           ///< a deliver_sm is read, nothing is recorded
  receipt_recorded,       ///< on its way to the disk
  receipt_before_answer,  ///< on disk, deliver_sm_resp is not composed
  receipt_after_answer,   ///< the kernel has deliver_sm_resp
  event_before_write,     ///< to a consumer's socket
  event_after_write,      ///< the kernel has it
  doubt_noted,            ///< recovery notes a message in doubt
  resolve_before,         ///< an operator's word on a doubt has come
  resolve_recorded,       ///< on its way to the disk
  cancel_before,          ///< of a message: the request has come
  cancel_durable,         ///< it has ended, on disk; nobody is told
  pause_before,           ///< of a campaign: the order has come
  pause_durable,          ///< it is on disk, no carrier knows it
  resume_before,          ///< likewise
  resume_durable,
  campaign_cancel_before,  ///< likewise
  campaign_cancel_durable,
  campaign_cancel_some,    ///< some of its messages have their verdict, others not
  carrier_cancel_before,   ///< of all that waits: the order has come
  carrier_cancel_durable,  ///< it is on disk and not obeyed
  carrier_cancel_some,     ///< some of what waited has its verdict, the rest not
  message_pause_before,    ///< it waits, and the order is not recorded
  message_pause_durable,   ///< it is on disk; nobody is told
  message_resume_before,   ///< likewise
  message_resume_durable,
  carrying_before,        ///< an excerpt of live messages stands, the journal does not name it
  carrying_recorded,      ///< the journal names it
  retirement_before,      ///< old files may go
  retirement_asked,       ///< their removal is asked for
  opt_out_trail,          ///< the audit trail is appended to
  opt_out_before_rename,  ///< the new list is synced beside the old one
  opt_out_after_rename,   ///< it is in its place
  stop_drained,           ///< all is quiet, the journal still open
  stop_last_commit,       ///< before the last watermark
};

namespace failpoint_detail {
/// The armed one; written before there are threads.
inline std::atomic<Failpoint> armed{Failpoint::none};
void pass();
}  // namespace failpoint_detail

/// Here is `place`.
inline void failpoint(Failpoint place) {
  // Relaxed: a constant since before the threads were made.
  if (failpoint_detail::armed.load(std::memory_order_relaxed) == place) [[unlikely]] {
    failpoint_detail::pass();
  }
}

/// Arms what `text` says, "name" or "name:count". Fails in words that list all names.
[[nodiscard]] std::expected<void, std::string> arm_failpoint(std::string_view text);

/// Of a step of a file, such as "journal" and "rename.before": whether it is the armed one. Then it
/// has been passed.
void pass_file_failpoint(std::string_view kind, std::string_view step);
/// Whether a step of a file is armed, so that files must be looked at.
[[nodiscard]] bool is_file_failpoint_armed() noexcept;

/// Every name there is.
[[nodiscard]] std::vector<std::string> failpoint_names();

}  // namespace stentor::daemon
