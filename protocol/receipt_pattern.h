// Where the fields stand in the receipts of a carrier that writes them in a form of its own.
//
// A pattern is the text itself with names for what varies: `{err},{done},{},{stat},{},{},{id}`.
// Between the names stands what is always the same; a field reaches to the first place where that
// follows. The pattern is held against the text from its first octet, and takes time in proportion
// to it: whoever writes the message's own text cannot make it slow, nor move it elsewhere.
//
// Units    Octets.
// Owns     Its own copy of the pattern. What it finds views the text given.
// Errors   A text that is no pattern, and a receipt that does not fit it, are ordinary "no"s.
// Threads  Immutable once made.
// Spec     None: SMPP 3.4 appendix B calls the text form vendor specific.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stentor::protocol {

/// What the text of a receipt says; empty where it says nothing.
struct ReceiptText {
  std::string_view id{};
  std::string_view stat{};
  std::string_view err{};
  std::string_view done_date{};
  std::string_view submit_date{};
  std::string_view sub{};
  std::string_view dlvrd{};
};

class ReceiptPattern {
 public:
  /// Names are `{id}`, `{stat}`, `{err}`, `{done}`, and `{}` for what is of no interest. Nothing
  /// when a brace stays open, a name is another or comes twice, two fields touch, or, as a receipt
  /// may have its id in a TLV only, when neither `{id}` nor `{stat}` is among them.
  [[nodiscard]] static std::optional<ReceiptPattern> compile(std::string_view pattern);

  /// Nothing when the text does not fit.
  [[nodiscard]] std::optional<ReceiptText> match(std::string_view text) const noexcept;

 private:
  enum class Name : std::uint8_t { id, stat, err, done, nothing };
  struct Part {
    Name name;
    std::string until;  // what ends the field; empty: the end of the text
  };
  std::string start_;  // before the first field
  std::vector<Part> parts_;
};

}  // namespace stentor::protocol
