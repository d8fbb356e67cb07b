#include "core/hash.h"

#include <set>

#include "tests/support/core_bytes.h"

namespace parity::core {
namespace {

using test::Bytes;
using test::view;

TEST(Hash, IsXxh3OfTheBytesUnderTheSeed) {
    // The published check values of XXH3 for no bytes.
    EXPECT_EQ(hash_bytes<u64>({}, 0), 0x2D06800538D394C2u);
    EXPECT_EQ(hash_bytes<u128>({}, 0), join_halves(0x6001C324468D497F, 0x99AA06D3014798D8));
    EXPECT_EQ(hash_bytes<u64>({}, 0x9E3779B185EBCA8D), 0xA8A6B918B2F0364Au);
}

TEST(Hash, DependsOnEveryByteAndOnTheLength) {
    std::set<u64> seen;
    for (std::size_t length : {1, 3, 8, 16, 17, 128, 129, 240, 241, 1024, 1025, 5000}) {
        Bytes bytes(length, 'x');
        EXPECT_TRUE(seen.insert(hash_bytes<u64>(view(bytes), 0)).second) << length;
        for (std::size_t at : {std::size_t{0}, length / 2, length - 1}) {
            Bytes changed = bytes;
            changed[at] = static_cast<char>(changed[at] ^ 1);
            EXPECT_NE(hash_bytes<u64>(view(changed), 0), hash_bytes<u64>(view(bytes), 0)) << length << " " << at;
            EXPECT_NE(hash_bytes<u128>(view(changed), 0), hash_bytes<u128>(view(bytes), 0)) << length << " " << at;
        }
    }
}

TEST(Hash, DoesNotDependOnWhereTheBytesLie) {
    Bytes bytes = "some bytes that are longer than sixteen of them";
    for (std::size_t shift = 0; shift < 16; ++shift) {
        Bytes moved(shift, '\0');
        moved += bytes;
        EXPECT_EQ(hash_bytes<u64>(view(moved).subspan(shift), 7), hash_bytes<u64>(view(bytes), 7));
        EXPECT_EQ(hash_bytes<u128>(view(moved).subspan(shift), 7), hash_bytes<u128>(view(bytes), 7));
    }
}

TEST(NullCell, IsTheHashOfNoBytesAtAll) {
    for (u64 seed : {u64{0}, u64{1}, ~u64{0}, u64{0xDEADBEEF}}) {
        EXPECT_EQ(null_cell_hash<u64>(seed), avalanche(seed ^ kNullLow));
        EXPECT_EQ(low_half(null_cell_hash<u128>(seed)), null_cell_hash<u64>(seed));
        EXPECT_EQ(high_half(null_cell_hash<u128>(seed)), avalanche(seed ^ kNullHigh));
        for (const char* text : {"", "NULL", "\\N"})
            EXPECT_NE(null_cell_hash<u64>(seed), hash_bytes<u64>(as_bytes(text), seed)) << text;
    }
}

TEST(Avalanche, IsXxh3sFinaliser) {
    EXPECT_EQ(avalanche(0), 0u);
    EXPECT_EQ(avalanche(1), (0x165667919E3779F9u ^ 0x165667919E3779F9u >> 32));
}

TEST(Halves, JoinToWhatTheyWere) {
    u128 joined = join_halves(0x0123456789ABCDEF, 0xFEDCBA9876543210);
    EXPECT_EQ(low_half(joined), 0x0123456789ABCDEFu);
    EXPECT_EQ(high_half(joined), 0xFEDCBA9876543210u);
    EXPECT_EQ(high_half(u64{5}), 0u);
}

template <typename H>
H folded(H key, std::initializer_list<H> cells) {
    RowFold<H> fold(key);
    for (H cell : cells) fold.add(cell);
    return fold.result();
}

TEST(RowFold, DependsOnTheOrderOfTheCells) {
    EXPECT_NE(folded<u64>(1, {2, 3}), folded<u64>(1, {3, 2}));
    EXPECT_NE(folded<u128>(1, {2, 3}), folded<u128>(1, {3, 2}));
}

TEST(RowFold, DependsOnTheNumberOfCells) {
    EXPECT_NE(folded<u64>(1, {}), folded<u64>(1, {0}));
    EXPECT_NE(folded<u64>(0, {0}), folded<u64>(0, {0, 0}));
}

TEST(RowFold, TellsRowsThatExchangedACellApart) {
    // Under a key that is not unique: column sums are equal, the sum of the row hashes is not.
    u64 before = folded<u64>(9, {10, 20}) + folded<u64>(9, {11, 21});
    u64 after = folded<u64>(9, {10, 21}) + folded<u64>(9, {11, 20});
    EXPECT_NE(before, after);
}

TEST(RowFold, OfWidth128FoldsTheHalvesOnTheirOwn) {
    u128 key = join_halves(1, 100);
    u128 wide = folded<u128>(key, {join_halves(2, 200), join_halves(3, 300)});
    EXPECT_EQ(low_half(wide), folded<u64>(1, {2, 3}));
    EXPECT_EQ(high_half(wide), folded<u64>(100, {200, 300}));
}

}  // namespace
}  // namespace parity::core
