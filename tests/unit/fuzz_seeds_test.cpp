#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "driver/engine/value_reader.h"
#include "driver/model/error.h"
#include "tests/fuzz/readers.h"
#include "tests/support/core_bytes.h"

namespace parity::fuzz {
namespace {

std::string contents(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

bool is_read(const Reader& reader, std::string_view wire) {
    try {
        driver::ByteBuffer buffer;
        reader.reader->read(wire, buffer);
        return true;
    } catch (const driver::Error&) {
        return false;
    }
}

// Where this fails, tests/fuzz/make-seeds has not been run since types or forms were added.
TEST(FuzzSeeds, ReachEveryReader) {
    std::set<std::string> reached;
    const std::filesystem::path corpus = PARITY_SOURCE_DIR "/tests/fuzz/corpus/wire_value_fuzz";
    for (const auto& entry : std::filesystem::directory_iterator(corpus)) {
        const std::string seed = contents(entry.path());
        if (seed.size() < sizeof(std::uint32_t)) continue;
        const auto selector = core::load_be<std::uint32_t>(core::as_bytes(seed).data());
        const Reader& reader = reader_at(selector);
        if (reader.selector == selector && is_read(reader, std::string_view(seed).substr(4)))
            reached.insert(reader.name);
    }
    EXPECT_GT(reached.size(), 200U);
    for (const Reader& reader : all_readers()) EXPECT_TRUE(reached.contains(reader.name)) << reader.name;
}

// A selector names the same reader in inputs of all times.
TEST(FuzzSeeds, SelectorsAreTheHashesOfNames) {
    EXPECT_EQ(reader_at(0x6354d4f2).name, "integer as int");
    EXPECT_EQ(reader_at(0xFFFFFFFF).name, all_readers().front().name) << "behind the last one comes the first one";
}

}  // namespace
}  // namespace parity::fuzz
