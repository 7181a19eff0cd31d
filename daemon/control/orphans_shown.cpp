#include "daemon/control/orphans_shown.h"

#include "daemon/ingress/json.h"
#include "daemon/ingress/timestamp.h"
#include "protocol/message_id_learner.h"

namespace stentor::daemon {
namespace {

// What is longer is shown by its start. An id may be as long here as one that can be asked for.
constexpr std::size_t kWordOctetsMax = 80;
constexpr std::size_t kIdOctetsMax = 256;

void append_word(std::string_view key, std::string_view word, std::string& out,
                 std::size_t octets_max = kWordOctetsMax) {
  if (word.empty()) return;
  append_key(key, out);
  append_json_untrusted(word, octets_max, out);
}

}  // namespace

std::string orphans_shown(std::string_view carrier, const OrphanReport& report,
                          std::optional<Rematched> rematched) {
  std::string out = R"({"status":"ok")";
  append_member("name", carrier, out);
  if (rematched) {
    append_member("tried", rematched->tried, out);
    append_member("matched", rematched->matched, out);
    append_member("until", "restart", out);
  }
  append_member("kept", report.kept, out);
  append_member("unmatched", report.unmatched, out);
  if (report.unread > 0) append_member("unread", report.unread, out);
  append_member("message_id", protocol::name_of(report.rule), out);
  if (report.learnt) append_member("learnt", protocol::name_of(*report.learnt), out);
  if (report.suggested) append_member("suggested", protocol::name_of(*report.suggested), out);
  append_member("evidence", evidence_of(report), out);
  open_list("orphans", out);
  for (const KeptReceipt& orphan : report.newest) {
    open_object(out);
    append_word("carrier_id", orphan.message_id, out, kIdOctetsMax);
    if (orphan.came_ms != 0) {
      append_time("time", orphan.came_ms, out);
    }
    if (orphan.user_message_reference) {
      append_member("user_message_reference", *orphan.user_message_reference, out);
    }
    append_member("state", protocol::name_of(orphan.state), out);
    append_word("stat", orphan.stat, out);
    append_word("err", orphan.err, out);
    append_word("done_date", orphan.done_date, out);
    out.push_back('}');
  }
  out.append("]}");
  return out;
}

}  // namespace stentor::daemon
