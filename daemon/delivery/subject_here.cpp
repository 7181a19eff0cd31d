#include "daemon/delivery/subject_here.h"

#include "daemon/records/records.h"
#include "daemon/records/subject_extras.h"

namespace stentor::daemon {

SubjectHere::SubjectHere(std::span<const std::uint8_t> accepted, std::string_view carrier,
                         std::uint8_t parts)
    : accepted_(accepted) {
  auto subject = decode_subject(accepted);
  if (!subject) return;
  const std::uint8_t parts_here = parts == 0 ? subject->parts : parts;
  if (subject->carrier == carrier && subject->parts == parts_here) return;
  subject->carrier = carrier;
  subject->parts = parts_here;
  FieldWriter fields;
  encode(*subject, fields);
  append_callback(callback_of(accepted), fields);
  own_.assign(fields.octets().begin(), fields.octets().end());
}

}  // namespace stentor::daemon
