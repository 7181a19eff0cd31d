// What load_config says about a carrier whose SMSC connects to us.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <string>
#include <string_view>
#include <vector>

#include "daemon/config/config.h"
#include "tests/daemon/config/written_config.h"

namespace stentor::daemon {
namespace {

using Said = std::vector<std::string>;

std::string carrier(std::string_view more, std::string_view hosts = "127.0.0.1:2775",
                    std::string_view name = "north") {
  return "[[carrier]]\nname = \"" + std::string(name) + "\"\nhosts = [\"" + std::string(hosts) +
         "\"]\nsystem_id = \"s\"\npassword = \"p\"\n" + std::string(more) + "\n";
}

Said mistakes_in(const std::string& text) {
  const WrittenConfig written(text);
  const auto config = load_config(written.path());
  Said said;
  if (config) return said;
  for (const ConfigMistake& mistake : config.error()) {
    said.push_back(mistake.key + ": " + mistake.what);
  }
  return said;
}

OutbindConfig read(const std::string& text) {
  const WrittenConfig written(text);
  const auto config = load_config(written.path());
  EXPECT_TRUE(config) << to_string(config.error().at(0));
  if (!config) return {};
  return config->carriers.at(0).outbind.value_or(OutbindConfig{});
}

TEST(OutbindConfig, TakesTheHostsForThoseWhoMayConnect) {
  const OutbindConfig outbind = read(carrier("outbind = { listen = \"127.0.0.1:2776\" }"));
  EXPECT_EQ(outbind.listen, "127.0.0.1:2776");
  EXPECT_EQ(outbind.system_id, "");
  EXPECT_EQ(outbind.password, "");
  EXPECT_TRUE(outbind.connect);
  EXPECT_EQ(outbind.allow_text, Said{"127.0.0.1"});
  ASSERT_EQ(outbind.allow.size(), 1u);
  EXPECT_EQ(outbind.allow.front().bits, 128u);
}

TEST(OutbindConfig, IsDescribedSoThatItReadsBackTheSameButForThePassword) {
  const WrittenConfig written(
      carrier("outbind = { listen = \"[::1]:2776\", system_id = \"SMSC\", password = \"hush\", "
              "allow = [\"10.0.0.0/8\"], connect = false }"));
  const auto config = load_config(written.path());
  ASSERT_TRUE(config) << to_string(config.error().at(0));
  const std::string text = describe(*config);
  EXPECT_NE(text.find("outbind = { listen = \"[::1]:2776\", system_id = \"SMSC\", password = "
                      "\"***\", allow = [\"10.0.0.0/8\"], connect = false }"),
            std::string::npos)
      << text;
  EXPECT_EQ(text.find("hush"), std::string::npos);
}

TEST(OutbindConfig, NamesWhatIsWrong) {
  EXPECT_EQ(mistakes_in(carrier("outbind = { }")),
            Said{"carrier[0].outbind: needs listen, such as listen = \"127.0.0.1:2776\""});
  EXPECT_EQ(mistakes_in(carrier("outbind = { listen = \"smsc.example:2776\" }")),
            Said{"carrier[0].outbind.listen: \"smsc.example:2776\" is not address:port with a port "
                 "of 1 to 65535; an IPv6 address stands in brackets"});
  EXPECT_EQ(mistakes_in(carrier("outbind = { listen = \"127.0.0.1:1\", allow = [\"10.0.0.0/99\"], "
                                "system_id = \"\" }")),
            (Said{"carrier[0].outbind.system_id: is empty; leave it out to take any",
                  "carrier[0].outbind.allow: \"10.0.0.0/99\" is no network such as 10.0.0.0/8"}));
  EXPECT_EQ(mistakes_in(carrier("outbind = { listen = \"127.0.0.1:1\", allow = [] }")),
            Said{"carrier[0].outbind.allow: names nobody"});
  EXPECT_EQ(mistakes_in(carrier("outbind = { listen = \"127.0.0.1:1\" }", "localhost:2775")),
            Said{"carrier[0].outbind: localhost in hosts is a name, not an address: say in allow "
                 "which addresses may connect"});
  EXPECT_EQ(mistakes_in(carrier("outbind = { listen = \"127.0.0.1:1\", password = \"ninechars\" "
                                "}"))
                .size(),
            1u);
}

TEST(OutbindConfig, GoesNeitherWithTlsNorWithoutABindThatReceives) {
  EXPECT_EQ(mistakes_in(carrier("tls = true\noutbind = { listen = \"127.0.0.1:1\" }")),
            Said{"carrier[0].outbind: not with tls = true: what the SMSC opens is plain text"});
  EXPECT_EQ(mistakes_in(carrier("binds = { transmitter = 1 }\nreceipts = false\n"
                                "outbind = { listen = \"127.0.0.1:1\" }")),
            Said{"carrier[0].outbind: asks for a bind that receives: add a receiver or a "
                 "transceiver"});
}

TEST(OutbindConfig, TwoCarriersDoNotListenOnOneAddress) {
  const std::string outbind = "outbind = { listen = \"127.0.0.1:2776\" }";
  const Said said = mistakes_in(carrier(outbind) + carrier(outbind, "127.0.0.1:2775", "south"));
  EXPECT_EQ(said, Said{"carrier[1].outbind: line 6 has a carrier that listens on 127.0.0.1:2776 "
                       "already"});
}

TEST(OutbindConfig, KeepsItsPasswordOutOfAFileThatOthersRead) {
  const WrittenConfig written(
      carrier("outbind = { listen = \"127.0.0.1:2776\", password = \"hush\" }"));
  ::chmod(written.path().c_str(), 0644);
  const auto config = load_config(written.path());
  ASSERT_FALSE(config);
  bool is_named = false;
  for (const ConfigMistake& mistake : config.error()) {
    is_named = is_named || mistake.key == "carrier[0].outbind.password";
    EXPECT_EQ(mistake.what.find("hush"), std::string::npos);
  }
  EXPECT_TRUE(is_named);
}

TEST(OutbindConfig, TakesItsPasswordFromAFileOfItsOwn) {
  WrittenConfig written("");
  const auto secret = written.write("smsc.secret", "hush-hsh\n", 0600);
  written.write("stentor.toml",
                carrier("outbind = { listen = \"127.0.0.1:2776\", password_file = \"" +
                        secret.string() + "\" }"),
                0600);
  const auto config = load_config(written.path());
  ASSERT_TRUE(config) << to_string(config.error().at(0));
  ASSERT_TRUE(config->carriers.at(0).outbind);
  EXPECT_EQ(config->carriers.at(0).outbind->password, "hush-hsh");
  EXPECT_EQ(config->carriers.at(0).password, "p");
}

TEST(OutbindConfig, TakesNoPasswordFileThatIsOpenEmptyOrOneOfTwo) {
  WrittenConfig written("");
  const auto open = written.write("open.secret", "hush", 0644);
  const auto empty = written.write("empty.secret", "\n", 0600);
  const auto said = [&](std::string_view more) {
    return mistakes_in(
        carrier("outbind = { listen = \"127.0.0.1:2776\", " + std::string(more) + " }"));
  };

  EXPECT_EQ(said("password_file = \"" + open.string() + "\""),
            Said{"carrier[0].outbind.password_file: " + open.string() +
                 " is readable by others (mode 0644); chmod 600 " + open.string()});
  // Empty, it would let in whoever comes.
  EXPECT_EQ(said("password_file = \"" + empty.string() + "\""),
            Said{"carrier[0].outbind: its password is empty; leave it out to take any"});
  EXPECT_EQ(said("password = \"\""),
            Said{"carrier[0].outbind: its password is empty; leave it out to take any"});
  EXPECT_EQ(said("password = \"a\", password_file = \"" + empty.string() + "\""),
            Said{"carrier[0].outbind.password_file: password is given too; keep one of the two"});
}

TEST(OutbindConfig, TakesItsPasswordFromACredentialThatIsNotTheCarriers) {
  WrittenConfig written(carrier("outbind = { listen = \"127.0.0.1:2776\" }"));
  written.write("north.outbind_password", "hush", 0440);
  const Credentials credentials(written.dir());
  const auto config = load_config(written.path());
  ASSERT_TRUE(config) << to_string(config.error().at(0));
  EXPECT_EQ(config->carriers.at(0).outbind->password, "hush");
  EXPECT_EQ(config->carriers.at(0).password, "p");
}

}  // namespace
}  // namespace stentor::daemon
