#include "daemon/config/config.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "tests/daemon/config/written_config.h"

namespace stentor::daemon {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kCarrier = R"(
[[carrier]]
name      = "north"
hosts     = ["127.0.0.1:2775"]
system_id = "stentor"
password  = "secret"
)";

std::string with_carrier(std::string_view before, std::string_view after = "") {
  return std::string(before).append(kCarrier).append(after);
}

// What load_config says about a file, each mistake as "LINE KEY: WHAT".
std::vector<std::string> mistakes_in(const WrittenConfig& written) {
  const auto config = load_config(written.path());
  std::vector<std::string> said;
  if (config) return said;
  for (const ConfigMistake& mistake : config.error()) {
    said.push_back(std::to_string(mistake.line) + " " + mistake.key + ": " + mistake.what);
  }
  return said;
}
std::vector<std::string> mistakes_in(std::string_view text) {
  return mistakes_in(WrittenConfig(text));
}

using Said = std::vector<std::string>;

TEST(Config, ACarrierIsEnoughAndTheRestHasItsDefault) {
  const auto config = load_config(WrittenConfig(kCarrier).path());

  ASSERT_TRUE(config.has_value());
  EXPECT_EQ(config->node, 1U);
  EXPECT_EQ(config->state_dir, "/var/lib/stentor");
  EXPECT_EQ(config->socket.mode, 0660U);
  EXPECT_EQ(config->metrics.port, 9477);
  EXPECT_EQ(config->journal.retention, 72h);
  EXPECT_EQ(config->queue.memory_octets, 512U << 20U);
  ASSERT_EQ(config->carriers.size(), 1U);
  EXPECT_EQ(config->carriers[0].password, "secret");
  EXPECT_EQ(config->carriers[0].window, 100U);
  EXPECT_EQ(config->carriers[0].binds.transceivers, 1U);
}

TEST(Config, WithoutRoutesEveryNumberGoesToTheCarriersInTheirOrder) {
  const auto config = load_config(WrittenConfig(kCarrier).path());

  ASSERT_TRUE(config.has_value());
  ASSERT_EQ(config->routes.size(), 1U);
  EXPECT_TRUE(config->routes[0].is_default);
  EXPECT_EQ(config->routes[0].carriers, std::vector<std::string>{"north"});
}

// Every key of the contract that can be used today, none at its default.
constexpr std::string_view kEveryKey = R"(
node      = 1023
state_dir = "/tmp/state"
[socket]
path = "/tmp/s.sock"
mode = "0600"
group = "sms"
[metrics]
listen = "[::1]:9100"
[journal]
commit_delay   = "2ms"
retention      = "30m"
retention_size = "3GiB"
min_free       = "100MiB"
checkpoint     = "16MiB"
io             = "threads"
[queue]
memory = "64MiB"
guard  = "90s"
shards = 4
[[client]]
name = "crm"
users = ["root"]
groups = ["adm"]
roles = ["submit", "observe", "admin"]
senders = ["SHOP"]
carriers = ["north"]
rate = 0
weight = 100
binary = true
[[carrier]]
name = "north"
hosts = ["a.example:1", "[::1]:65535"]
system_id = "123456789012345"
password = "12345678"
system_type = "VMA"
service_type = "CMT"
address_range = "^7"
addr_ton = 1
addr_npi = 255
source = { ton = 5, npi = 0 }
destination = { ton = 1, npi = 1 }
interface_version = 0x33
binds = { transmitter = 2, receiver = 1 }
window = 1
rate = 30
tls = false
alphabet = "latin1"
long = "udh16"
message_id = "hex"
receipts = true
validity = "absolute"
validity_max = "48h"
uncertain = "resend"
enquire_link = "1s"
response_timeout = "1h"
bind_timeout = "2m"
[[route]]
prefix = ["7", "375"]
carriers = ["north"]
from = "SHOP"
replace = "safe"
[[route]]
default = true
carriers = ["north"]
)";

