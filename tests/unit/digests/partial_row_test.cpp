#include "driver/digests/partial_row.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "driver/engine/row_hasher.h"
#include "driver/engine/spec.h"
#include "driver/engine/sums.h"
#include "driver/engine/value_reader.h"

namespace parity::driver {
namespace {

/// Values that are their own canonical bytes.
class PlainReader : public ValueReader {
  public:
    PlainReader() : ValueReader(core::Form::kText, "text") {}
    core::ByteView read(std::string_view sent, ByteBuffer& /*buffer*/) const override { return core::as_bytes(sent); }
};

StreamColumns columns_of(std::size_t columns) {
    StreamColumns made;
    made.key.push_back(std::make_shared<PlainReader>());
    for (std::size_t i = 0; i < columns; ++i) made.columns.push_back(std::make_shared<PlainReader>());
    return made;
}

RowDigest hashed(const std::vector<ValueField>& fields, const DigestSettings& settings) {
    const StreamColumns columns = columns_of(fields.size() - 1);
    const RangeList ranges;
    const StreamSpec spec(columns, settings, ranges);
    RowDigest row;
    RowHasher(spec).hash(fields, row);
    return row;
}

/// The whole row is what a server would send of a row whose other values are NULL.
TEST(PartialRow, IsThatRowWithNullsInThePlaceOfWhatIsNotKnown) {
    for (const int width : {64, 128}) {
        const DigestSettings settings{7, width, {}};
        const RowDigest partial = hashed({"k", "a", "c"}, settings);
        const RowDigest whole = complete_row(partial, {0, 2}, 4, settings);
        const RowDigest expected = hashed({"k", "a", std::nullopt, "c", std::nullopt}, settings);
        EXPECT_EQ(whole.key, expected.key);
        EXPECT_EQ(whole.cell_hashes, expected.cell_hashes) << width;
        EXPECT_EQ(whole.row_hash, expected.row_hash) << width;
        EXPECT_NE(whole.row_hash, hashed({"k", "a", "b", "c", std::nullopt}, settings).row_hash);
    }
}

TEST(PartialRow, AddsUpAsAnyRow) {
    for (const int width : {64, 128}) {
        const DigestSettings settings{7, width, {}};
        const StreamColumns columns = columns_of(2);
        const RangeList ranges;
        const StreamSpec spec(columns, settings, ranges);
        SumMatrix one(1, 2, width == 128), both(1, 2, width == 128);
        const std::vector<ValueField> first{"k", "a", "b"}, second{"l", std::nullopt, "c"};
        RowHasher hasher(spec);
        hasher.accumulate(first, one);
        hasher.accumulate(first, both);
        hasher.accumulate(second, both);
        RangeDigests range = digests_of_range(one, 0, spec, slice_tags(spec));
        add_row(range, complete_row(hashed({"l", "c"}, settings), {1}, 2, settings), settings);
        const RangeDigests expected = digests_of_range(both, 0, spec, slice_tags(spec));
        EXPECT_EQ(range.rows, 2u);
        EXPECT_TRUE(core::same_content(range.key, expected.key)) << width;
        EXPECT_TRUE(core::same_content(range.row, expected.row)) << width;
        for (std::size_t i = 0; i < 2; ++i) EXPECT_TRUE(core::same_content(range.columns[i], expected.columns[i]));
    }
}

}  // namespace
}  // namespace parity::driver
