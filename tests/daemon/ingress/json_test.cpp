#include "daemon/ingress/json.h"

#include <gtest/gtest.h>

namespace stentor::daemon {
namespace {

TEST(JsonString, EscapesWhatJsonDemandsAndNothingElse) {
  std::string out;
  append_json_string("a\"b\\c\n\r\t\x01\x7fж/", out);
  EXPECT_EQ(out, "\"a\\\"b\\\\c\\n\\r\\t\\u0001\\u007fж/\"");
}

TEST(JsonUntrusted, TurnsWhatIsNotPrintableAsciiIntoQuestionMarksAndCutsTheRest) {
  std::string out;
  append_json_untrusted("a\xff\n\"\\b", 5, out);
  EXPECT_EQ(out, "\"a??\\\"\\\\\"");
}

TEST(JsonMember, PutsCommasBetweenMembersOnly) {
  std::string out = "{";
  append_member("a", "x", out);
  append_member("b", std::uint64_t{18446744073709551615u}, out);
  EXPECT_EQ(out, "{\"a\":\"x\",\"b\":18446744073709551615");
}

}  // namespace
}  // namespace stentor::daemon