TEST(Config, ReadsEveryKeyThatCanBeUsed) {
  const auto config = load_config(WrittenConfig(kEveryKey).path());

  ASSERT_TRUE(config.has_value()) << to_string(config.error().front());
  EXPECT_EQ(config->node, 1023U);
  EXPECT_EQ(config->state_dir, "/tmp/state");
  EXPECT_EQ(config->socket.path, "/tmp/s.sock");
  EXPECT_EQ(config->socket.mode, 0600U);
  EXPECT_EQ(config->socket.group, "sms");
  EXPECT_EQ(config->metrics.host, "::1");
  EXPECT_EQ(config->metrics.port, 9100);
  EXPECT_EQ(config->journal.commit_delay, 2ms);
  EXPECT_EQ(config->journal.retention, 30min);
  EXPECT_EQ(config->journal.retention_octets, 3ULL << 30);
  EXPECT_EQ(config->journal.free_octets_min, 100ULL << 20);
  EXPECT_EQ(config->journal.checkpoint_octets, 16ULL << 20);
  EXPECT_EQ(config->journal.io, JournalIo::threads);
  EXPECT_EQ(config->queue.memory_octets, 64ULL << 20);
  EXPECT_EQ(config->queue.guard, 90s);
  EXPECT_EQ(config->queue.shards, 4U);

  const ClientConfig& client = config->clients.at(0);
  EXPECT_EQ(client.name, "crm");
  EXPECT_EQ(client.groups, std::vector<std::string>{"adm"});
  EXPECT_TRUE(client.may_submit && client.may_observe && client.is_admin);
  EXPECT_TRUE(client.may_send_binary);
  EXPECT_EQ(client.weight, 100);
  EXPECT_EQ(weight_of_client(*config, "crm"), 100);
  EXPECT_EQ(weight_of_client(*config, "web"), 1) << "nobody said";

  const CarrierConfig& carrier = config->carriers.at(0);
  EXPECT_EQ(carrier.hosts.at(0).host, "a.example");
  EXPECT_EQ(carrier.hosts.at(1).host, "::1");
  EXPECT_EQ(carrier.hosts.at(1).port, 65535);
  EXPECT_EQ(carrier.system_type, "VMA");
  EXPECT_EQ(carrier.service_type, "CMT");
  EXPECT_EQ(carrier.address_range, "^7");
  EXPECT_EQ(carrier.address_numbering.ton, 1);
  EXPECT_EQ(carrier.address_numbering.npi, 255);
  if (!carrier.source.others || !carrier.destination.others) FAIL() << "no numbering";
  EXPECT_EQ(carrier.source.others->ton, 5);
  EXPECT_EQ(carrier.destination.others->npi, 1);
  EXPECT_EQ(carrier.interface_version, 0x33);
  EXPECT_EQ(carrier.binds.transceivers, 0U);
  EXPECT_EQ(carrier.binds.transmitters, 2U);
  EXPECT_EQ(carrier.binds.receivers, 1U);
  EXPECT_EQ(carrier.window, 1U);
  EXPECT_EQ(carrier.rate, 30U);
  EXPECT_EQ(carrier.alphabets, std::vector{encoding::Alphabet::latin1});
  EXPECT_EQ(carrier.data_codings, std::vector<std::uint8_t>{0});
  EXPECT_EQ(carrier.long_messages, LongMessages::udh16);
  EXPECT_EQ(carrier.message_id, MessageIds::hex);
  EXPECT_EQ(carrier.validity, ValidityForm::absolute);
  EXPECT_EQ(carrier.validity_max, 48h);
  EXPECT_EQ(carrier.enquire_link, 1s);
  EXPECT_EQ(carrier.response_timeout, 1h);
  EXPECT_EQ(carrier.bind_timeout, 2min);

  EXPECT_EQ(config->routes.at(0).from, "SHOP");
  EXPECT_EQ(config->routes.at(0).prefixes, (std::vector<std::string>{"7", "375"}));
  EXPECT_TRUE(config->routes.at(1).is_default);
}

