#include "daemon/control/doubts_shown.h"

#include "daemon/ingress/json.h"
#include "daemon/ingress/timestamp.h"

namespace stentor::daemon {
std::string doubts_shown(std::string_view carrier, const DoubtReport& report) {
  std::string out = R"({"status":"ok")";
  append_member("name", carrier, out);
  append_member("in_doubt", report.held, out);
  open_list("doubts", out);
  for (const DoubtShown& doubt : report.longest) {
    open_object(out);
    append_member("id", doubt.id, out);
    if (!doubt.ref.empty()) append_member("ref", doubt.ref, out);
    append_member("client", doubt.client, out);
    if (!doubt.campaign.empty()) append_member("campaign", doubt.campaign, out);
    append_member("to", doubt.to, out);
    append_time("since", doubt.since_ms, out);
    if (doubt.until_ms != 0) append_time("until", doubt.until_ms, out);
    append_member("then", word_of(doubt.then), out);
    append_member("parts", doubt.parts, out);
    open_list("in_doubt", out);
    for (const std::uint8_t part : doubt.in_doubt) {
      if (out.back() != '[') out.push_back(',');
      out.append(std::to_string(part));
    }
    out.append("]}");
  }
  out.push_back(']');
  if (report.held > report.longest.size()) out.append(",\"more\":true");
  out.push_back('}');
  return out;
}

}  // namespace stentor::daemon
