#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <ostream>

#include "daemon/ctl/commands.h"
#include "daemon/ctl/connection.h"
#include "daemon/ctl/event_shown.h"
#include "daemon/ctl/json_line.h"
#include "daemon/ctl/pipeline.h"
#include "daemon/ctl/shown.h"
#include "daemon/ctl/texts.h"

namespace stentor::ctl {
namespace {

using Side = Columns::Side;

std::string request_of(const PreviewOptions& options, std::string_view text) {
  JsonLine line;
  line.add("op", "preview").add("text", text).add_given("to", options.to);
  line.add_given("carrier", options.carrier).add_given("encoding", options.encoding);
  line.add_given("replace", options.rewriting.replace);
  if (!options.rewriting.national.empty()) line.add("national", options.rewriting.national);
  return line.line();
}

std::string forced_by(const JsonValue& reply) {
  const JsonValue* by = reply.find("forced_by");
  if (by == nullptr || by->as_object() == nullptr) return "";
  // People count from one.
  std::string why =
      fmt::format(", because of '{}' ({}) at character {}", printable(by->text("char")),
                  printable(by->text("code_point")), by->number("index") + 1);
  if (by->find("segments_without") != nullptr) {
    const std::int64_t segments = by->number("segments_without");
    const std::int64_t characters = by->number("characters");
    why += fmt::format("; {} segment{} without the {} such character{}", segments,
                       segments == 1 ? "" : "s", characters, characters == 1 ? "" : "s");
  }
  return why;
}

void print_preview(const JsonValue& reply, std::ostream& out) {
  out << fmt::format("encoding    {}{}\n", printable(reply.text("encoding")), forced_by(reply));
  out << fmt::format("characters  {}\n", grouped(reply.number("characters")));
  out << fmt::format("segments    {}\n", grouped(reply.number("segments")));
  out << fmt::format("units       {}\n", grouped(reply.number("units")));
  const JsonValue::Array& replaced = reply.array("replaced");
  if (!replaced.empty()) {
    out << "replaced   ";
    for (const JsonValue& each : replaced) {
      out << fmt::format(" '{}' by '{}'", printable(each.text("from")), printable(each.text("to")));
    }
    const std::int64_t saved = reply.number("saved");
    out << fmt::format("; saves {} segment{}\n", saved, saved == 1 ? "" : "s");
  }
  for (std::size_t i = 0; const JsonValue& part : reply.array("parts")) {
    out << fmt::format("part {:<6} {}\n", ++i, printable(part.shown()));
  }
}

// The sums over a list of texts: what a mailing will take.
struct Totals {
  struct OfEncoding {
    std::int64_t texts = 0;
    std::int64_t segments = 0;
  };

  std::int64_t texts = 0;
  std::int64_t refused = 0;
  std::int64_t characters = 0;
  std::int64_t segments = 0;
  std::int64_t segments_max = 0;
  std::uint64_t longest_line = 0;
  std::map<std::string, OfEncoding> by_encoding;

  void take(std::uint64_t line, const JsonValue& reply) {
    const std::int64_t count = reply.number("segments");
    ++texts;
    characters += reply.number("characters");
    segments += count;
    OfEncoding& same = by_encoding[reply.text("encoding")];
    ++same.texts;
    same.segments += count;
    if (count > segments_max) {
      segments_max = count;
      longest_line = line;
    }
  }

  void print(std::ostream& out) const {
    Columns columns({Side::left, Side::right, Side::right});
    columns.add({"encoding", "texts", "segments"});
    for (const auto& [name, of] : by_encoding) {
      columns.add({printable(name), grouped(of.texts), grouped(of.segments)});
    }
    columns.add({"together", grouped(texts), grouped(segments)});
    ctl::print(columns, out);
    out << fmt::format("characters {}", grouped(characters));
    if (texts > 0) {
      out << fmt::format("; the longest, on line {}, takes {} segment{}", longest_line,
                         segments_max, segments_max == 1 ? "" : "s");
    }
    if (refused > 0) out << fmt::format("; {} refused", grouped(refused));
    out << '\n';
  }

  [[nodiscard]] std::string json() const {
    std::string encodings = "{";
    for (const auto& [name, of] : by_encoding) {
      if (encodings.size() > 1) encodings.push_back(',');
      append_quoted(encodings, name);
      encodings.append(":").append(
          JsonLine().add("texts", of.texts).add("segments", of.segments).object());
    }
    return JsonLine()
        .add("texts", texts)
        .add("refused", refused)
        .add("characters", characters)
        .add("segments", segments)
        .add("segments_max", segments_max)
        .add("longest_line", static_cast<std::int64_t>(longest_line))
        .add_json("by_encoding", encodings + "}")
        .line();
  }
};

}  // namespace

result<Exit> preview(const Target& target, const PreviewOptions& options,
                     const Surroundings& around) {
  auto texts = Texts::open(options.source, *around.in);
  if (!texts) return std::unexpected(std::move(texts.error()));
  auto connection = Connection::open(target.socket, target.patience);
  if (!connection) return std::unexpected(std::move(connection.error()));

  Totals totals;
  const bool single = texts->is_single();
  Pipeline pipeline(
      *connection, [&](std::uint64_t number, std::string_view line, const JsonValue& reply) {
        if (target.json) *around.out << line << '\n';
        if (reply.text("status") != "ok") {
          ++totals.refused;
          if (target.json) return;
          const std::string where = single ? "" : fmt::format("line {}: ", number);
          *around.err << fmt::format("stentorctl: {}rejected: {}\n", where, error_shown(reply));
          return;
        }
        totals.take(number, reply);
        if (single && !target.json) print_preview(reply, *around.out);
      });
  for (;;) {
    auto read = texts->next();
    if (!read) return std::unexpected(std::move(read.error()));
    const std::optional<std::string>& text = *read;
    if (!text) break;
    if (auto added = pipeline.add(texts->line(), request_of(options, *text)); !added) {
      return std::unexpected(std::move(added.error()));
    }
  }
  if (auto finished = pipeline.finish(); !finished) {
    return std::unexpected(std::move(finished.error()));
  }
  if (!single && target.json) *around.out << totals.json();
  if (!single && !target.json) totals.print(*around.out);
  return totals.refused == 0 ? Exit::ok : Exit::refused;
}

}  // namespace stentor::ctl