TEST(Config, WhatDescribeWritesReadsBackAlikeAndHoldsNoPassword) {
  const auto config = load_config(WrittenConfig(kEveryKey).path());
  ASSERT_TRUE(config.has_value());

  const std::string page = describe(*config);
  const auto again = load_config(WrittenConfig(page).path());

  EXPECT_EQ(page.find("12345678\""), std::string::npos);
  ASSERT_TRUE(again.has_value()) << to_string(again.error().front());
  EXPECT_EQ(describe(*again), page);
}

TEST(Config, NamesAllMistakesInOneRunWithTheirLines) {
  EXPECT_EQ(mistakes_in("node = 1024\n"
                        "[metrics]\n"
                        "listen = \"nowhere\"\n"
                        "[[carrier]]\n"
                        "name = \"a\"\n"
                        "hosts = [\"h:0\"]\n"
                        "system_id = \"x\"\n"
                        "password = \"x\"\n"
                        "window = 0\n"),
            (Said{"1 node: is 1024; must be 0 to 1023",
                  "3 metrics.listen: \"nowhere\" is not address:port with a port of 1 to 65535; an "
                  "IPv6 address stands in brackets",
                  "6 carrier[0].hosts: \"h:0\" is not host:port with a port of 1 to 65535; an IPv6 "
                  "address stands in brackets",
                  "9 carrier[0].window: is 0; must be 1 to 65536"}));
}

TEST(Config, AMistakePrintsFileLineAndKeyAndStaysOneLine) {
  EXPECT_EQ(to_string(ConfigMistake{"stentor.toml", 12, "carrier[0].window", "must be at least 1"}),
            "stentor.toml:12: carrier[0].window: must be at least 1");
  EXPECT_EQ(to_string(ConfigMistake{"stentor.toml", 0, "", "cannot read it"}),
            "stentor.toml: cannot read it");
  EXPECT_EQ(to_string(ConfigMistake{"f", 1, "a\nb\x1b", "w"}), "f:1: a\\x0ab\\x1b: w");
}

TEST(Config, SuggestsTheKnownKeyForAMistypedOne) {
  EXPECT_EQ(mistakes_in(with_carrier("nod = 1\n")), Said{"1 nod: unknown key; did you mean node?"});
  EXPECT_EQ(mistakes_in(with_carrier("", "windwo = 10\n")),
            Said{"7 carrier[0].windwo: unknown key; did you mean window?"});
  EXPECT_EQ(mistakes_in(with_carrier("[journal]\nretension = \"1h\"\n")),
            Said{"2 journal.retension: unknown key; did you mean retention?"});
  EXPECT_EQ(mistakes_in(with_carrier("[jornal]\n")), Said{"1 jornal: unknown key; did you mean "
                                                          "journal?"});
}

TEST(Config, SuggestsNothingForAWordThatIsFarFromAll) {
  EXPECT_EQ(mistakes_in(with_carrier("zzzzzz = 1\n")), Said{"1 zzzzzz: unknown key"});
}

TEST(Config, NamesTheLineOfASyntaxError) {
  const auto said = mistakes_in("node = 1\nnode = = 2\n");

  ASSERT_EQ(said.size(), 1U);
  EXPECT_TRUE(said[0].starts_with("2 : ")) << said[0];
}

TEST(Config, ADuplicateKeyIsASyntaxError) {
  const auto said = mistakes_in("node = 1\nnode = 2\n");

  ASSERT_EQ(said.size(), 1U);
  EXPECT_TRUE(said[0].starts_with("2 : ")) << said[0];
}

TEST(Config, SaysThatTheFileIsMissing) {
  const WrittenConfig written("");
  const auto config = load_config(written.dir() / "absent.toml");

  ASSERT_FALSE(config.has_value());
  EXPECT_EQ(config.error().at(0).what, "cannot read it: No such file or directory");
  EXPECT_EQ(config.error().at(0).line, 0U);
}

TEST(Config, SaysThatItIsADirectoryOrTooLarge) {
  const WrittenConfig large(std::string((1U << 20) + 1, '#'));

  EXPECT_EQ(mistakes_in(large), Said{"0 : cannot read it: File too large"});
  EXPECT_EQ(load_config(large.dir()).error().at(0).what, "cannot read it: Is a directory");
}

