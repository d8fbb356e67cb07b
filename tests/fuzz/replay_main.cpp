#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <vector>

#include "tests/fuzz/fuzz_input.h"

/// Runs a fuzz target on inputs that are given, in builds without libFuzzer:
///
///     TARGET FILE-OR-DIRECTORY…
///
/// A property that does not hold ends it by a signal; an input that cannot be read, or none at all, by status 2.
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> inputs_at(const fs::path& path) {
    if (!fs::is_directory(path)) return {path};
    std::vector<fs::path> found;
    for (const fs::directory_entry& entry : fs::directory_iterator(path)) found.push_back(entry.path());
    std::sort(found.begin(), found.end());
    return found;
}

bool run(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    const std::vector<char> bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    if (!file) return false;
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    std::size_t done = 0;
    for (int i = 1; i < argc; ++i) {
        for (const fs::path& path : inputs_at(argv[i])) {
            if (!run(path)) {
                std::cerr << "cannot read " << path << '\n';
                return 2;
            }
            ++done;
        }
    }
    std::cout << done << " inputs\n";
    return done > 0 ? 0 : 2;
}
