#include "daemon/ctl/command_line.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "tests/daemon/ctl/fake_daemon.h"

namespace stentor::ctl {
namespace {

struct Ran {
  int status;
  std::string out;
  std::string err;
};

Ran ran(std::vector<std::string> arguments, const std::string& input = "") {
  std::istringstream in(input);
  std::ostringstream out;
  std::ostringstream err;
  const int status = run(arguments, {.in = &in, .out = &out, .err = &err});
  return {.status = status, .out = out.str(), .err = err.str()};
}

// Runs against a daemon that gives every line the same answer.
class Against {
 public:
  explicit Against(std::string answer)
      : daemon_([answer](std::size_t connection, std::string_view) {
          return std::vector<Answer>{{connection, answer}};
        }) {}

  Ran ran(std::vector<std::string> arguments, const std::string& input = "") {
    arguments.insert(arguments.begin(), {"--socket", daemon_.path()});
    return ctl::ran(std::move(arguments), input);
  }
  [[nodiscard]] std::vector<std::string> heard() const { return daemon_.heard(); }
  [[nodiscard]] const FakeDaemon& daemon() const { return daemon_; }

 private:
  FakeDaemon daemon_;
};

using Lines = std::vector<std::string>;

constexpr auto kAccepted = R"({"status":"accepted","id":"ID1","segments":2,"encoding":"ucs2"})";
constexpr auto kRejected =
    R"({"status":"rejected","error":{"code":"bad_destination","detail":"too short"}})";

TEST(CommandLine, WrongUsageIsTwo) {
  for (const Lines& arguments : std::vector<Lines>{
           {},
           {"sned"},
           {"send"},
           {"send", "--to", "+7916", "--priority", "high"},
           {"send", "--to", "1", "--text", "a", "--file", "b"},
           {"send", "--to", "1", "--within", "5"},
           {"send", "--to", "1", "--max-segments", "256"},
           {"message"},
           {"message", "ID", "--ref", "r"},
           {"top", "--interval", "0"},
           {"top", "--once", "--count", "2"},
           {"status", "extra"},
       }) {
    const Ran result = ran(arguments);
    EXPECT_EQ(result.status, 2) << testing::PrintToString(arguments);
    EXPECT_FALSE(result.err.empty());
    EXPECT_EQ(result.out, "");
  }
}

TEST(CommandLine, HelpAndVersionAreNoMistake) {
  EXPECT_EQ(ran({"--help"}).status, 0);
  EXPECT_NE(ran({"send", "--help"}).out.find("--to"), std::string::npos);
  EXPECT_TRUE(ran({"--version"}).out.starts_with("stentorctl "));
}

TEST(CommandLine, NoDaemonIsThreeAndNamesTheSocket) {
  const Ran result = ran({"--socket", "/nowhere/s", "status"});

  EXPECT_EQ(result.status, 3);
  EXPECT_EQ(result.err,
            "stentorctl: cannot reach stentord at /nowhere/s: No such file or directory (is "
            "stentord running? --socket names another place)\n");
}

TEST(CommandLine, AFileThatCannotBeReadIsTwoAndNamed) {
  const Ran result = ran({"send", "--to", "1", "--file", "/nowhere/texts"});

  EXPECT_EQ(result.status, 2);
  EXPECT_EQ(result.err, "stentorctl: cannot read /nowhere/texts: No such file or directory\n");
}

TEST(CommandLine, ADaemonThatSaysNothingIsThreeWhenTheTimeIsOver) {
  const FakeDaemon daemon([](std::size_t, std::string_view) { return std::vector<Answer>{}; });
  const Ran result = ran({"--socket", daemon.path(), "--timeout", "0.02", "status"});

  EXPECT_EQ(result.status, 3);
  EXPECT_NE(result.err.find("said nothing for 0.02 s"), std::string::npos) << result.err;
}

TEST(Send, WritesTheRequestAndPrintsTheId) {
  Against daemon(kAccepted);
  const Ran result = daemon.ran({"send",
                                 "--to",
                                 "+79161234567",
                                 "--from",
                                 "SHOP",
                                 "--text",
                                 "a \"quoted\"\nЖ\x01",
                                 "--ref",
                                 "o-1",
                                 "--campaign",
                                 "c",
                                 "--priority",
                                 "urgent",
                                 "--carrier",
                                 "north",
                                 "--expires",
                                 "3600",
                                 "--not-before",
                                 "2026-01-05T10:00:00Z",
                                 "--encoding",
                                 "ucs2",
                                 "--max-segments",
                                 "3",
                                 "--receipt",
                                 "none"});

  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.out, "accepted ID1  2 segments, ucs2\n");
  EXPECT_EQ(daemon.heard(),
            Lines{R"({"op":"send","ref":"o-1","to":"+79161234567","text":"a \"quoted\"\nЖ\u0001",)"
                  R"("from":"SHOP","campaign":"c","priority":"urgent","carrier":"north",)"
                  R"("not_before":"2026-01-05T10:00:00Z","expires":3600,"encoding":"ucs2",)"
                  R"("max_segments":3,"receipt":"none"})"});
}