TEST(Config, AFileAtTheBoundIsRead) {
  std::string text(kCarrier);
  text.resize(1U << 20, '\n');
  EXPECT_EQ(mistakes_in(text), Said{});
}

TEST(Config, AnEmptyFileLacksACarrier) {
  EXPECT_EQ(mistakes_in(""), Said{"0 : needs at least one [[carrier]]"});
}

TEST(Config, AWrongTypeSaysBoth) {
  EXPECT_EQ(mistakes_in(with_carrier("node = \"1\"\n")),
            Said{"1 node: must be a number, not a text"});
  EXPECT_EQ(mistakes_in(with_carrier("socket = 5\n")), Said{"1 socket: must be a table, not a "
                                                            "number"});
  EXPECT_EQ(mistakes_in(with_carrier("", "receipts = \"yes\"\n")),
            Said{"7 carrier[0].receipts: must be true or false, not a text"});
  EXPECT_EQ(mistakes_in(with_carrier("state_dir = 1.5\n")),
            Said{"1 state_dir: must be a text, not a date or a fraction"});
  EXPECT_EQ(mistakes_in("carrier = 5\n"), Said{"1 carrier: must be written [[carrier]], one for "
                                               "each"});
}

TEST(Config, TimesAndSizesNeedTheirUnit) {
  constexpr std::string_view kTime =
      "must be a time: a whole number and ms, s, m or h, such as \"30s\"";
  for (const std::string_view bad : {"30", "\"30\"", "\"30 s\"", "\"-1s\"", "\"1.5s\"", "\"s\"",
                                     "\"1d\"", "\"1m30s\"", "\"99999999999999999999h\""}) {
    EXPECT_EQ(mistakes_in(with_carrier("[queue]\nguard = " + std::string(bad) + "\n")),
              Said{"2 queue.guard: " + std::string(kTime)})
        << bad;
  }
  EXPECT_EQ(mistakes_in(with_carrier("[queue]\nmemory = \"512MB\"\n")),
            Said{"2 queue.memory: must be a size: a whole number and KiB, MiB or GiB, such as "
                 "\"512MiB\""});
  EXPECT_EQ(mistakes_in(with_carrier("[queue]\nguard = \"1500ms\"\n")),
            Said{"2 queue.guard: must be whole seconds"});
}

TEST(Config, ABoundIsHeldOnBothSides) {
  EXPECT_EQ(mistakes_in(with_carrier("node = 0\n")), Said{});
  EXPECT_EQ(mistakes_in(with_carrier("node = -1\n")), Said{"1 node: is -1; must be 0 to 1023"});
  EXPECT_EQ(mistakes_in(with_carrier("[journal]\ncommit_delay = \"250ms\"\n")), Said{});
  EXPECT_EQ(mistakes_in(with_carrier("[journal]\ncommit_delay = \"251ms\"\n")),
            Said{"2 journal.commit_delay: is 251ms; must be 0ms to 250ms"});
  EXPECT_EQ(mistakes_in(with_carrier("[queue]\nmemory = \"16MiB\"\n")), Said{});
  EXPECT_EQ(mistakes_in(with_carrier("[queue]\nmemory = \"15MiB\"\n")),
            Said{"2 queue.memory: is 15MiB; must be 16MiB to 1048576GiB"});
  EXPECT_EQ(mistakes_in(with_carrier("", "window = 65536\n")), Said{});
  EXPECT_EQ(mistakes_in(with_carrier("", "window = 65537\n")),
            Said{"7 carrier[0].window: is 65537; must be 1 to 65536"});
}

TEST(Config, ShardsAreAutoOrANumber) {
  EXPECT_EQ(mistakes_in(with_carrier("[queue]\nshards = \"auto\"\n")), Said{});
  EXPECT_EQ(mistakes_in(with_carrier("[queue]\nshards = 256\n")), Said{});
  EXPECT_EQ(mistakes_in(with_carrier("[queue]\nshards = 257\n")),
            Said{"2 queue.shards: is 257; must be 1 to 256"});
  EXPECT_EQ(mistakes_in(with_carrier("[queue]\nshards = \"many\"\n")),
            Said{"2 queue.shards: must be \"auto\" or a number of 1 to 256"});
}

