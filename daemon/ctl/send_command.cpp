#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <ostream>

#include "daemon/ctl/commands.h"
#include "daemon/ctl/connection.h"
#include "daemon/ctl/event_shown.h"
#include "daemon/ctl/json_line.h"
#include "daemon/ctl/outcome_watch.h"
#include "daemon/ctl/pipeline.h"
#include "daemon/ctl/shown.h"
#include "daemon/ctl/texts.h"

namespace stentor::ctl {
namespace {

// RFC 3339 as it stands; bare digits are seconds from now, and a number in JSON.
void add_time(JsonLine& line, std::string_view key, const std::string& time) {
  const bool is_number = !time.empty() && time.find_first_not_of("0123456789") == std::string::npos;
  if (is_number) {
    line.add_json(key, time);
  } else {
    line.add_given(key, time);
  }
}

std::string request_of(const SendOptions& options, std::string_view text, std::string_view ref) {
  JsonLine line;
  line.add("op", "send").add_given("ref", ref);
  if (options.to.size() == 1) {
    line.add("to", options.to.front());
  } else {
    line.add("to", options.to);
  }
  line.add_given("kind", options.kind).add("text", text).add_given("from", options.from);
  line.add_given("campaign", options.campaign).add_given("priority", options.priority);
  line.add_given("carrier", options.carrier);
  add_time(line, "not_before", options.not_before);
  add_time(line, "expires", options.expires);
  line.add_given("encoding", options.encoding).add_given("replace", options.rewriting.replace);
  if (!options.rewriting.national.empty()) line.add("national", options.rewriting.national);
  if (options.flash) line.add_json("flash", "true");
  if (options.max_segments) line.add("max_segments", *options.max_segments);
  line.add_given("receipt", options.receipt);
  return line.line();
}

// Prints replies and keeps count of them.
class Report {
 public:
  Report(const Target& target, const Surroundings& around, bool single)
      : json_(target.json), single_(single), around_(&around) {}

  void take(std::uint64_t number, std::string_view line, const JsonValue& reply) {
    if (json_) *around_->out << line << '\n';
    const std::string status = reply.text("status");
    if (status == "accepted" || status == "duplicate") {
      take_stored(number, status, reply);
    } else {
      refuse(number, "", reply);
    }
  }

  // With many lines the user wants the sum, not to count.
  void finish() {
    if (!json_ && !single_) {
      *around_->out << fmt::format("accepted {}, duplicate {}, rejected {}\n", stored_["accepted"],
                                   stored_["duplicate"], refused_);
    }
    around_->out->flush();
  }

  [[nodiscard]] bool is_well() const { return refused_ == 0; }
  /// Ids in the order of the replies, and whether each had been stored by an earlier request.
  [[nodiscard]] const std::vector<std::pair<std::string, bool>>& ids() const { return ids_; }

 private:
  void take_stored(std::uint64_t number, const std::string& status, const JsonValue& reply) {
    const JsonValue::Array& messages = reply.array("messages");
    const bool known = status == "duplicate";
    if (messages.empty()) {
      stored(status, reply.text("id"), known, segments(reply));
    }
    for (const JsonValue& message : messages) {
      if (message.find("error") != nullptr) {
        refuse(number, message.text("to"), message);
      } else {
        stored(status, message.text("id"), known, "  to " + printable(message.text("to")));
      }
    }
  }

  void stored(const std::string& status, const std::string& id, bool known, std::string_view more) {
    ++stored_[status];
    ids_.emplace_back(id, known);
    if (!json_) *around_->out << fmt::format("{} {}{}\n", status, printable(id), more);
  }

  static std::string segments(const JsonValue& reply) {
    if (reply.find("segments") == nullptr) return "";
    const std::int64_t count = reply.number("segments");
    return fmt::format("  {} segment{}, {}", count, count == 1 ? "" : "s",
                       printable(reply.text("encoding")));
  }

  void refuse(std::uint64_t number, std::string_view to, const JsonValue& reply) {
    ++refused_;
    if (json_) return;
    const std::string where = single_ ? "" : fmt::format("line {}: ", number);
    const std::string whom = to.empty() ? "" : printable(to) + ": ";
    *around_->err << fmt::format("stentorctl: {}{}rejected: {}\n", where, whom, error_shown(reply));
  }

  bool json_;
  bool single_;
  const Surroundings* around_;
  std::map<std::string, std::uint64_t> stored_;
  std::uint64_t refused_ = 0;
  std::vector<std::pair<std::string, bool>> ids_;
};

result<void> send_all(Connection& connection, const SendOptions& options, Texts& texts,
                      Report& report) {
  Pipeline pipeline(connection, [&](std::uint64_t number, std::string_view line,
                                    const JsonValue& reply) { report.take(number, line, reply); });
  for (;;) {
    auto read = texts.next();
    if (!read) {
      // What is on its way already has its answers shown before the file's fault is.
      if (auto finished = pipeline.finish(); !finished) return finished;
      return std::unexpected(std::move(read.error()));
    }
    const std::optional<std::string>& text = *read;
    if (!text) return pipeline.finish();
    std::string ref = options.ref;
    if (!ref.empty() && !texts.is_single()) ref += fmt::format("-{}", texts.line());
    if (auto added = pipeline.add(texts.line(), request_of(options, *text, ref)); !added) {
      return added;
    }
  }
}

// A message stored by an earlier request may have come to its end before we listened.
result<bool> has_ended(Connection& connection, const std::string& id, bool sent_is_final) {
  const auto written = connection.write(JsonLine().add("op", "message").add("id", id).line());
  if (!written) return std::unexpected(written.error());
  const auto line = connection.read_reply();
  if (!line) return std::unexpected(line.error());
  const auto reply = JsonValue::parse(*line);
  if (!reply) return false;
  const std::string state = reply->text("state");
  return is_final(state) || (sent_is_final && state == "sent");
}

}  // namespace

result<Exit> send(const Target& target, const SendOptions& options, const Surroundings& around) {
  auto texts = Texts::open(options.source, *around.in);
  if (!texts) return std::unexpected(std::move(texts.error()));
  auto connection = Connection::open(target.socket, target.patience);
  if (!connection) return std::unexpected(std::move(connection.error()));

  std::optional<OutcomeWatch> watch;
  const bool sent_is_final = options.receipt == "none" || options.receipt == "failure";
  if (options.wait) {
    auto subscribed = OutcomeWatch::subscribe(target.socket, target.patience, sent_is_final);
    if (!subscribed) return std::unexpected(std::move(subscribed.error()));
    watch.emplace(*std::move(subscribed));
  }

  Report report(target, around, texts->is_single());
  auto sent = send_all(*connection, options, *texts, report);
  report.finish();
  if (!sent) return std::unexpected(std::move(sent.error()));
  if (!watch) return report.is_well() ? Exit::ok : Exit::refused;

  bool all_arrived = report.is_well();
  for (const auto& [id, known] : report.ids()) {
    if (known) {
      const auto ended = has_ended(*connection, id, sent_is_final);
      if (!ended) return std::unexpected(ended.error());
      if (*ended) continue;
    }
    watch->expect(id);
  }
  auto waited =
      watch->wait(options.wait_within, [&](std::string_view line, const JsonValue& event) {
        const std::string type = event.text("type");
        if (type != "delivered" && type != "sent") all_arrived = false;
        *around.out << (target.json ? std::string(line) : event_shown(event)) << '\n';
        around.out->flush();  // the next may take minutes
      });
  if (!waited) return std::unexpected(std::move(waited.error()));
  return all_arrived ? Exit::ok : Exit::refused;
}

}  // namespace stentor::ctl
