#include "queue/first_block.h"

#include "queue/block_reader.h"

namespace stentor::queue {

result<BlockHeader> read_first_block(FileSystem& files, const std::filesystem::path& directory,
                                     std::uint32_t number) {
  const auto file = files.open(directory / file_name(number), FileSystem::Mode::read);
  if (!file) return std::unexpected(file.error());
  BlockReader reader(**file, kBlockAlignOctets);
  const auto head = reader.octets(0, kFileHeaderOctets);
  if (!head) return std::unexpected(head.error());
  const FileHeaderRead header = decode_file_header(*head);
  if (header.fault == HeaderFault::newer) {
    return std::unexpected(make_error_code(JournalError::newer_version));
  }
  if (header.fault == HeaderFault::none && header.header.number == number) {
    const auto block = reader.block(kFirstBlock, header.header.epoch);
    if (!block) return std::unexpected(block.error());
    if (block->fault == BlockFault::none && block->header.number == 1) return block->header;
  }
  return std::unexpected(make_error_code(JournalError::no_such_record));
}

}  // namespace stentor::queue
