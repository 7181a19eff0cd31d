#include "daemon/optout/opt_out_words.h"

namespace stentor::daemon {
namespace {

std::unordered_set<std::string> normal_forms(const std::vector<std::string>& words) {
  std::unordered_set<std::string> forms;
  for (const std::string& word : words) forms.insert(first_word(word).word);
  forms.erase("");
  return forms;
}

}  // namespace

OptOutWords::OptOutWords(const OptOutConfig& config)
    : stop_(normal_forms(config.stop)),
      stop_alone_(normal_forms(config.stop_alone)),
      start_(normal_forms(config.start)) {}

OptOutWish OptOutWords::wish_of(const FirstWord& word) const {
  if (word.word.empty()) return OptOutWish::none;
  if (stop_.contains(word.word)) return OptOutWish::stop;
  if (word.is_alone && stop_alone_.contains(word.word)) return OptOutWish::stop;
  if (start_.contains(word.word)) return OptOutWish::start;
  return OptOutWish::none;
}

}  // namespace stentor::daemon
