// What load_config says about carriers, routes and clients.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "daemon/config/config.h"
#include "tests/daemon/config/written_config.h"

namespace stentor::daemon {
namespace {

using Said = std::vector<std::string>;

constexpr std::string_view kWithoutPassword =
    "[[carrier]]\nname = \"north\"\nhosts = [\"127.0.0.1:2775\"]\nsystem_id = \"s\"\n";

std::string carrier(std::string_view more = "") {
  return std::string(kWithoutPassword) + "password = \"p\"\n" + std::string(more);
}

Said mistakes_in(const WrittenConfig& written) {
  const auto config = load_config(written.path());
  Said said;
  if (config) return said;
  for (const ConfigMistake& mistake : config.error()) {
    said.push_back(mistake.key + ": " + mistake.what);
  }
  return said;
}
Said mistakes_in(std::string_view text) {
  return mistakes_in(WrittenConfig(text));
}

std::string password_of(const WrittenConfig& written) {
  const auto config = load_config(written.path());
  return config ? config->carriers.at(0).password : to_string(config.error().at(0));
}

TEST(CarrierConfig, NamesWhatACarrierLacks) {
  EXPECT_EQ(mistakes_in("[[carrier]]\nwindow = 5\n"),
            (Said{"carrier[0]: a carrier needs a name",
                  "carrier[0]: a carrier needs hosts, such as hosts = [\"127.0.0.1:2775\"]",
                  "carrier[0]: a carrier needs a system_id",
                  "carrier[0]: no password: give password, password_file or the credential "
                  "NAME.password"}));
}

TEST(CarrierConfig, FieldsStopWhereSmppStopsThem) {
  EXPECT_EQ(mistakes_in("[[carrier]]\nname = \"n\"\nhosts = [\"h:1\"]\n"
                        "system_id = \"1234567890123456\"\npassword = \"123456789\"\n"
                        "system_type = \"1234567890123\"\nservice_type = \"123456\"\n"),
            (Said{"carrier[0].system_id: is 16 octets long; at most 15",
                  "carrier[0].password: the password is 9 octets long; SMPP allows 8",
                  "carrier[0].system_type: is 13 octets long; at most 12",
                  "carrier[0].service_type: is 6 octets long; at most 5"}));
}

TEST(CarrierConfig, NamesAreUniqueAndFitForFileNames) {
  EXPECT_EQ(mistakes_in(carrier() + carrier()),
            Said{"carrier[1].name: line 2 has a carrier \"north\" already"});
  EXPECT_EQ(mistakes_in("[[carrier]]\nname = \"../x\"\nhosts = [\"h:1\"]\nsystem_id = \"s\"\n"
                        "password = \"p\"\n"),
            Said{"carrier[0].name: may hold letters, digits, '-', '_' and '.' only, no dot first"});
}

TEST(CarrierConfig, HostsNeedAPort) {
  for (const std::string_view bad :
       {"h", "h:", ":1", "h:65536", "h:x", "::1:2775", "h h:1", "[]:1", "h:1x"}) {
    const auto said = mistakes_in("[[carrier]]\nname = \"n\"\nhosts = [\"" + std::string(bad) +
                                  "\"]\nsystem_id = \"s\"\npassword = \"p\"\n");
    ASSERT_EQ(said.size(), 1U) << bad;
    EXPECT_TRUE(said[0].starts_with("carrier[0].hosts: \"")) << said[0];
  }
  EXPECT_EQ(mistakes_in("[[carrier]]\nname = \"n\"\nhosts = []\nsystem_id = \"s\"\n"
                        "password = \"p\"\n"),
            Said{"carrier[0].hosts: must name at least one host:port"});
}

TEST(CarrierConfig, BindsMustBeAbleToSend) {
  EXPECT_EQ(mistakes_in(carrier("binds = { transceiver = 4 }\n")), Said{});
  EXPECT_EQ(mistakes_in(carrier("binds = { transmitter = 2, receiver = 1 }\n")), Said{});
  EXPECT_EQ(mistakes_in(carrier("binds = { receiver = 1 }\n")),
            Said{"carrier[0].binds: nothing could be sent: needs a transceiver or a transmitter"});
  EXPECT_EQ(mistakes_in(carrier("binds = { transceiver = 64, receiver = 1 }\n")),
            Said{"carrier[0].binds: at most 64 binds to one carrier"});
  EXPECT_EQ(mistakes_in(carrier("binds = { tranceiver = 1 }\n")),
            (Said{"carrier[0].binds.tranceiver: unknown key; did you mean transceiver?",
                  "carrier[0].binds: nothing could be sent: needs a transceiver or a "
                  "transmitter"}));
}

TEST(CarrierConfig, ErrorNumbersHaveWordsOfTheVocabulary) {
  EXPECT_EQ(mistakes_in(carrier("errors = { \"001\" = \"absent_subscriber\", 2 = \"barred\" }\n")),
            Said{});
  EXPECT_EQ(
      mistakes_in(carrier("errors = \"001\"\n")),
      Said{"carrier[0].errors: must be a table, such as { \"001\" = \"absent_subscriber\" }"});
  for (const std::string_view bad : {"\"absent\"", "1", "\"\""}) {
    const auto said = mistakes_in(carrier("errors = { 001 = " + std::string(bad) + " }\n"));
    ASSERT_EQ(said.size(), 1U) << bad;
    EXPECT_TRUE(said[0].starts_with("carrier[0].errors.001: must be one of absent_subscriber, "))
        << said[0];
  }
}

TEST(CarrierConfig, StatsAndStatesOfReceiptsHaveWordsToo) {
  EXPECT_EQ(mistakes_in(carrier("errors = { \"stat:REJECTD\" = \"spam\", "
                                "\"message_state:9\" = \"content_refused\" }\n")),
            Said{});
  for (const std::string_view bad :
       {"stat:", "message_state:", "message_state:10", "message_state:08", "message_state:x"}) {
    EXPECT_EQ(mistakes_in(carrier("errors = { \"" + std::string(bad) + "\" = \"spam\" }\n")),
              Said{"carrier[0].errors: \"" + std::string(bad) +
                   "\" is no error number (1 to 40 octets), stat:WORD or message_state:0 to 9"});
  }
}

TEST(CarrierConfig, ReceiptsNeedABindThatHearsThem) {
  EXPECT_EQ(mistakes_in(carrier("binds = { transmitter = 1 }\n")),
            Said{"carrier[0].binds: no receipt could arrive: add a receiver, or say receipts = "
                 "false"});
  EXPECT_EQ(mistakes_in(carrier("binds = { transmitter = 1 }\nreceipts = false\n")), Said{});
}

TEST(CarrierConfig, TonAndNpiComeTogether) {
  EXPECT_EQ(mistakes_in(carrier("source = { ton = 5 }\n")), Said{"carrier[0].source: needs npi"});
  EXPECT_EQ(mistakes_in(carrier("source = { ton = 256, npi = 0 }\n")),
            Said{"carrier[0].source.ton: is 256; must be 0 to 255"});
}

TEST(CarrierConfig, TonAndNpiMayDifferByForm) {
  const WrittenConfig written(
      carrier("source = { ton = 0, npi = 0, alphanumeric = { ton = 5, npi = 1 } }\n"
              "destination = { national = { ton = 2, npi = 8 }, short = { ton = 6, npi = 0 } }\n"));
  const auto config = load_config(written.path());
  ASSERT_TRUE(config) << to_string(config.error().at(0));
  const CarrierConfig& read = config->carriers.at(0);
  if (!read.source.others || !read.source.alphanumeric) FAIL() << "no source";
  EXPECT_EQ(read.source.alphanumeric->npi, 1);
  EXPECT_FALSE(read.source.international);
  if (!read.destination.national || !read.destination.short_code) FAIL() << "no destination";
  EXPECT_EQ(read.destination.national->npi, 8);
  EXPECT_EQ(read.destination.short_code->ton, 6);
  EXPECT_NE(describe(*config).find("source = { ton = 0, npi = 0, alphanumeric = { ton = 5, npi = 1 "
                                   "} }"),
            std::string::npos);

  EXPECT_EQ(mistakes_in(carrier("source = { short = { ton = 5 } }\n")),
            Said{"carrier[0].source.short: needs npi"});
  EXPECT_EQ(mistakes_in(carrier("source = { short = {} }\n")),
            Said{"carrier[0].source.short: needs ton and npi"});
  EXPECT_EQ(mistakes_in(carrier("source = {}\n")),
            Said{"carrier[0].source: needs ton and npi, or a form with both: international, "
                 "national, short, alphanumeric"});
}

// Whoever leaves `tls` out gets plain text where nobody listens, and must say so elsewhere.
TEST(CarrierConfig, PlainTextToAPublicAddressHasToBeAskedFor) {
  const auto at = [](std::string_view host, std::string_view more) {
    return "[[carrier]]\nname = \"north\"\nhosts = [\"" + std::string(host) +
           ":2775\"]\nsystem_id = \"s\"\npassword = \"p\"\n" + std::string(more);
  };
  for (const char* host : {"127.0.0.1", "10.1.2.3", "[::1]", "[fd00::1]", "smsc.example.net"}) {
    EXPECT_EQ(mistakes_in(at(host, "")), Said{}) << host;
  }
  for (const char* host : {"192.0.2.1", "[2001:db8::1]"}) {
    const Said said = mistakes_in(at(host, ""));
    ASSERT_EQ(said.size(), 1u) << host;
    EXPECT_NE(said[0].find("say tls = true, or tls = false"), std::string::npos) << said[0];
    EXPECT_EQ(mistakes_in(at(host, "tls = false\n")), Said{}) << host;
  }
}

TEST(Password, InTheConfigurationAsksForAFileOfItsOwnersOnly) {
  const WrittenConfig group(carrier(), 0640);
  const WrittenConfig world(carrier(), 0604);

  EXPECT_EQ(mistakes_in(group),
            Said{"carrier[0].password: this file holds a password and is readable by others (mode "
                 "0640); chmod 600 " +
                 group.path().string()});
  EXPECT_EQ(mistakes_in(world).size(), 1U);
  EXPECT_EQ(mistakes_in(WrittenConfig(carrier(), 0600)), Said{});
  EXPECT_EQ(mistakes_in(WrittenConfig(carrier(), 0400)), Said{});
}

TEST(Password, ComesFromAFileOfItsOwn) {
  WrittenConfig written("", 0600);
  const auto secret = written.write("north.secret", "hush\n", 0600);
  // A configuration without a password in it may be read by all.
  written.write("stentor.toml",
                std::string(kWithoutPassword) + "password_file = \"" + secret.string() + "\"\n",
                0644);

  EXPECT_EQ(password_of(written), "hush");
}

TEST(Password, AFileThatOthersMayReadIsRefused) {
  WrittenConfig written("", 0600);
  const auto secret = written.write("north.secret", "hush", 0640);
  written.write("stentor.toml",
                std::string(kWithoutPassword) + "password_file = \"" + secret.string() + "\"\n",
                0600);

  EXPECT_EQ(mistakes_in(written),
            Said{"carrier[0].password_file: " + secret.string() +
                 " is readable by others (mode 0640); chmod 600 " + secret.string()});
}

TEST(Password, AFileThatIsMissingOrHoldsTooMuchIsNamed) {
  WrittenConfig written("", 0600);
  const auto secret = written.write("north.secret", "123456789\n", 0600);
  const std::string line = std::string(kWithoutPassword) + "password_file = \"";

  written.write("stentor.toml", line + secret.string() + "\"\n", 0600);
  EXPECT_EQ(mistakes_in(written),
            Said{"carrier[0].password_file: the password in it is 9 octets long; SMPP allows 8"});

  written.write("stentor.toml", line + "/nowhere/x\"\n", 0600);
  EXPECT_EQ(mistakes_in(written), Said{"carrier[0].password_file: cannot read /nowhere/x: No such "
                                       "file or directory"});
}

TEST(Password, ComesFromASystemdCredential) {
  WrittenConfig written(kWithoutPassword, 0644);
  written.write("north.password", "hush\r\n", 0440);
  const Credentials credentials(written.dir());

  EXPECT_EQ(password_of(written), "hush");
}

TEST(Password, IsGivenOnce) {
  WrittenConfig written(carrier("password_file = \"/x\"\n"), 0600);
  EXPECT_EQ(mistakes_in(written),
            Said{"carrier[0].password_file: password is given too; keep one of the two"});

  written.write("stentor.toml", carrier(), 0600);
  written.write("north.password", "hush", 0400);
  const Credentials credentials(written.dir());
  EXPECT_EQ(mistakes_in(written), Said{"carrier[0].password: the credential north.password gives "
                                       "the password too; keep one"});
}

TEST(Password, NeverStandsInAMistake) {
  for (const std::string& said : mistakes_in("[[carrier]]\nname = \"n\"\nhosts = [\"h:1\"]\n"
                                             "system_id = \"s\"\npassword = \"canary-canary\"\n")) {
    EXPECT_EQ(said.find("canary"), std::string::npos) << said;
  }
}

TEST(RouteConfig, RefersToKnownCarriers) {
  EXPECT_EQ(mistakes_in(carrier("[[route]]\ndefault = true\ncarriers = [\"nroth\", \"x\"]\n")),
            (Said{"route[0].carriers: there is no carrier \"nroth\"; did you mean north?",
                  "route[0].carriers: there is no carrier \"x\""}));
  EXPECT_EQ(mistakes_in(carrier("[[route]]\ndefault = true\ncarriers = [\"north\", \"north\"]\n")),
            Said{"route[0].carriers: names \"north\" twice"});
}

TEST(RouteConfig, IsForPrefixesOrForTheRest) {
  const std::string to_north = "carriers = [\"north\"]\n";
  EXPECT_EQ(mistakes_in(carrier("[[route]]\n" + to_north)),
            Said{"route[0]: a route needs prefix = [\"7\"] or default = true"});
  EXPECT_EQ(mistakes_in(carrier("[[route]]\nprefix = []\n" + to_north)),
            Said{"route[0].prefix: a route needs prefix = [\"7\"] or default = true"});
  EXPECT_EQ(mistakes_in(carrier("[[route]]\nprefix = [\"7\"]\ndefault = true\n" + to_north)),
            Said{"route[0].default: prefix is given too; a route is for prefixes or for the rest"});
  EXPECT_EQ(mistakes_in(carrier("[[route]]\ndefault = true\n")),
            Said{"route[0]: a route needs carriers"});
}

TEST(RouteConfig, APrefixIsDigitsAndStandsOnce) {
  for (const std::string_view bad : {"", "+7", "07", "7a", "1234567890123456"}) {
    const auto said = mistakes_in(
        carrier("[[route]]\nprefix = [\"" + std::string(bad) + "\"]\ncarriers = [\"north\"]\n"));
    ASSERT_EQ(said.size(), 1U) << bad;
    EXPECT_TRUE(said[0].starts_with("route[0].prefix: ")) << said[0];
  }
  EXPECT_EQ(mistakes_in(carrier("[[route]]\nprefix = [\"7\"]\ncarriers = [\"north\"]\n"
                                "[[route]]\nprefix = [\"8\", \"7\"]\ncarriers = [\"north\"]\n")),
            Said{"route[1].prefix: \"7\" has a route already, on line 7"});
  EXPECT_EQ(mistakes_in(carrier("[[route]]\ndefault = true\ncarriers = [\"north\"]\n"
                                "[[route]]\ndefault = true\ncarriers = [\"north\"]\n")),
            Said{"route[1].default: line 7 has a default route already"});
}

TEST(RouteConfig, ASenderIsAShortNameOrANumber) {
  const std::string route = "[[route]]\ndefault = true\ncarriers = [\"north\"]\nfrom = \"";
  for (const std::string_view good : {"SHOP", "12345678901", "ABCDEFGHIJK", "+123456789012345"}) {
    EXPECT_EQ(mistakes_in(carrier(route + std::string(good) + "\"\n")), Said{}) << good;
  }
  for (const std::string_view bad : {"", "ABCDEFGHIJKL", "1234567890123456", "a\\tb"}) {
    EXPECT_EQ(mistakes_in(carrier(route + std::string(bad) + "\"\n")).size(), 1U) << bad;
  }
}

TEST(ClientConfig, SubmitsUnlessItsRolesSayOtherwise) {
  const WrittenConfig written(carrier("[[client]]\nname = \"crm\"\nusers = [\"crm\"]\n"));
  const auto config = load_config(written.path());

  ASSERT_TRUE(config.has_value());
  EXPECT_TRUE(config->clients.at(0).may_submit);
  EXPECT_FALSE(config->clients.at(0).may_observe);
  EXPECT_FALSE(config->clients.at(0).is_admin);
}

TEST(ClientConfig, IsSomebodyWithAKnownRoleAndStandsOnce) {
  EXPECT_EQ(mistakes_in(carrier("[[client]]\nname = \"crm\"\n")),
            Said{"client[0]: matches nobody: name users or groups"});
  EXPECT_EQ(mistakes_in(carrier("[[client]]\nname = \"crm\"\nusers = [\"a\"]\nroles = "
                                "[\"root\"]\n")),
            Said{"client[0].roles: \"root\" is not a role: submit, observe, admin"});
  EXPECT_EQ(mistakes_in(carrier("[[client]]\nname = \"a\"\nusers = [\"u\"]\n"
                                "[[client]]\nname = \"a\"\nusers = [\"u\"]\n")),
            (Said{"client[1].name: \"a\" stands on line 7 already",
                  "client[1].users: \"u\" stands on line 8 already"}));
  EXPECT_EQ(mistakes_in(carrier("[[client]]\nname = \"a\"\nusers = [\"u\"]\ncarriers = [\"z\"]\n")),
            Said{"client[0].carriers: there is no carrier \"z\""});
}

}  // namespace
}  // namespace stentor::daemon
