#include "encoding/gsm_alphabet.h"

#include <cstddef>

#include "encoding/gsm_locking_tables.h"
#include "encoding/gsm_single_shift_tables.h"

namespace stentor::encoding {

namespace {

static_assert(kLockingShiftTables.size() == kGsmTables && kSingleShiftTables.size() == kGsmTables);

constexpr std::size_t index_of(NationalLanguage language) noexcept {
  return static_cast<std::size_t>(language);
}

consteval std::array<GsmCode, kDefaultCodesEnd> invert_default() {
  std::array<GsmCode, kDefaultCodesEnd> codes{};
  for (std::uint8_t septet = 0; septet < 128; ++septet) {
    const char16_t extended = kSingleShiftTables[0][septet];
    if (extended != 0 && extended < kDefaultCodesEnd) codes[extended] = GsmCode::escaped(septet);
  }
  for (std::uint8_t septet = 0; septet < 128; ++septet) {
    const char16_t plain = kLockingShiftTables[0][septet];
    if (plain != 0) codes[plain] = GsmCode::plain(septet);
  }
  return codes;
}

// One character of any table, with its septet in each; the escape marks its absence.
struct Entry {
  TablesWith with;
  std::array<std::uint8_t, kGsmTables> locking{};
  std::array<std::uint8_t, kGsmTables> single{};
};

// What the tables have of distinct characters and of pages of 256 code points, each one more for
// "none". A table that grew past them would not compile.
constexpr std::size_t kEntries = 1073;
constexpr std::size_t kPages = 12;
constexpr std::size_t kPageSize = 256;

struct Index {
  std::array<std::uint8_t, 256> page{};  // by code point / 256
  std::array<std::array<std::uint16_t, kPageSize>, kPages> entry_of{};
  std::array<Entry, kEntries> entries{};
};

// Some code points of a table stand twice in it (the Indic single shift tables have two asterisks);
// the lower septet wins, so that the choice does not depend on the order of building.
consteval Index invert_all() {
  Index index;
  std::uint8_t pages = 1;
  std::uint16_t entries = 1;
  const auto entry_for = [&](char16_t character) -> Entry& {
    std::uint8_t& page = index.page[character >> 8];
    if (page == 0) page = pages++;
    std::uint16_t& at = index.entry_of[page][character & 0xff];
    if (at == 0) {
      at = entries++;
      index.entries[at].locking.fill(kEscape);
      index.entries[at].single.fill(kEscape);
    }
    return index.entries[at];
  };
  for (std::size_t table = 0; table < kGsmTables; ++table) {
    const auto bit = static_cast<std::uint16_t>(1u << table);
    for (std::uint8_t septet = 128; septet-- > 0;) {
      if (const char16_t character = kLockingShiftTables[table][septet]; character != 0) {
        Entry& entry = entry_for(character);
        entry.locking[table] = septet;
        entry.with.locking |= bit;
      }
      if (const char16_t character = kSingleShiftTables[table][septet]; character != 0) {
        Entry& entry = entry_for(character);
        entry.single[table] = septet;
        entry.with.single |= bit;
      }
    }
  }
  return index;
}

constexpr Index kIndex = invert_all();

const Entry& entry_of(char32_t code_point) noexcept {
  if (code_point > 0xffff) return kIndex.entries[0];
  return kIndex.entries[kIndex.entry_of[kIndex.page[code_point >> 8]][code_point & 0xff]];
}

}  // namespace

constinit const std::array<GsmCode, kDefaultCodesEnd> kDefaultCodes = invert_default();

GsmCode code_of(char32_t code_point, Shifts shifts) noexcept {
  if (shifts.are_default()) return default_code_of(code_point);
  const Entry& entry = entry_of(code_point);
  const auto locking = index_of(shifts.locking);
  if ((entry.with.locking >> locking & 1u) != 0) return GsmCode::plain(entry.locking[locking]);
  const auto single = index_of(shifts.single);
  if ((entry.with.single >> single & 1u) != 0) return GsmCode::escaped(entry.single[single]);
  return {};
}

TablesWith tables_with(char32_t code_point) noexcept {
  return entry_of(code_point).with;
}

char16_t character_of(std::uint8_t septet, Shifts shifts) noexcept {
  const char16_t character = kLockingShiftTables[index_of(shifts.locking)][septet & 0x7fu];
  return character != 0 ? character : u' ';
}

char16_t escaped_character_of(std::uint8_t septet, Shifts shifts) noexcept {
  const char16_t character = kSingleShiftTables[index_of(shifts.single)][septet & 0x7fu];
  return character != 0 ? character : character_of(septet, shifts);
}

}  // namespace stentor::encoding
