#include "protocol/control_pdu.h"

#include <string.h>  // explicit_bzero

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdint>  // libsmpp34's headers use its types and include nothing
#include <mutex>

#include "protocol/field_limits.h"

extern "C" {
#include <libsmpp34/smpp34.h>
// The next one needs the first.
#include <libsmpp34/smpp34_structs.h>
}

namespace stentor::protocol {
namespace {

constexpr std::size_t kControlOctetsMax = 256;  // the longest, cancel_sm, has 133

// libsmpp34 refuses numbers that it does not know (interface_version 0x33 and 0x50, a vendor's
// TON or NPI), so it packs these in their place and ours are written over them.
constexpr std::uint8_t kVersionKnown = 0x34;
constexpr std::uint8_t kNumberingKnown = 0;

std::mutex& library_lock() noexcept {
  static std::mutex lock;
  return lock;
}

template <std::size_t N>
void fill(std::uint8_t (&field)[N], std::string_view text) noexcept {
  assert(text.size() < N && "a text is checked before it is packed");
  std::ranges::copy(text, field);
}

struct Packed {
  std::array<std::uint8_t, kControlOctetsMax> octets{};
  std::size_t size = 0;
};

// Packs `pdu`, a zeroed structure of libsmpp34 whose fields have been checked and filled.
template <class Pdu>
[[nodiscard]] result<Packed> pack(CommandId command_id, std::uint32_t sequence_number, Pdu& pdu) {
  pdu.command_id = static_cast<std::uint32_t>(command_id);
  pdu.sequence_number = sequence_number;
  Packed packed;
  int size = 0;
  const std::lock_guard guard(library_lock());
  const int failed = smpp34_pack(pdu.command_id, packed.octets.data(),
                                 static_cast<int>(packed.octets.size()), &size, &pdu);
  // The library logs every field it packs there, the password among them.
  explicit_bzero(smpp34_strerror, sizeof smpp34_strerror);
  if (failed != 0) return field_too_long();
  packed.size = static_cast<std::size_t>(size);
  return packed;
}

void put_numbering(Packed& packed, std::size_t at, Numbering numbering) noexcept {
  assert(packed.octets[at] == kNumberingKnown && "the layout is the standard's");
  packed.octets[at] = numbering.ton;
  packed.octets[at + 1] = numbering.npi;
}

void append(Octets& out, const Packed& packed) {
  out.insert(out.end(), packed.octets.begin(),
             packed.octets.begin() + static_cast<std::ptrdiff_t>(packed.size));
}

template <class Pdu>
[[nodiscard]] result<Packed> pack_bind_as(CommandId command_id, std::uint32_t sequence_number,
                                          const Bind& bind) {
  Pdu pdu{};
  fill(pdu.system_id, bind.system_id);
  fill(pdu.password, bind.password);
  fill(pdu.system_type, bind.system_type);
  pdu.interface_version = kVersionKnown;
  fill(pdu.address_range, bind.address_range);
  auto packed = pack(command_id, sequence_number, pdu);
  explicit_bzero(pdu.password, sizeof pdu.password);
  return packed;
}

[[nodiscard]] result<Packed> pack_bind_of_type(std::uint32_t sequence_number, const Bind& bind) {
  switch (bind.type) {
    case BindType::transmitter:
      return pack_bind_as<bind_transmitter_t>(CommandId::bind_transmitter, sequence_number, bind);
    case BindType::receiver:
      return pack_bind_as<bind_receiver_t>(CommandId::bind_receiver, sequence_number, bind);
    case BindType::transceiver: break;
  }
  return pack_bind_as<bind_transceiver_t>(CommandId::bind_transceiver, sequence_number, bind);
}

}  // namespace

result<void> pack_bind(Octets& out, std::uint32_t sequence_number, const Bind& bind) {
  if (!fits(bind.system_id, kSystemIdMax) || !fits(bind.password, kPasswordMax) ||
      !fits(bind.system_type, kSystemTypeMax) || !fits(bind.address_range, kAddressRangeMax)) {
    return field_too_long();
  }
  auto packed = pack_bind_of_type(sequence_number, bind);
  if (!packed) return std::unexpected(packed.error());
  const std::size_t version_at =
      kHeaderOctets + bind.system_id.size() + bind.password.size() + bind.system_type.size() + 3;
  assert(packed->octets[version_at] == kVersionKnown && "the layout is the standard's");
  packed->octets[version_at] = bind.interface_version;
  put_numbering(*packed, version_at + 1, bind.numbering);
  append(out, *packed);
  explicit_bzero(packed->octets.data(), packed->octets.size());
  return {};
}

result<void> pack_unbind(Octets& out, std::uint32_t sequence_number) {
  unbind_t pdu{};
  const auto packed = pack(CommandId::unbind, sequence_number, pdu);
  if (!packed) return std::unexpected(packed.error());
  append(out, *packed);
  return {};
}

result<void> pack_query_sm(Octets& out, std::uint32_t sequence_number, const QuerySm& query) {
  if (!fits(query.message_id, kMessageIdMax) || !fits(query.source.digits, kAddressMax)) {
    return field_too_long();
  }
  query_sm_t pdu{};
  fill(pdu.message_id, query.message_id);
  fill(pdu.source_addr, query.source.digits);
  auto packed = pack(CommandId::query_sm, sequence_number, pdu);
  if (!packed) return std::unexpected(packed.error());
  put_numbering(*packed, kHeaderOctets + query.message_id.size() + 1, query.source.numbering);
  append(out, *packed);
  return {};
}

result<void> pack_cancel_sm(Octets& out, std::uint32_t sequence_number, const CancelSm& cancel) {
  if (cancel.message_id.empty() || !fits(cancel.service_type, kServiceTypeMax) ||
      !fits(cancel.message_id, kMessageIdMax) || !fits(cancel.source.digits, kAddressMax) ||
      !fits(cancel.destination.digits, kAddressMax)) {
    return field_too_long();
  }
  cancel_sm_t pdu{};
  fill(pdu.service_type, cancel.service_type);
  fill(pdu.message_id, cancel.message_id);
  fill(pdu.source_addr, cancel.source.digits);
  fill(pdu.destination_addr, cancel.destination.digits);
  auto packed = pack(CommandId::cancel_sm, sequence_number, pdu);
  if (!packed) return std::unexpected(packed.error());
  const std::size_t source_at =
      kHeaderOctets + cancel.service_type.size() + 1 + cancel.message_id.size() + 1;
  put_numbering(*packed, source_at, cancel.source.numbering);
  put_numbering(*packed, source_at + 2 + cancel.source.digits.size() + 1,
                cancel.destination.numbering);
  append(out, *packed);
  return {};
}

}  // namespace stentor::protocol