TEST(Send, TakesSeveralNumbersInOneRequest) {
  Against daemon(R"({"status":"accepted","messages":[{"to":"7916","id":"A"},)"
                 R"({"to":"12","error":{"code":"bad_destination","detail":"too short"}}]})");
  const Ran result = daemon.ran({"send", "--to", "7916", "--to", "12", "--text", "x"});

  EXPECT_EQ(daemon.heard(), Lines{R"({"op":"send","to":["7916","12"],"text":"x"})"});
  EXPECT_EQ(result.status, 1);
  EXPECT_EQ(result.out, "accepted A  to 7916\n");
  EXPECT_EQ(result.err, "stentorctl: 12: rejected: bad_destination: too short\n");
}

TEST(Send, ARefusalIsOneAndSaysWhy) {
  Against daemon(kRejected);
  const Ran result = daemon.ran({"send", "--to", "1", "--text", "x"});

  EXPECT_EQ(result.status, 1);
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(result.err, "stentorctl: rejected: bad_destination: too short\n");
}

TEST(Send, SendsEachLineAndNumbersTheReferences) {
  Against daemon(kAccepted);
  const Ran result = daemon.ran({"send", "--to", "1", "--ref", "r"}, "one\r\n\nthree");

  EXPECT_EQ(daemon.heard(), (Lines{R"({"op":"send","ref":"r-1","to":"1","text":"one"})",
                                   R"({"op":"send","ref":"r-3","to":"1","text":"three"})"}));
  EXPECT_EQ(result.out,
            "accepted ID1  2 segments, ucs2\naccepted ID1  2 segments, ucs2\n"
            "accepted 2, duplicate 0, rejected 0\n");
}

TEST(Send, NamesTheLineThatWasRefused) {
  Against daemon(kRejected);
  const std::string file = (daemon.daemon().dir() / "texts").string();
  std::ofstream(file) << "one\ntwo\n";

  const Ran result = daemon.ran({"send", "--to", "1", "--file", file});

  EXPECT_EQ(result.status, 1);
  EXPECT_EQ(result.out, "accepted 0, duplicate 0, rejected 2\n");
  EXPECT_NE(result.err.find("stentorctl: line 2: rejected: bad_destination"), std::string::npos);
}

TEST(Send, ManyLinesAreNotHeldUpByTheirAnswers) {
  // Answers far larger than a socket's buffer in all: whoever only writes would never come back.
  Against daemon(R"({"status":"accepted","id":")" + std::string(1000, 'i') + "\"}");
  std::string input;
  for (int i = 0; i < 5000; ++i) input += "some text\n";

  const Ran result = daemon.ran({"send", "--to", "1"}, input);

  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(daemon.heard().size(), 5000U);
  EXPECT_TRUE(result.out.ends_with("accepted 5000, duplicate 0, rejected 0\n"));
}

