// `optout`: who wants no more messages: add, remove, list, export, import.
#include <fmt/format.h>

#include <fstream>
#include <istream>
#include <ostream>

#include "daemon/ctl/commands.h"
#include "daemon/ctl/connection.h"
#include "daemon/ctl/json_line.h"
#include "daemon/ctl/json_value.h"
#include "daemon/ctl/pipeline.h"
#include "daemon/ctl/shown.h"

namespace stentor::ctl {
namespace {

// A line of the protocol has 64 KiB; a number with quotes and comma takes up to 20 octets.
constexpr std::size_t kNumbersAtOnce = 2000;

std::string request_line(std::string_view action, const std::vector<std::string>& numbers,
                         const std::string& sender) {
  JsonLine line;
  line.add("op", "optout").add("action", action);
  line.add("to", std::span<const std::string>(numbers));
  line.add_given("from", sender);
  return line.line();
}

struct Tally {
  std::int64_t changed = 0;
  bool refused = false;
};

Pipeline::OnReply count_into(Tally& tally, const Target& target, const Surroundings& around) {
  return [&tally, &target, &around](std::uint64_t /*number*/, std::string_view line,
                                    const JsonValue& reply) {
    if (target.json) *around.out << line << '\n';
    tally.changed += reply.number("changed");
    if (reply.text("status") == "ok") return;
    tally.refused = true;
    const JsonValue& error = reply.object("error");
    *around.err << fmt::format("stentorctl: {}: {}\n", printable(error.text("code")),
                               printable(error.text("detail")));
  };
}

result<Exit> told(const Tally& tally, const OptOutOptions& options, const Target& target,
                  const Surroundings& around) {
  if (!target.json) *around.out << fmt::format("{} {}\n", tally.changed, options.told);
  return tally.refused ? Exit::refused : Exit::ok;
}

void print_entry(const JsonValue& entry, bool as_csv, std::ostream& out) {
  if (as_csv) {
    out << fmt::format("{},{},{},{},{}\n", printable(entry.text("to")),
                       printable(entry.text("from")), entry.text("since"),
                       printable(entry.text("client")), entry.text("by"));
  } else {
    out << fmt::format("{}  {}  {}  {} by {}\n", printable(entry.text("to")),
                       printable(entry.text("from", "all senders")), entry.text("since"),
                       printable(entry.text("client")), entry.text("by"));
  }
}

}  // namespace

result<Exit> optout_change(const Target& target, const OptOutOptions& options,
                           const Surroundings& around) {
  auto connection = Connection::open(target.socket, target.patience);
  if (!connection) return std::unexpected(connection.error());
  Tally tally;
  Pipeline pipeline(*connection, count_into(tally, target, around));
  if (auto sent = pipeline.add(0, request_line(options.action, options.numbers, options.sender));
      !sent) {
    return std::unexpected(sent.error());
  }
  if (auto ended = pipeline.finish(); !ended) return std::unexpected(ended.error());
  return told(tally, options, target, around);
}

// Lines "number" or "number,sender,…": what export writes is what import reads.
result<Exit> optout_import(const Target& target, const OptOutOptions& options,
                           const Surroundings& around) {
  std::ifstream file;
  std::istream* in = around.in;
  if (!options.file.empty() && options.file != "-") {
    file.open(options.file);
    if (!file) return failed(Exit::usage, fmt::format("cannot read {}", options.file));
    in = &file;
  }
  auto connection = Connection::open(target.socket, target.patience);
  if (!connection) return std::unexpected(connection.error());
  Tally tally;
  Pipeline pipeline(*connection, count_into(tally, target, around));
  std::vector<std::string> numbers;
  std::string sender;
  std::uint64_t requests = 0;
  const auto flush = [&]() -> result<void> {
    if (numbers.empty()) return {};
    auto sent = pipeline.add(requests++, request_line("add", numbers, sender));
    numbers.clear();
    return sent;
  };
  std::string line;
  while (std::getline(*in, line)) {
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty() || line.starts_with('#') || line.starts_with("number")) continue;
    const auto comma = line.find(',');
    const auto next = comma == std::string::npos ? comma : line.find(',', comma + 1);
    std::string of = options.sender;
    if (comma != std::string::npos && options.sender.empty()) {
      of = line.substr(comma + 1, next == std::string::npos ? next : next - comma - 1);
    }
    if (of != sender || numbers.size() >= kNumbersAtOnce) {
      if (auto sent = flush(); !sent) return std::unexpected(sent.error());
      sender = of;
    }
    numbers.push_back(line.substr(0, comma));
  }
  if (auto sent = flush(); !sent) return std::unexpected(sent.error());
  if (auto ended = pipeline.finish(); !ended) return std::unexpected(ended.error());
  return told(tally, options, target, around);
}

result<Exit> optout_list(const Target& target, const OptOutOptions& options,
                         const Surroundings& around) {
  auto connection = Connection::open(target.socket, target.patience);
  if (!connection) return std::unexpected(connection.error());
  const bool as_csv = options.action == "export";
  if (as_csv && !target.json) *around.out << "number,sender,since,client,by\n";
  std::string cursor;
  do {
    JsonLine line;
    line.add("op", "optout").add("action", "list").add_given("cursor", cursor);
    if (auto sent = connection->write(line.line()); !sent) return std::unexpected(sent.error());
    const auto answer = connection->read_reply();
    if (!answer) return std::unexpected(answer.error());
    const auto reply = JsonValue::parse(*answer);
    if (!reply) return failed(Exit::unreachable, "the daemon's answer is not JSON");
    if (target.json) *around.out << *answer << '\n';
    if (reply->text("status") != "ok") {
      const JsonValue& error = reply->object("error");
      return failed(Exit::refused, fmt::format("{}: {}", printable(error.text("code")),
                                               printable(error.text("detail"))));
    }
    if (!target.json) {
      for (const JsonValue& entry : reply->array("entries")) {
        print_entry(entry, as_csv, *around.out);
      }
    }
    cursor = reply->text("cursor");
  } while (!cursor.empty());
  return Exit::ok;
}

}  // namespace stentor::ctl
