#include "bench/smsc/capture.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace stentor::smsc {
namespace {

class CaptureFile {
 public:
  CaptureFile() : path_(std::filesystem::temp_directory_path() / "stentor-capture-XXXXXX") {
    std::string pattern = path_.string();
    const int file = ::mkstemp(pattern.data());
    EXPECT_GE(file, 0);
    if (file >= 0) ::close(file);
    path_ = pattern;
  }
  ~CaptureFile() { std::filesystem::remove(path_); }
  CaptureFile(const CaptureFile&) = delete;
  CaptureFile& operator=(const CaptureFile&) = delete;

  [[nodiscard]] const char* path() const { return path_.c_str(); }
  [[nodiscard]] std::string text() const {
    std::ifstream file(path_);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

 private:
  std::filesystem::path path_;
};

constexpr Now kNow{.wall_nanoseconds = 1'795'229'400'230'180'322};

TEST(Capture, WritesEveryFieldOfASubmit) {
  CaptureFile file;
  const std::array<std::uint8_t, 3> user_data{0x00, 0x1b, 0xff};
  const std::array<std::uint8_t, 6> tlvs{0x02, 0x04, 0x00, 0x02, 0x00, 0x07};
  protocol::ShortMessage message;
  message.source = {.numbering = {.ton = 5, .npi = 0}, .digits = "SHOP"};
  message.destination = {.numbering = {.ton = 1, .npi = 1}, .digits = "79161234567"};
  message.esm_class = 0x40;
  message.data_coding = 8;
  message.registered_delivery = 1;
  message.validity_period = "000003000000000R";
  message.short_message = user_data;
  message.tlvs = protocol::Tlvs(tlvs);
  {
    Capture capture(file.path());
    capture.on_submit(kNow, 3, "submit_sm", 17, message, 0x58, "", true);
  }

  EXPECT_EQ(file.text(),
            R"({"type":"submit_sm","time":1795229400230180322,"connection":3,"sequence":17,)"
            R"("service_type":"","source":"SHOP","source_ton":5,"source_npi":0,)"
            R"("destination":"79161234567","destination_ton":1,"destination_npi":1,"esm_class":64,)"
            R"("protocol_id":0,"priority_flag":0,"schedule_delivery_time":"",)"
            R"("validity_period":"000003000000000R","registered_delivery":1,)"
            R"("replace_if_present_flag":0,"data_coding":8,"sm_default_msg_id":0,)"
            R"("short_message":"001bff","tlvs":[{"tag":"0x0204","value":"0007"}],"status":88,)"
            R"("message_id":"","answered":true})"
            "\n");
}

TEST(Capture, ShowsTextAsAPhoneWouldWhereItIsAsked) {
  CaptureFile file;
  // Turkish single shift: TS 23.038 A.2.1 has ş at 0x73; behind a header of one element.
  const std::array<std::uint8_t, 6> turkish{0x03, 0x24, 0x01, 0x01, 0x1b, 0x73};
  const std::array<std::uint8_t, 3> gsm7{0x00, 0x22, 0x0a};  // @ " and a line feed
  const std::array<std::uint8_t, 2> binary{0xff, 0x00};
  {
    Capture capture(file.path());
    capture.show_text(encoding::Alphabet::gsm7);
    protocol::ShortMessage message;
    message.short_message = gsm7;
    capture.on_submit(kNow, 1, "submit_sm", 1, message, 0, "a", true);
    message.esm_class = 0x40;
    message.short_message = turkish;
    capture.on_submit(kNow, 1, "submit_sm", 2, message, 0, "b", true);
    message.esm_class = 0;
    message.data_coding = 4;
    message.short_message = binary;
    capture.on_submit(kNow, 1, "submit_sm", 3, message, 0, "c", true);
  }

  const std::string text = file.text();
  EXPECT_NE(text.find(R"("text":"@\u0022\u000a","tlvs")"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("text":"ş","tlvs")"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("short_message":"ff00","tlvs")"), std::string::npos)
      << "octets that are no text have none: " << text;
}

TEST(Capture, EscapesWhateverAPeerPutsIntoAName) {
  CaptureFile file;
  {
    Capture capture(file.path());
    capture.on_bind(kNow, 1, "bind_transceiver", "a\"b\\c\n\xd0\x7f", 15);
  }

  EXPECT_EQ(file.text(), R"({"type":"bind_transceiver","time":1795229400230180322,"connection":1,)"
                         R"("system_id":"a\u0022b\u005cc\u000a\u00d0\u007f","status":15})"
                         "\n");
}

TEST(Capture, AppendsToWhatIsThere) {
  CaptureFile file;
  for (int i = 0; i < 2; ++i) {
    Capture capture(file.path());
    capture.on_unanswered(kNow, 1, 2);
  }

  const std::string line =
      R"({"type":"unanswered","time":1795229400230180322,"connection":1,"sequence":2})"
      "\n";
  EXPECT_EQ(file.text(), line + line);
}

TEST(Capture, WritesMoreThanItsBuffer) {
  CaptureFile file;
  constexpr int kLines = 20000;
  {
    Capture capture(file.path());
    for (int i = 0; i < kLines; ++i) capture.on_connection(kNow, 1, "connect", "detail");
    EXPECT_FALSE(capture.failure());
  }

  const std::string text = file.text();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), kLines);
}

TEST(Capture, RefusesAFileThatCannotBeOpened) {
  EXPECT_THROW(Capture("/nowhere/at/all"), std::system_error);
}

TEST(Capture, RemembersThatTheDiskIsFull) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  Capture capture("/dev/full");
  capture.on_unanswered(kNow, 1, 2);
  capture.flush();
  EXPECT_EQ(capture.failure(), std::errc::no_space_on_device);
}

}  // namespace
}  // namespace stentor::smsc