TEST(Config, TheSocketsModeAndPathAreChecked) {
  EXPECT_EQ(mistakes_in(with_carrier("[socket]\nmode = \"0999\"\n")),
            Said{"2 socket.mode: must be permission bits in octal, such as \"0660\""});
  EXPECT_EQ(mistakes_in(with_carrier("[socket]\nmode = 660\n")),
            Said{"2 socket.mode: must be a text, not a number"});
  const std::string path(107, 'p');
  EXPECT_EQ(mistakes_in(with_carrier("[socket]\npath = \"" + path + "\"\n")), Said{});
  EXPECT_EQ(mistakes_in(with_carrier("[socket]\npath = \"" + path + "p\"\n")),
            Said{"2 socket.path: is 108 octets long; at most 107"});
}

TEST(Config, AWordOutsideItsListIsNamedWithTheList) {
  EXPECT_EQ(mistakes_in(with_carrier("[journal]\nio = \"aio\"\n")),
            Said{"2 journal.io: is \"aio\"; must be one of auto, uring, threads"});
  EXPECT_EQ(mistakes_in(with_carrier("", "alphabet = \"utf8\"\n")),
            Said{"7 carrier[0].alphabet: is \"utf8\"; must be one of gsm7, gsm7_packed, latin1, "
                 "ascii"});
}

TEST(Config, EncodingsAreListedInOrderEachWithItsDataCoding) {
  const WrittenConfig written(with_carrier(
      "",
      "encodings = [{ alphabet = \"latin1\", data_coding = 3 }, { alphabet = \"ucs2\", "
      "data_coding = 24 }]\nnational = [\"tr\", \"pt\"]\n"));
  const auto config = load_config(written.path());
  ASSERT_TRUE(config) << to_string(config.error().front());
  const CarrierConfig& carrier = config->carriers[0];
  EXPECT_EQ(carrier.alphabets, (std::vector{encoding::Alphabet::latin1, encoding::Alphabet::ucs2}));
  EXPECT_EQ(carrier.data_codings, (std::vector<std::uint8_t>{3, 24}));
  EXPECT_TRUE(carrier.national.allows(encoding::NationalLanguage::portuguese));
  EXPECT_FALSE(carrier.national.allows(encoding::NationalLanguage::hindi));
}

TEST(Config, MistakesInEncodingsAndNationalAreNamed) {
  const auto first = [](const std::string& lines) {
    const auto mistakes = mistakes_in(with_carrier("", lines));
    return mistakes.empty() ? std::string("none") : mistakes.front();
  };
  EXPECT_NE(first("encodings = []\n").find("at least one alphabet"), std::string::npos);
  EXPECT_NE(first("encodings = [{ alphabet = \"gsm7\" }]\n").find("needs data_coding"),
            std::string::npos);
  EXPECT_NE(first("alphabet = \"gsm7\"\nencodings = [{ alphabet = \"gsm7\", data_coding = 0 }]\n")
                .find("keep one"),
            std::string::npos);
  EXPECT_NE(first("encodings = [{ alphabet = \"gsm7\", data_coding = 0 }, { alphabet = \"gsm7\", "
                  "data_coding = 1 }]\n")
                .find("twice"),
            std::string::npos);
  EXPECT_NE(first("encodings = [{ alphabet = \"gsm7\", data_coding = 256 }]\n").find("255"),
            std::string::npos);
  EXPECT_NE(first("national = [\"xx\"]\n").find("no national language table"), std::string::npos);
}

TEST(Config, ATextForAPduHoldsNoNul) {
  EXPECT_EQ(mistakes_in(with_carrier("", "system_type = \"a\\u0000b\"\n")),
            Said{"7 carrier[0].system_type: must not contain a NUL"});
}

