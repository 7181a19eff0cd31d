#include "protocol/command_status.h"

#include <gtest/gtest.h>

#include "protocol/error.h"

namespace stentor::protocol {
namespace {

Disposition of(std::uint32_t status) {
  return disposition_of(CommandStatus{status});
}

TEST(CommandStatus, SaysWhatBecomesOfASegment) {
  EXPECT_EQ(of(0x00), Disposition::accepted);
  for (const auto status : {0x58U, 0x14U}) EXPECT_EQ(of(status), Disposition::slow_down);
  for (const auto status : {0x08U, 0x64U, 0x102U}) {
    EXPECT_EQ(of(status), Disposition::retry_later) << status;
  }
  for (const auto status : {0x45U, 0xffU, 0xfeU, 0x67U}) {
    EXPECT_EQ(of(status), Disposition::retry_few) << status;
  }
  for (const auto status : {0x04U, 0x05U, 0x0dU, 0x0eU, 0x0fU, 0x53U}) {
    EXPECT_EQ(of(status), Disposition::link_fault) << status;
  }
  for (const auto status : {0x01U, 0x0aU, 0x0bU, 0x43U, 0x48U, 0x49U, 0x50U, 0x51U, 0x06U, 0x07U,
                            0x61U, 0x62U, 0x65U, 0x66U, 0xc0U, 0xc4U, 0x104U}) {
    EXPECT_EQ(of(status), Disposition::give_up) << status;
  }
}

TEST(CommandStatus, IsRetriedAFewTimesWhenNobodyKnowsIt) {
  for (const auto status : {0x09U, 0x10U, 0x400U, 0x4ffU, 0x80000000U, 0xffffffffU}) {
    EXPECT_EQ(of(status), Disposition::retry_few) << status;
    EXPECT_EQ(name_of(CommandStatus{status}), "");
    EXPECT_EQ(outcome_code_of(CommandStatus{status}), "carrier_error");
  }
}

TEST(CommandStatus, SaysWhoseFaultAPermanentRefusalIs) {
  const auto fault = [](std::uint32_t status) { return fault_of(CommandStatus{status}); };
  for (const auto status : {0x0aU, 0x0bU, 0x48U, 0x49U, 0x50U, 0x51U, 0x105U, 0x106U}) {
    EXPECT_EQ(fault(status), Fault::address) << status;
  }
  for (const auto status :
       {0x01U, 0x06U, 0x07U, 0x43U, 0x61U, 0x62U, 0xc0U, 0xc1U, 0xc2U, 0xc3U, 0xc4U, 0x104U}) {
    EXPECT_EQ(fault(status), Fault::encoding) << status;
  }
  for (const auto status :
       {0x00U, 0x04U, 0x08U, 0x14U, 0x45U, 0x58U, 0x65U, 0x66U, 0xffU, 0x101U, 0x400U}) {
    EXPECT_EQ(fault(status), Fault::none) << status;
  }
}

TEST(CommandStatus, HasTheNameOfTheSpecification) {
  EXPECT_EQ(name_of(CommandStatus::ok), "ESME_ROK");
  EXPECT_EQ(name_of(CommandStatus::throttled), "ESME_RTHROTTLED");
  EXPECT_EQ(name_of(CommandStatus{0x112}), "ESME_RINVBCASTCHANIND");
}

TEST(CommandStatus, HasAWordForUpstream) {
  EXPECT_EQ(outcome_code_of(CommandStatus::ok), "accepted");
  EXPECT_EQ(outcome_code_of(CommandStatus::throttled), "throttled");
  EXPECT_EQ(outcome_code_of(CommandStatus::message_queue_full), "queue_full");
  EXPECT_EQ(outcome_code_of(CommandStatus::invalid_destination_address), "invalid_destination");
  EXPECT_EQ(outcome_code_of(CommandStatus::invalid_source_address), "invalid_source");
  EXPECT_EQ(outcome_code_of(CommandStatus{0x66}), "carrier_rejected");
}

TEST(CodecError, SaysWhatIsWrongInAPhrase) {
  for (const CodecError error :
       {CodecError::truncated, CodecError::bad_length, CodecError::unknown_command,
        CodecError::unterminated_string, CodecError::too_many_tlvs, CodecError::field_too_long}) {
    const std::error_code code = error;
    EXPECT_STREQ(code.category().name(), "stentor.protocol");
    EXPECT_FALSE(code.message().empty());
    EXPECT_NE(code.message(), "unknown protocol error");
    EXPECT_NE(code.message().back(), '.');
  }
}

}  // namespace
}  // namespace stentor::protocol
