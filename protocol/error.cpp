#include "protocol/error.h"

#include <string>

namespace stentor::protocol {
namespace {

class Category final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "stentor.protocol"; }

  [[nodiscard]] std::string message(int value) const override {
    switch (static_cast<CodecError>(value)) {
      case CodecError::truncated: return "a field runs past the end of the PDU";
      case CodecError::bad_length: return "command_length is out of bounds";
      case CodecError::unknown_command: return "unknown command_id";
      case CodecError::unterminated_string: return "a C-octet string has no end in its field";
      case CodecError::too_many_tlvs: return "too many optional parameters";
      case CodecError::field_too_long: return "a value does not fit its field";
    }
    return "unknown protocol error";
  }
};

}  // namespace

std::error_code make_error_code(CodecError error) noexcept {
  static const Category category;
  return {static_cast<int>(error), category};
}

}  // namespace stentor::protocol