TEST(Config, ACarrierSaysWhatIsDoneInDoubt) {
  const auto config =
      load_config(WrittenConfig(with_carrier("", "uncertain = \"wait-dlr:30,hold\"\n")).path());
  ASSERT_TRUE(config);
  EXPECT_EQ(to_string(config->carriers[0].uncertain), "wait-dlr:30,hold");
  EXPECT_EQ(mistakes_in(with_carrier("", "uncertain = \"wait-dlr:\"\n")),
            Said{"7 carrier[0].uncertain: is \"wait-dlr:\"; must be one of resend, hold, fail, "
                 "wait-dlr:SECONDS, wait-dlr:SECONDS,hold"});
}

TEST(Config, AClientWeighsOneToAHundred) {
  const std::string client = "[[client]]\nname = \"c\"\nusers = [\"u\"]\n";
  const auto said = [&](const std::string& line) {
    return mistakes_in(with_carrier("", client + line));
  };

  EXPECT_EQ(said("weight = 1\n"), Said{});
  for (const std::string line : {"weight = 0\n", "weight = 101\n"}) {
    ASSERT_EQ(said(line).size(), 1U) << line;
    EXPECT_NE(said(line)[0].find("client[0].weight: "), std::string::npos) << said(line)[0];
  }
  const auto config = load_config(WrittenConfig(with_carrier("", client + "weight = 30\n")).path());
  ASSERT_TRUE(config);
  EXPECT_NE(describe(*config).find("weight = 30\n"), std::string::npos);
}

TEST(Config, WhatIsNotBuiltYetIsRefusedByName) {
  const std::vector<std::pair<std::string, std::string>> lines{
      {"[[client]]\nname = \"c\"\nusers = [\"u\"]\nrate = 5",
       "client[0].rate: not supported yet: a rate per client"},
      {"[[client]]\nname = \"c\"\nusers = [\"u\"]\nmax_waiting = 1000000",
       "client[0].max_waiting: not supported yet: a bound on one client's waiting messages"},
  };
  for (const auto& [line, what] : lines) {
    const auto said = mistakes_in(with_carrier("", line + "\n"));
    ASSERT_EQ(said.size(), 1U) << line;
    EXPECT_EQ(said[0].substr(said[0].find(' ') + 1), what);
  }
}

TEST(Config, TlsTakesItsFilesAndPins) {
  WrittenConfig files("", 0600);
  const auto key = files.write("key.pem", "x", 0600).string();
  const auto open_key = files.write("open.pem", "x", 0644).string();
  const std::string pin = std::string(43, 'A') + '=';
  const auto said = [](const std::string& lines) { return mistakes_in(with_carrier("", lines)); };

  EXPECT_EQ(said("tls = true\nca = \"" + open_key + "\"\ncert = \"" + open_key + "\"\nkey = \"" +
                 key + "\"\npin = [\"" + pin + "\"]\n"),
            Said{});
  EXPECT_EQ(said("tls = true\npin = \"" + pin + "\"\n"), Said{});
  EXPECT_EQ(said("ca = \"" + key + "\"\n"), Said{"7 carrier[0].ca: goes with tls = true only"});
  EXPECT_EQ(said("tls = true\nkey = \"" + key + "\"\n"),
            Said{"8 carrier[0].key: cert and key go together"});
  EXPECT_EQ(said("tls = true\npin = \"x\"\n"),
            Said{"8 carrier[0].pin: must be the SHA-256 of the carrier's public key in base64, 44 "
                 "characters"});
  EXPECT_NE(said("tls = true\nkey = \"" + open_key + "\"\ncert = \"" + key + "\"\n")
                .at(0)
                .find("readable by others"),
            std::string::npos);
  EXPECT_NE(said("tls = true\nca = \"/nowhere/ca.pem\"\n").at(0).find("cannot read"),
            std::string::npos);
}

TEST(Config, WhatAsksForNothingIsNoMistakeAlthoughItsFunctionIsMissing) {
  EXPECT_EQ(mistakes_in(with_carrier("", "tls = false\nuncertain = \"resend\"\nnational = []\n")),
            Said{});
}

}  // namespace
}  // namespace stentor::daemon
