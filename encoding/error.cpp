#include "encoding/error.h"

namespace stentor::encoding {

std::string_view describe(EncodingFault fault) noexcept {
  switch (fault) {
    case EncodingFault::invalid_utf8: return "the text is not UTF-8";
    case EncodingFault::empty_text: return "the text is empty";
    case EncodingFault::forbidden_character: return "U+0000 cannot be sent";
    case EncodingFault::not_encodable: return "the alphabet does not have this character";
    case EncodingFault::too_many_segments: return "the text takes too many segments";
  }
  return "unknown fault";
}

}  // namespace stentor::encoding
