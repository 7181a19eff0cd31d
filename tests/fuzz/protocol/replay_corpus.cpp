// Runs a fuzz target over files, so that an ordinary test run replays what fuzzing found.
//
// Usage: TARGET FILE-OR-FOLDER...
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

void replay(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  const std::vector<char> octets{std::istreambuf_iterator<char>(in), {}};
  const std::vector<std::uint8_t> data(octets.begin(), octets.end());
  (void)LLVMFuzzerTestOneInput(data.data(), data.size());
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t replayed = 0;
  for (int at = 1; at < argc; ++at) {
    if (std::filesystem::is_regular_file(argv[at])) {
      replay(argv[at]);
      ++replayed;
      continue;
    }
    for (const auto& entry : std::filesystem::directory_iterator(argv[at])) {
      replay(entry.path());
      ++replayed;
    }
  }
  std::printf("%zu inputs replayed\n", replayed);
  return replayed == 0 ? 1 : 0;  // an empty corpus is a mistake, not a success
}