TEST(Send, ATextOverTheLineLimitIsNamed) {
  Against daemon(kAccepted);
  EXPECT_EQ(daemon.ran({"send", "--to", "1"}, std::string(65536, 'a')).status, 0);

  const Ran result = daemon.ran({"send", "--to", "1"}, std::string(65537, 'a'));
  EXPECT_EQ(result.status, 2);
  EXPECT_NE(result.err.find("standard input:1: a text of 65537 octets; at most 65536"),
            std::string::npos);
}

TEST(Send, ADaemonThatGoesAwaySaysWhatIsUnanswered) {
  Against daemon("");
  const Ran result = daemon.ran({"send", "--to", "1", "--text", "x"});

  EXPECT_EQ(result.status, 3);
  EXPECT_NE(result.err.find("closed the connection without an answer; 1 requests had no answer"),
            std::string::npos)
      << result.err;
}

TEST(Send, PrintsTheDaemonsLinesAsJson) {
  Against daemon(kAccepted);
  const Ran result = daemon.ran({"send", "--to", "1", "--text", "x", "--json"});

  EXPECT_EQ(result.out, std::string(kAccepted) + "\n");
}

// Answers a send on the second connection, then plays events on the first, which subscribed.
FakeDaemon::Script waiting_script(std::vector<std::string> events) {
  return [events](std::size_t connection, std::string_view line) {
    if (line.find("\"events\"") != std::string_view::npos) {
      return std::vector<Answer>{{connection, R"({"status":"ok","consumer":"c","cursor":"0"})"}};
    }
    if (line.find("\"message\"") != std::string_view::npos) {
      return std::vector<Answer>{{connection, R"({"status":"ok","state":"delivered"})"}};
    }
    std::vector<Answer> answers{{connection, R"({"status":"accepted","id":"ID1"})"}};
    for (const std::string& event : events) answers.push_back({1, event});
    return answers;
  };
}

TEST(Send, WaitsForTheFinalEventOfItsOwnMessage) {
  const FakeDaemon daemon(
      waiting_script({R"({"type":"delivered","id":"OTHER"})", R"({"type":"sent","id":"ID1"})",
                      R"({"type":"idle"})", R"({"type":"delivered","id":"ID1","time":"T"})"}));
  const Ran result = ran({"--socket", daemon.path(), "send", "--to", "1", "--text", "x", "--wait"});

  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.out, "accepted ID1\nT  delivered  ID1\n");
}

TEST(Send, WaitingForAFailureIsOne) {
  const FakeDaemon daemon(waiting_script(
      {R"({"type":"failed","id":"ID1","time":"T","code":"absent_subscriber","detail":"err 001"})"}));
  const Ran result = ran({"--socket", daemon.path(), "send", "--to", "1", "--text", "x", "--wait"});

  EXPECT_EQ(result.status, 1);
  EXPECT_EQ(result.out, "accepted ID1\nT  failed     ID1  absent_subscriber  err 001\n");
}

TEST(Send, WithoutReceiptsSentIsTheEnd) {
  const FakeDaemon daemon(waiting_script({R"({"type":"sent","id":"ID1"})"}));
  EXPECT_EQ(ran({"--socket", daemon.path(), "send", "--to", "1", "--text", "x", "--wait",
                 "--receipt", "none"})
                .status,
            0);
}

TEST(Send, WaitsNoLongerThanItIsTold) {
  const FakeDaemon daemon(waiting_script({}));
  const Ran result = ran({"--socket", daemon.path(), "send", "--to", "1", "--text", "x", "--wait",
                          "--within", "0.02"});

  EXPECT_EQ(result.status, 1);
  EXPECT_NE(result.err.find("1 of the messages had no final event within 0.02 s"),
            std::string::npos);
}

TEST(Preview, LaysOutOneText) {
  Against daemon(
      R"({"status":"ok","encoding":"ucs2","characters":2,"segments":1,"units":2,"parts":["aЖ"],)"
      R"("forced_by":{"char":"Ж","code_point":"U+0416","index":1}})");
  const Ran result = daemon.ran({"preview", "aЖ", "--to", "7"});

  EXPECT_EQ(daemon.heard(), Lines{R"({"op":"preview","text":"aЖ","to":"7"})"});
  EXPECT_EQ(result.out,
            "encoding    ucs2, because of 'Ж' (U+0416) at character 2\n"
            "characters  2\n"
            "segments    1\n"
            "units       2\n"
            "part 1      aЖ\n");
}

