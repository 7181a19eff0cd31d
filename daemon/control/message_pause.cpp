#include "daemon/control/message_pause.h"

#include <fmt/format.h>

#include <utility>

#include "daemon/failpoints/failpoint.h"
#include "daemon/ingress/admission.h"
#include "daemon/ingress/json.h"

namespace stentor::daemon {
namespace {

std::string_view op_of(bool pauses) {
  return pauses ? "pause" : "resume";
}

std::string standing_now(const MessageStanding& found, bool is_paused) {
  const auto text = found.id.text();
  std::string out = "{";
  append_member("status", "ok", out);
  append_member("id", {text.data(), text.size()}, out);
  append_key("paused", out);
  out.append(is_paused ? "true}" : "false}");
  return out;
}

std::string not_ordered(std::string_view code, bool pauses, std::string_view why) {
  return rejection(code, fmt::format("{}: {}", op_of(pauses), why));
}

std::string too_late_for(const MessageStanding& found, bool pauses) {
  return not_ordered("conflict", pauses, fmt::format("it is {}", name_of(found.state)));
}

}  // namespace

void MessagePause::order(PauseQuestion question, const Peer& peer, Reply reply) {
  history_.find(
      std::move(question.id), question.place,
      [this, asked = Asked{peer, question.pauses, std::move(reply)}](
          const std::optional<MessageStanding>& found) {
        if (!found || !may_see(*found, asked.peer)) {
          return asked.reply(not_ordered("not_found", asked.pauses, "no such message"));
        }
        if (found->client != asked.peer.client && !asked.peer.is_admin) {
          return asked.reply(not_ordered("not_permitted", asked.pauses, "another client's"));
        }
        on_found(*found, asked);
      });
}

void MessagePause::on_found(const MessageStanding& found, Asked asked) {
  if (found.state != State::none) return asked.reply(too_late_for(found, asked.pauses));
  if (!paused_.begin_order(found.at)) {
    return asked.reply(not_ordered("busy", asked.pauses, "it is being paused or resumed just now"));
  }
  // Whoever has the answer may give the next order.
  asked.reply = [&paused = paused_, at = found.at,
                 reply = std::move(asked.reply)](std::string answer) {
    paused.end_order(at);
    reply(std::move(answer));
  };
  if (asked.pauses) return pause(found, std::move(asked));
  if (!paused_.holds(found.at)) return asked.reply(standing_now(found, false));
  say(found, std::move(asked));
}

void MessagePause::pause(const MessageStanding& found, Asked asked) {
  switch (paused_.pause(found.at)) {
    case PausedMessages::Added::before: return asked.reply(standing_now(found, true));
    case PausedMessages::Added::full:
      return asked.reply(not_ordered("busy", true, "too many are paused; pause their campaign"));
    case PausedMessages::Added::now: break;
  }
  shards_.keeps_in_hand(found.at, [this, found, asked = std::move(asked)](bool keeps) {
    if (keeps) return undo(found, asked, not_ordered("conflict", true, "it is being sent"));
    look_again(found, asked);
  });
}

// It may have ended, or gone, between the first look and the note of its place.
void MessagePause::look_again(const MessageStanding& before, Asked asked) {
  const auto text = before.id.text();
  history_.find(
      std::string(text.data(), text.size()), before.at,
      [this, before, asked = std::move(asked)](const std::optional<MessageStanding>& found) {
        if (!found) return undo(before, asked, not_ordered("not_found", true, "no such message"));
        if (found->state != State::none) return undo(*found, asked, too_late_for(*found, true));
        say(*found, asked);
      });
}

// One record, by the carrier that has it now.
void MessagePause::say(const MessageStanding& found, Asked asked) {
  failpoint(asked.pauses ? Failpoint::message_pause_before : Failpoint::message_resume_before);
  const PauseOrder order{.at = found.at, .pauses = asked.pauses, .by = asked.peer.client};
  shards_.say_paused(found.carrier, order, [this, found, asked = std::move(asked)](PauseSaid said) {
    if (said == PauseSaid::written) {
      failpoint(asked.pauses ? Failpoint::message_pause_durable
                             : Failpoint::message_resume_durable);
      return asked.pauses ? asked.reply(standing_now(found, true)) : resume(found, asked);
    }
    std::string reply = said == PauseSaid::ended
                            ? not_ordered("conflict", asked.pauses, "it has ended just now")
                            : not_ordered("unavailable", asked.pauses,
                                          "its record in the journal cannot be read now");
    if (asked.pauses) return undo(found, asked, std::move(reply));
    asked.reply(std::move(reply));  // paused as before
  });
}

void MessagePause::resume(const MessageStanding& found, const Asked& asked) {
  paused_.lift(found.at);
  shards_.let_go(found.at);
  asked.reply(standing_now(found, false));
}

// Not paused after all. Who has picked it meanwhile has put it aside.
void MessagePause::undo(const MessageStanding& found, const Asked& asked, std::string reply) {
  paused_.lift(found.at);
  shards_.let_go(found.at);
  asked.reply(std::move(reply));
}

}  // namespace stentor::daemon
