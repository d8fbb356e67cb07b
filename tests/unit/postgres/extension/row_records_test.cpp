#include "driver/postgres/extension/row_records.h"

#include <gtest/gtest.h>

#include <string>

#include "driver/digests/ranges.h"
#include "driver/model/error.h"
#include "tests/support/core_bytes.h"

namespace parity::driver {
namespace {

const RecordShape kShape{8, 2};
/// Of range 258, with the key "key" and three hashes.
const std::string kRecord = test::from_hex("0000001f 00000102 6b6579") + "row hash" + "cell one" + "cell two";
const std::string kNoKey = test::from_hex("0000001c 00000001") + std::string(24, 'h');

bool is_refused(std::string_view records) {
    RowDigest row;
    try {
        take_record(records, kShape, row);
        return false;
    } catch (const Error& error) {
        return error.kind() == ErrorKind::kInternal;
    }
}

TEST(RowRecords, AreTakenOneAfterTheOther) {
    const std::string both = kRecord + kNoKey;
    std::string_view records = both;
    RowDigest row;
    take_record(records, kShape, row);
    EXPECT_EQ(row.range_no, 258);
    EXPECT_EQ(row.key, "key");
    EXPECT_EQ(row.row_hash, "row hash");
    EXPECT_EQ(row.cell_hashes, "cell onecell two");
    take_record(records, kShape, row);
    EXPECT_EQ(row.range_no, 1);
    EXPECT_EQ(row.key, "");
    EXPECT_TRUE(records.empty());
}

TEST(RowRecords, TellWhatWasReadForBuckets) {
    const std::string narrow = test::from_hex("0000000000000102 00000000000000ff 0000000000000003 0000000000000005");
    EXPECT_EQ(read_keys_read(narrow, 8).seen, (HashTotal{258, 255}));
    EXPECT_EQ(read_keys_read(narrow, 8).chosen, (HashTotal{3, 5}));
    const KeysRead wide = read_keys_read(test::from_hex("0000000000000001 0000000000000002 0000000000000003"
                                                        "0000000000000004 0000000000000005 0000000000000006"),
                                         16);
    EXPECT_TRUE(wide.seen == (HashTotal{1, core::join_halves(3, 2)}));
    EXPECT_TRUE(wide.chosen == (HashTotal{4, core::join_halves(6, 5)}));
    EXPECT_THROW(read_keys_read(narrow, 16), Error);
    EXPECT_THROW(read_keys_read(narrow.substr(1), 8), Error);
    EXPECT_THROW(read_keys_read(narrow + "x", 8), Error);
    EXPECT_THROW(read_keys_read("", 8), Error);
}

TEST(RowRecords, MustBeWhole) {
    for (std::size_t length = 0; length < kRecord.size(); ++length) EXPECT_TRUE(is_refused(kRecord.substr(0, length)));
    EXPECT_TRUE(is_refused(test::from_hex("0000001b 00000001") + std::string(23, 'h')));
    EXPECT_TRUE(is_refused(test::from_hex("00000002 0000")));
}

}  // namespace
}  // namespace parity::driver
