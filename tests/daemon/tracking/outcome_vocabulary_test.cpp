// Programs upstream decide by outcome codes: the page that lists them and the code that gives them
// must have the same ones.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include "daemon/config/outcome_words.h"
#include "daemon/records/own_outcomes.h"
#include "daemon/tracking/outcome_codes.h"
#include "protocol/command_status.h"

namespace stentor::daemon {
namespace {

using Words = std::set<std::string>;

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

void add_all(const std::string& text, const std::regex& pattern, Words& words) {
  for (auto found = std::sregex_iterator(text.begin(), text.end(), pattern);
       found != std::sregex_iterator(); ++found) {
    words.insert((*found)[1].str());
  }
}

// The first column of the table in docs/protocol.md.
Words documented() {
  const std::string page =
      content_of(std::filesystem::path(STENTOR_SOURCE_DIR) / "docs/protocol.md");
  const auto begin = page.find("### Outcome codes");
  const std::string section = page.substr(begin, page.find("\n## ", begin) - begin);
  Words words;
  std::istringstream lines(section);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("| `")) {
      add_all(line.substr(0, line.find('|', 1)), std::regex("`([a-z_]+)`"), words);
    }
  }
  return words;
}

// What carriers' statuses, receipts and networks are mapped to, or may be by the configuration.
Words of_carriers() {
  Words words;
  const auto add = [&words](std::string_view word) {
    if (!word.empty()) words.emplace(word);
  };
  for (std::uint32_t status = 1; status < 0x600; ++status) {
    add(protocol::outcome_code_of(static_cast<protocol::CommandStatus>(status)));
  }
  for (std::uint8_t state = 0; state <= 9; ++state) {
    add(word_of(static_cast<protocol::MessageState>(state)));
  }
  for (std::uint32_t error = 0; error < 256; ++error) {
    protocol::Receipt receipt;
    receipt.network_error_code = 3u << 16 | error;
    add(OutcomeCodes().of(receipt));
  }
  for (const std::string_view word : outcome_words_of_carriers()) add(word);
  return words;
}

TEST(OutcomeVocabulary, IsDocumentedToTheLastWordAndNoFurther) {
  Words given = of_carriers();
  for (const std::string_view word : own_outcome::kAll) given.emplace(word);

  EXPECT_EQ(documented(), given);
}

TEST(OutcomeVocabulary, HasWhatACarriersConfigurationMaySay) {
  const Words words = documented();
  for (const std::string_view word : outcome_words_of_carriers()) {
    EXPECT_TRUE(words.contains(std::string(word))) << word;
    EXPECT_TRUE(is_outcome_word(word));
  }
}

}  // namespace
}  // namespace stentor::daemon