TEST(Preview, SaysWhatTheTextWouldCostOtherwise) {
  Against daemon(
      R"({"status":"ok","encoding":"ucs2","characters":90,"segments":2,"units":90,"parts":[],)"
      R"("forced_by":{"char":"Ж","code_point":"U+0416","index":0,"characters":1,)"
      R"("segments_without":1},"replaced":[{"from":"“","to":"\""}],"saved":1})");
  const Ran result = daemon.ran({"preview", "x", "--replace", "safe", "--national", "tr,pt"});

  EXPECT_EQ(daemon.heard(),
            Lines{R"({"op":"preview","text":"x","replace":"safe","national":["tr","pt"]})"});
  EXPECT_NE(result.out.find("at character 1; 1 segment without the 1 such character\n"),
            std::string::npos)
      << result.out;
  EXPECT_NE(result.out.find("replaced    '“' by '\"'; saves 1 segment\n"), std::string::npos);
}

TEST(Preview, SumsUpAList) {
  const FakeDaemon daemon([](std::size_t connection, std::string_view line) {
    if (line.find("bad") != std::string_view::npos) {
      return std::vector<Answer>{
          {connection, R"({"status":"rejected","error":{"code":"bad_text","detail":"x"}})"}};
    }
    const bool is_long = line.find("long") != std::string_view::npos;
    return std::vector<Answer>{
        {connection,
         is_long ? R"({"status":"ok","encoding":"ucs2","characters":100,"segments":2,"units":100})"
                 : R"({"status":"ok","encoding":"gsm7","characters":10,"segments":1,"units":10})"}};
  });
  const std::string input = "a\nlong\nb\nbad\n";

  const Ran result = ran({"--socket", daemon.path(), "preview"}, input);
  EXPECT_EQ(result.status, 1);
  EXPECT_EQ(result.out,
            "encoding  texts  segments\n"
            "gsm7          2         2\n"
            "ucs2          1         2\n"
            "together      3         4\n"
            "characters 120; the longest, on line 2, takes 2 segments; 1 refused\n");
  EXPECT_EQ(result.err, "stentorctl: line 4: rejected: bad_text: x\n");

  const Ran json = ran({"--socket", daemon.path(), "preview", "--json"}, input);
  EXPECT_TRUE(json.out.ends_with(
      R"({"texts":3,"refused":1,"characters":120,"segments":4,"segments_max":2,"longest_line":2,)"
      R"("by_encoding":{"gsm7":{"texts":2,"segments":2},"ucs2":{"texts":1,"segments":2}}})"
      "\n"))
      << json.out;
}

