#include "daemon/control/message_cancel.h"

#include <fmt/format.h>

#include <utility>

#include "daemon/failpoints/failpoint.h"
#include "daemon/ingress/admission.h"
#include "daemon/ingress/json.h"

namespace stentor::daemon {
namespace {

std::string told(const MessageStanding& found, State state, const CancelReport* report = nullptr) {
  const auto text = found.id.text();
  std::string out = "{";
  append_member("status", "ok", out);
  append_member("id", {text.data(), text.size()}, out);
  append_member("state", name_of(state), out);
  if (found.possible_duplicate) out.append(",\"possible_duplicate\":true");
  if (report != nullptr) {
    append_key("at_carrier", out);
    out.append(fmt::format(R"({{"asked":{},"cancelled":{},"refused":{},"unanswered":{}}})",
                           report->asked, report->cancelled, report->refused, report->unanswered));
  }
  out.push_back('}');
  return out;
}

std::string has_gone(const MessageStanding& found) {
  return rejection("conflict", fmt::format("cancel: it is {}", name_of(found.state)));
}

std::string unreadable() {
  return rejection("unavailable", "cancel: its record in the journal cannot be read now");
}

// Why nothing of it was called back.
std::string not_called_back(const MessageStanding& found, const CancelReport& report) {
  using Outcome = CancelReport::Outcome;
  const std::string& carrier = found.carrier;
  switch (report.outcome) {
    case Outcome::not_known:
      return rejection("not_supported",
                       fmt::format("at_carrier: {} is not asked by cancel_sm", carrier));
    case Outcome::no_bind:
      return rejection("unavailable", fmt::format("at_carrier: no bind to {} now", carrier));
    case Outcome::too_many:
      return rejection("busy", fmt::format("at_carrier: {} has too many to answer", carrier));
    case Outcome::no_carrier:
      return rejection("unknown_carrier",
                       fmt::format("at_carrier: {} is no longer configured", carrier));
    case Outcome::asked: break;
  }
  if (report.last_refusal != 0) {
    return rejection("conflict", fmt::format("cancel: it is {}, and {} answered {:#010x}",
                                             name_of(found.state), carrier, report.last_refusal));
  }
  return rejection("conflict", fmt::format("cancel: it is {}, and {} did not answer",
                                           name_of(found.state), carrier));
}

}  // namespace

void MessageCancel::cancel(CancelQuestion question, const Peer& peer, Reply reply) {
  history_.find(std::move(question.id), question.place,
                [this, asked = Asked{peer, question.at_carrier, std::move(reply)}](
                    const std::optional<MessageStanding>& found) {
                  if (!found || !may_see(*found, asked.peer)) {
                    return asked.reply(rejection("not_found", "cancel: no such message"));
                  }
                  if (found->client != asked.peer.client && !asked.peer.is_admin) {
                    return asked.reply(rejection("not_permitted", "cancel: another client's"));
                  }
                  if (found->state == State::none) return bury(*found, asked);
                  call_back(*found, asked);
                });
}

void MessageCancel::bury(const MessageStanding& found, Asked asked) {
  failpoint(Failpoint::cancel_before);
  if (!buried_.bury(found.at)) {
    return asked.reply(rejection("busy", "cancel: too many at once; cancel their campaign"));
  }
  shards_.call_back(found.at, found.id.sequence(), asked.peer.client,
                    [this, found, asked = std::move(asked)](CalledBack came) {
                      switch (came) {
                        case CalledBack::ended:  // by the shard that had it in hand
                          buried_.unbury(found.at);
                          return end_here(found, asked);
                        case CalledBack::under_way:
                          buried_.unbury(found.at);
                          return asked.reply(rejection("conflict", "cancel: it is being sent"));
                        case CalledBack::unreadable:
                          buried_.unbury(found.at);
                          return asked.reply(unreadable());
                        case CalledBack::not_here: return look_again(found, asked);
                      }
                    });
}

void MessageCancel::look_again(const MessageStanding& before, Asked asked) {
  const auto text = before.id.text();
  history_.find(
      std::string(text.data(), text.size()), before.at,
      [this, before, asked = std::move(asked)](const std::optional<MessageStanding>& found) {
        if (!found) {
          buried_.unbury(before.at);
          return asked.reply(rejection("not_found", "cancel: no such message"));
        }
        if (found->state != State::none) {
          buried_.unbury(before.at);
          return call_back(*found, asked);
        }
        shards_.end_buried(found->at, found->carrier, found->possible_duplicate, asked.peer.client,
                           [this, asked, found = *found](bool has_ended) {
                             if (has_ended) return end_here(found, asked);
                             buried_.unbury(found.at);
                             asked.reply(unreadable());
                           });
      });
}

// It ended before all of it had gone; the carrier may have some of its parts.
void MessageCancel::end_here(const MessageStanding& ended, const Asked& asked) {
  failpoint(Failpoint::cancel_durable);
  if (!asked.at_carrier || ended.at_carrier.empty()) {
    return asked.reply(told(ended, State::cancelled));
  }
  call_back(ended, asked);
}

void MessageCancel::call_back(const MessageStanding& found, const Asked& asked) {
  if (!asked.at_carrier || is_final(found.state)) return asked.reply(has_gone(found));
  if (found.at_carrier.empty()) {
    return asked.reply(
        rejection("conflict", fmt::format("cancel: it is {}, and {} gave no id to cancel it by",
                                          name_of(found.state), found.carrier)));
  }
  CancelOrder order{.at = found.at, .client = asked.peer.client, .segments = {}};
  for (const Telling::AtCarrier& part : found.at_carrier) {
    order.segments.push_back({part.part, part.message_id});
  }
  shards_.cancel_at_carrier(
      found.carrier, std::move(order),
      [this, found, asked](const CancelReport& report) { tell(found, report, asked); });
}

// A part that was refused, or reported on meanwhile, keeps the message as it was: so it is asked.
void MessageCancel::tell(const MessageStanding& before, const CancelReport& report,
                         const Asked& asked) {
  const bool ended_here = before.state == State::none;
  if (report.cancelled == 0 && !ended_here) return asked.reply(not_called_back(before, report));
  const auto text = before.id.text();
  history_.find(std::string(text.data(), text.size()), before.at,
                [before, report, reply = asked.reply](const std::optional<MessageStanding>& now) {
                  reply(told(before, now ? now->state : before.state, &report));
                });
}

}  // namespace stentor::daemon
