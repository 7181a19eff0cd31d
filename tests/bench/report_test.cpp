#include "bench/load/report.h"

#include <gtest/gtest.h>

namespace stentor::load {
namespace {

Report sample() {
  Report report;
  report.count("messages", 1234567);
  report.number("accepted/s", 123456.4, "");
  report.latency("ack latency p99.9", std::chrono::microseconds(1500));
  report.text("receipts", "on");
  report.number("peak memory (VmHWM)", 54.125, "MiB");
  report.note("from here to \"there\"");
  return report;
}

TEST(Report, AlignsATable) {
  EXPECT_EQ(sample().to_table(),
            "messages             1,234,567\n"
            "accepted/s             123,456\n"
            "ack latency p99.9     1.500 ms\n"
            "receipts                    on\n"
            "peak memory (VmHWM)   54.1 MiB\n"
            "* from here to \"there\"\n");
}

TEST(Report, NamesFiguresForPrograms) {
  EXPECT_EQ(
      sample().to_json(),
      R"({"messages":1234567,"accepted_per_second":123456,"ack_latency_p99_9_seconds":)"
      R"(0.001500000,"receipts":"on","peak_memory_mib":54.125,"notes":["from here to \"there\""]})");
}

}  // namespace
}  // namespace stentor::load
