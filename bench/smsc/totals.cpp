#include "bench/smsc/totals.h"

#include <fmt/format.h>

#include <iterator>

namespace stentor::smsc {
namespace {

struct Named {
  const char* name;
  std::uint64_t Totals::* count;
};

constexpr Named kNamed[] = {
    {"connections", &Totals::connections},
    {"binds", &Totals::binds},
    {"binds_refused", &Totals::binds_refused},
    {"unbinds", &Totals::unbinds},
    {"submit_sm", &Totals::submit_sm},
    {"accepted", &Totals::accepted},
    {"answered", &Totals::answered},
    {"receipts", &Totals::receipts},
    {"receipts_acknowledged", &Totals::receipts_acknowledged},
    {"receipts_refused", &Totals::receipts_refused},
    {"receipts_duplicated", &Totals::receipts_duplicated},
    {"receipts_repeated", &Totals::receipts_repeated},
    {"receipts_purged", &Totals::receipts_purged},
    {"delivered_acknowledged", &Totals::delivered_acknowledged},
    {"replies", &Totals::replies},
    {"replies_acknowledged", &Totals::replies_acknowledged},
    {"enquire_links", &Totals::enquire_links},
    {"queries", &Totals::queries},
    {"cancellations", &Totals::cancellations},
    {"window_violations", &Totals::window_violations},
    {"window_peak", &Totals::window_peak},
    {"malformed", &Totals::malformed},
    {"unknown_commands", &Totals::unknown_commands},
    {"unexpected_responses", &Totals::unexpected_responses},
    {"disconnects", &Totals::disconnects},
    {"octets_in", &Totals::octets_in},
    {"octets_out", &Totals::octets_out},
};

}  // namespace

void Totals::count_refusal(std::uint32_t status) {
  for (auto& [known, count] : refused) {
    if (known == status) {
      ++count;
      return;
    }
  }
  refused.emplace_back(status, 1);  // bounded: only statuses of the command line come here
}

std::string to_json(const char* type, const Totals& totals, const Levels& levels) {
  std::string out = fmt::format(R"({{"type":"{}","seconds":{:.3f},"cpu_seconds":{:.3f})", type,
                                levels.seconds, levels.cpu_seconds);
  fmt::format_to(std::back_inserter(out), R"(,"connected":{},"receipts_waiting":{})",
                 levels.connected, levels.receipts_waiting);
  for (const auto& [name, count] : kNamed) {
    fmt::format_to(std::back_inserter(out), R"(,"{}":{})", name, totals.*count);
  }
  out += R"(,"refused":{)";
  const char* comma = "";
  for (const auto& [status, count] : totals.refused) {
    fmt::format_to(std::back_inserter(out), R"({}"0x{:08x}":{})", comma, status, count);
    comma = ",";
  }
  out += "}}";
  return out;
}

std::string to_table(const Totals& totals, const Levels& levels) {
  std::string out = fmt::format("{:<24}{:>16.3f}\n{:<24}{:>16.3f}\n", "seconds", levels.seconds,
                                "cpu_seconds", levels.cpu_seconds);
  for (const auto& [name, count] : kNamed) {
    if (totals.*count == 0) continue;  // what never happened is no news
    fmt::format_to(std::back_inserter(out), "{:<24}{:>16}\n", name, totals.*count);
  }
  for (const auto& [status, count] : totals.refused) {
    fmt::format_to(std::back_inserter(out), "refused with 0x{:08x}{:>18}\n", status, count);
  }
  return out;
}

}  // namespace stentor::smsc
