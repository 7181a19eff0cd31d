// The word a reply begins with, in a form in which "Stop.", "STOP!" and "stop" are one.
//
// A word is a run of letters, marks and digits; hyphens and apostrophes inside it are dropped, so
// that "opt-out" is "optout". What stands before it is passed over: quotes, spaces, emoji.
//
// Units    UTF-8.
// Errors   None: octets that are no UTF-8 end a word.
// Threads  Pure functions.
// Spec     Unicode 15, NFKC_Casefold (section 3.13); a dot left above an i is dropped.
#pragma once

#include <string>
#include <string_view>

namespace stentor::daemon {

struct FirstWord {
  std::string word;       ///< in one form; empty where the text has no letter and no digit
  bool is_alone = false;  ///< nothing else is in the text but punctuation
};

[[nodiscard]] FirstWord first_word(std::string_view text);

}  // namespace stentor::daemon