constexpr auto kStatus =
    R"({"status":"ok","version":"0.1.0","protocol":1,"uptime":90061,"accepted":1234567,"sent":5,)"
    R"("delivered":4,"failed":1,"live":7,"waiting":3,"journal":{"commits":2,"octets":2048,)"
    R"("files":1,"octets_on_disk":1048576},"clients":1,"memory_octets":1572864,"new_field":[1],)"
    R"("carriers":[{"name":"north","state":"up","binds":2,"bound":1,"window":100,"in_flight":23,)"
    R"("waiting":3,"oldest_seconds":2.5,"segments_sent":5,"delivered":4,"throttled":1,)"
    R"("last_error":"\u001b[2Jbind: refused"}]})";

TEST(StatusCommand, LaysOutThePageAndShowsNoRawControls) {
  Against daemon(kStatus);
  const Ran result = daemon.ran({"status"});

  EXPECT_EQ(result.status, 0);
  EXPECT_TRUE(result.out.starts_with("stentord 0.1.0, up 1 d 1 h, 1 clients, memory 1.5 MiB\n"))
      << result.out;
  EXPECT_NE(result.out.find("accepted              1,234,567\n"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find(
                "journal: 2 commits, 2.0 KiB written, 1.0 MiB in 1 files on disk, 0 B free\n"),
            std::string::npos);
  EXPECT_NE(result.out.find("north    up       1/2         23        3   2.5 s              5      "
                            "       0          4"),
            std::string::npos)
      << result.out;
  EXPECT_NE(result.out.find("\\u001b[2Jbind: refused"), std::string::npos);
  EXPECT_EQ(result.out.find('\x1b'), std::string::npos);
}

TEST(StatusCommand, PrintsJsonAsItCame) {
  Against daemon(kStatus);
  EXPECT_EQ(daemon.ran({"status", "--json"}).out, std::string(kStatus) + "\n");
}

TEST(StatusCommand, AnAnswerThatIsNotJsonIsNoStatus) {
  EXPECT_EQ(Against("hello").ran({"status"}).status, 1);
  EXPECT_EQ(Against("[1]").ran({"status"}).status, 1);
}

TEST(MessageCommand, AsksByWhatItWasGiven) {
  Against daemon(R"({"status":"rejected","error":{"code":"not_found"}})");
  EXPECT_EQ(daemon.ran({"message", "ID"}).status, 1);
  EXPECT_EQ(daemon.ran({"message", "--ref", "r"}).status, 1);
  EXPECT_EQ(daemon.ran({"message", "--to", "7"}).status, 1);
  const Ran result = daemon.ran({"message", "--carrier-id", "c"});

  EXPECT_EQ(result.err, "stentorctl: message: not_found\n");
  EXPECT_EQ(daemon.heard(),
            (Lines{R"({"op":"message","id":"ID"})", R"({"op":"message","ref":"r"})",
                   R"({"op":"message","to":"7"})", R"({"op":"message","carrier_id":"c"})"}));
}

TEST(MessageCommand, LaysOutStateAndHistory) {
  Against daemon(R"({"status":"ok","id":"ID","state":"sent","to":"7916","history":[)"
                 R"({"time":"T1","what":"accepted","client":"crm"},)"
                 R"({"time":"T2","what":"reserved","carrier":"north"}]})");
  EXPECT_EQ(daemon.ran({"message", "ID"}).out,
            "id     ID\n"
            "state  sent\n"
            "to     7916\n"
            "T1  accepted       client=crm\n"
            "T2  reserved       carrier=north\n");
}

FakeDaemon::Script event_script(std::vector<std::string> events) {
  return [events](std::size_t connection, std::string_view line) {
    std::vector<Answer> answers;
    if (line.find("\"ack\"") != std::string_view::npos) return answers;
    answers.push_back({connection, R"({"status":"ok","consumer":"crm","cursor":"0"})"});
    for (const std::string& event : events) answers.push_back({connection, event});
    return answers;
  };
}

const Lines kEvents{
    R"({"cursor":"1","id":"A","ref":"o-1","type":"sent","time":"T1","to":"7916","carrier":"north"})",
    R"({"type":"idle"})",
    R"({"cursor":"2","id":"A","type":"part","time":"T2","part":1,"parts":2,"possible_duplicate":true})",
    R"({"type":"gap","from":"2","to":"9","missed":7})",
    R"({"cursor":"9","id":"B","type":"delivered","time":"T3"})",
};

TEST(EventsCommand, PrintsEventsAndAcknowledgesTheLast) {
  const FakeDaemon daemon(event_script(kEvents));
  const Ran result =
      ran({"--socket", daemon.path(), "events", "--consumer", "crm", "--from", "oldest",
           "--campaign", "c", "--types", "sent,part,delivered", "--count", "4"});

  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.out,
            "T1  sent       A  ref o-1  to 7916  by north\n"
            "T2  part       A  part 1 of 2  possible duplicate\n"
            "-  gap        from 2  to 9  missed 7\n"
            "T3  delivered  B\n");
  const Lines heard = daemon.heard();
  EXPECT_EQ(heard.front(), R"({"op":"events","consumer":"crm","from":"oldest","campaign":"c",)"
                           R"("types":["sent","part","delivered"]})");
}

TEST(EventsCommand, AcknowledgesOnlyWhatItPrinted) {
  // The script hears the acknowledgement only if it was written: it answers with the end.
  const FakeDaemon daemon([](std::size_t connection, std::string_view line) {
    if (line.find("\"ack\"") != std::string_view::npos) {
      return std::vector<Answer>{{connection, ""}};
    }
    return std::vector<Answer>{{connection, R"({"status":"ok","consumer":"crm","cursor":"0"})"},
                               {connection, R"({"cursor":"5","id":"A","type":"sent"})"}};
  });
  const Ran result = ran({"--socket", daemon.path(), "events", "--json"});

  EXPECT_EQ(result.status, 3);  // the daemon closed
  EXPECT_EQ(result.out, R"({"cursor":"5","id":"A","type":"sent"})"
                        "\n");
  EXPECT_EQ(daemon.heard(),
            (Lines{R"({"op":"events","consumer":"stentorctl"})", R"({"op":"ack","cursor":"5"})"}));
}

TEST(EventsCommand, AcknowledgesNothingWhenToldSo) {
  Lines events = kEvents;
  events.emplace_back("");  // closes: so nothing more can be on its way when we look
  const FakeDaemon daemon(event_script(events));
  const Ran result = ran({"--socket", daemon.path(), "events", "--no-ack"});

  EXPECT_EQ(result.status, 3);
  EXPECT_EQ(daemon.heard(), Lines{R"({"op":"events","consumer":"stentorctl"})"});
}

TEST(EventsCommand, SaysThatAnotherTookOver) {
  const FakeDaemon daemon(event_script({R"({"type":"replaced"})", ""}));
  const Ran result = ran({"--socket", daemon.path(), "events", "--consumer", "crm"});

  EXPECT_EQ(result.status, 1);
  EXPECT_EQ(result.err, "stentorctl: another connection reads as consumer crm now\n");
}

TEST(CarrierCommand, AsksForOneAndSaysWhatCameOfIt) {
  Against daemon(R"({"status":"ok","name":"north","suspended":true,"waiting":1200})");
  const Ran result = daemon.ran({"carrier", "suspend", "north"});

  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(result.out, "north is suspended; 1,200 messages wait\n");
  EXPECT_EQ(daemon.heard(), Lines{R"({"op":"carrier","action":"suspend","name":"north"})"});
}

TEST(CarrierCommand, ShowsBindsAndEscapesWhatTheyMet) {
  Against daemon(
      R"({"status":"ok","name":"north","state":"down","bind_list":[{"bind":0,"type":"receiver",)"
      R"("state":"down","host":"h:1","last_errors":[{"time":"T","what":"no\u001b"}]}]})");
  const Ran result = daemon.ran({"carrier", "show", "north"});

  EXPECT_EQ(result.status, 0);
  EXPECT_NE(result.out.find("receiver  down"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("T  bind 0  no"), std::string::npos) << result.out;
  EXPECT_EQ(result.out.find('\x1b'), std::string::npos) << result.out;
}

TEST(TopCommand, OneNeedsNoTerminal) {
  Against daemon(kStatus);
  const Ran result = daemon.ran({"top", "--once", "--interval", "0.01"});

  EXPECT_EQ(result.status, 0);
  EXPECT_TRUE(result.out.starts_with("stentord 0.1.0   up 1 d 1 h")) << result.out;
  EXPECT_EQ(daemon.heard().size(), 2U);
}

TEST(TopCommand, PrintsALineATimeWithoutATerminal) {
  Against daemon(kStatus);
  const Ran text = daemon.ran({"top", "--count", "2", "--interval", "0.01"});
  EXPECT_EQ(std::count(text.out.begin(), text.out.end(), '\n'), 2);

  const Ran json = daemon.ran({"top", "--count", "1", "--interval", "0.01", "--json"});
  EXPECT_TRUE(json.out.starts_with(R"({"accepted_per_second":0.000,)")) << json.out;
}

}  // namespace
}  // namespace stentor::ctl
