#include "driver/digests/merge.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <set>

#include "core/hash.h"
#include "tests/support/errors.h"
#include "tests/support/key_bounds.h"

namespace parity::driver {
namespace {

constexpr int kWidth = 64;

std::string hash64(std::uint64_t value) {
    std::string bytes(8, '\0');
    core::store_be(reinterpret_cast<std::uint8_t*>(bytes.data()), value);
    return bytes;
}

/// A row whose row hash follows from its key and cells, as a real one's does.
RowDigest make_row(int range_no, const std::string& key, const std::vector<std::uint64_t>& cells) {
    RowDigest row{range_no, key, {}, {}};
    for (std::uint64_t cell : cells) row.cell_hashes += hash64(cell);
    row.row_hash = hash64(std::hash<std::string>{}(row.cell_hashes + "/" + key));
    return row;
}

class VectorRows : public RowSource {
  public:
    explicit VectorRows(std::vector<RowDigest> rows, KeysRead keys_read = {})
        : rows_(std::move(rows)), keys_read_(keys_read) {}
    KeysRead keys_read() const override { return keys_read_; }
    bool next(RowDigest& row) override {
        if (position_ == rows_.size()) return false;
        row = rows_[position_++];
        return true;
    }

  private:
    std::vector<RowDigest> rows_;
    KeysRead keys_read_;
    std::size_t position_ = 0;
};

struct MergedFinding {
    FindingKind kind;
    std::string key;
    std::vector<int> columns;
    std::uint64_t occurrences;
    Both<std::string> row_hash;
    auto operator<=>(const MergedFinding& other) const {
        return std::tie(kind, key, columns, occurrences) <=>
               std::tie(other.kind, other.key, other.columns, other.occurrences);
    }
    bool operator==(const MergedFinding& other) const { return (*this <=> other) == 0; }
};

MergedFinding mismatch(const std::string& key, std::vector<int> columns) {
    return {FindingKind::kMismatch, key, std::move(columns), 1, {}};
}
MergedFinding missing_on_target(const std::string& key, std::uint64_t n = 1) {
    return {FindingKind::kMissingOnTarget, key, {}, n, {}};
}
MergedFinding missing_on_source(const std::string& key, std::uint64_t n = 1) {
    return {FindingKind::kMissingOnSource, key, {}, n, {}};
}

using Rows = std::vector<RowDigest>;

void sort_rows(Rows& rows) {
    std::sort(rows.begin(), rows.end(), [](const RowDigest& a, const RowDigest& b) {
        return std::tie(a.range_no, a.key, a.row_hash) < std::tie(b.range_no, b.key, b.row_hash);
    });
}

std::vector<DivergentRange> ranges_of(const Rows& source, const Rows& target) {
    std::map<int, DivergentRange> ranges;
    for (const RowDigest& row : source) ranges[row.range_no].total.source.add(row.row_hash);
    for (const RowDigest& row : target) ranges[row.range_no].total.target.add(row.row_hash);
    std::vector<DivergentRange> list;
    for (auto& [number, range] : ranges) {
        range.range_no = number;
        list.push_back(range);
    }
    return list;
}

struct Merged {
    MergeReport report;
    std::vector<MergedFinding> found;
};

Merged merge(const MergeSpec& spec, const std::vector<DivergentRange>& ranges, Rows source, Rows target) {
    VectorRows source_rows(std::move(source));
    VectorRows target_rows(std::move(target));
    Merged merged;
    merged.report = merge_rows(spec, ranges, {&source_rows, &target_rows}, [&](const RowFinding& finding) {
        merged.found.push_back({finding.kind,
                                std::string(finding.key),
                                finding.columns,
                                finding.occurrences,
                                {std::string(finding.row_hash.source), std::string(finding.row_hash.target)}});
    });
    return merged;
}

/// Sorts the rows and makes the totals that they should add up to.
Merged merge(const MergeSpec& spec, Rows source, Rows target) {
    sort_rows(source);
    sort_rows(target);
    const auto ranges = ranges_of(source, target);
    return merge(spec, ranges, std::move(source), std::move(target));
}

MergeSpec proven(std::size_t columns) { return {kWidth, columns, false, true}; }
MergeSpec unproven(std::size_t columns) { return {kWidth, columns, false, false}; }
MergeSpec keyless(std::size_t columns) { return {kWidth, columns, true, false}; }

using fixtures::internal_error;

/// A server sends the hash of a NULL as that of any cell.
TEST(MergeRows, CountsWhatDiffersInAColumnAndWhatIsNull) {
    for (const int width : {64, 128}) {
        MergeSpec spec{.width = width, .columns = 2, .proven = true, .exact = false, .seed = 7};
        const auto hash = [&](core::u128 value) {
            return (width == 128 ? hash64(static_cast<std::uint64_t>(value >> 64)) : "") +
                   hash64(static_cast<std::uint64_t>(value));
        };
        const auto null = [&](const std::string& key) {
            const core::ByteView bytes = core::as_bytes(key);
            if (width == 64) return hash(core::null_cell_hash<core::u64>(core::hash_bytes<core::u64>(bytes, 7)));
            return hash(core::null_cell_hash<core::u128>(core::low_half(core::hash_bytes<core::u128>(bytes, 7))));
        };
        const auto row = [&](const std::string& key, const std::string& a, const std::string& b,
                             std::uint64_t row_hash) {
            return RowDigest{1, key, hash(row_hash), a + b};
        };
        VectorRows source(
            {row("k", null("k"), hash(1), 1), row("l", hash(1), hash(1), 1), row("m", hash(5), hash(1), 1)});
        VectorRows target(
            {row("k", hash(3), hash(1), 2), row("l", null("l"), hash(2), 2), row("m", null("k"), hash(1), 2)});
        DivergentRange range;
        range.range_no = 1;
        for (Side side : kSides) {
            range.keys[side].rows = 3;
            for (const std::string key : {"k", "l", "m"}) {
                const core::ByteView bytes = core::as_bytes(key);
                range.keys[side].add(
                    {1, width == 64 ? core::hash_bytes<core::u64>(bytes, 7) : core::hash_bytes<core::u128>(bytes, 7)},
                    width);
            }
            range.keys[side].rows = 3;
        }
        const MergeReport report = merge_rows(spec, {range}, {&source, &target}, [](const RowFinding&) {});
        EXPECT_EQ(report.column_counts, (std::vector<ColumnCounts>{{3, 1, 1}, {1, 0, 0}})) << width;
    }
}

/// Keys of one text column.
std::string key_of(const std::string& text) { return test::text_frame(text); }

/// The hash of a NULL in the row of such a key.
std::uint64_t null_of(const std::string& text) {
    const std::string key = key_of(text);
    return core::null_cell_hash<core::u64>(core::hash_bytes<core::u64>(core::as_bytes(key), 0));
}

TEST(RowMerge, WhatMayBeUnreadIsUnresolvedAndNotMissing) {
    UnreadRows unread({core::Form::kText});
    unread.add_interval(test::key_bound(key_of("c")), test::key_bound(key_of("f")));
    MergeSpec spec = proven(1);
    spec.unread.target = &unread;
    const Rows source{make_row(1, key_of("a"), {1}), make_row(1, key_of("b"), {1}), make_row(1, key_of("c"), {1}),
                      make_row(1, key_of("d"), {1}), make_row(1, key_of("f"), {1})};
    const Merged merged = merge(spec, source, {make_row(1, key_of("a"), {1}), make_row(1, key_of("e"), {1})});
    EXPECT_EQ(merged.report.counts, (FindingCounts{0, 2, 1, 2, 0}));
    EXPECT_EQ(merged.report.counts.total(), 3u);
    EXPECT_EQ(merged.report.range_differs, std::vector<bool>{true});
    EXPECT_EQ(merged.found, (std::vector<MergedFinding>{missing_on_target(key_of("b")),
                                                        {FindingKind::kUnresolvedOnTarget, key_of("c"), {}, 1, {}},
                                                        {FindingKind::kUnresolvedOnTarget, key_of("d"), {}, 1, {}},
                                                        missing_on_source(key_of("e")),
                                                        missing_on_target(key_of("f"))}));
    // What only the unread side has is missing on the other one all the same, and a range of nothing else is no
    // difference.
    const Merged unresolved = merge(spec, {make_row(1, key_of("c"), {1})}, {});
    EXPECT_EQ(unresolved.report.counts, (FindingCounts{0, 0, 0, 1, 0}));
    EXPECT_EQ(unresolved.report.range_differs, std::vector<bool>{false});
}

TEST(RowMerge, ColumnsThatCouldNotBeReadDifferFromNothing) {
    UnreadRows unread({core::Form::kText});
    unread.add_row(key_of("a"), {1});
    unread.add_row(key_of("b"), {1});
    MergeSpec spec = proven(3);
    spec.unread.source = &unread;
    const Merged merged = merge(spec,
                                {make_row(1, key_of("a"), {1, null_of("a"), 3}),
                                 make_row(2, key_of("b"), {1, null_of("b"), 3}), make_row(2, key_of("c"), {1, 2, 3})},
                                {make_row(1, key_of("a"), {1, 2, 3}), make_row(2, key_of("b"), {1, 2, 4}),
                                 make_row(2, key_of("c"), {1, 5, 3})});
    EXPECT_EQ(merged.found, (std::vector<MergedFinding>{mismatch(key_of("b"), {2}), mismatch(key_of("c"), {1})}));
    EXPECT_EQ(merged.report.counts, (FindingCounts{2, 0, 0, 0, 0}));
    EXPECT_EQ(merged.report.range_differs, (std::vector<bool>{false, true}));
    EXPECT_EQ(merged.report.column_divergent, (std::vector<bool>{false, true, true}));
    // A row whose key was read is there: the other side lacks it.
    EXPECT_EQ(merge(spec, {make_row(1, key_of("a"), {1, null_of("a"), 3})}, {}).report.counts,
              (FindingCounts{0, 1, 0, 0, 0}));
}

TEST(RowMerge, ColumnsThatCouldNotBeReadExcuseNoOtherRowOfTheKey) {
    UnreadRows unread({core::Form::kText});
    unread.add_row(key_of("a"), {1});
    MergeSpec spec = proven(2);
    spec.proven = false;
    spec.unread.source = &unread;
    const auto rows = [](std::uint64_t one, std::uint64_t other) {
        Rows made{make_row(1, key_of("a"), {1, one}), make_row(1, key_of("a"), {2, other})};
        std::sort(made.begin(), made.end(), [](const auto& a, const auto& b) { return a.row_hash < b.row_hash; });
        return made;
    };
    EXPECT_EQ(merge(spec, rows(null_of("a"), 5), rows(7, 9)).found,
              (std::vector<MergedFinding>{mismatch(key_of("a"), {1})}));
    EXPECT_TRUE(merge(spec, rows(null_of("a"), 9), rows(7, 9)).found.empty());
}

TEST(RowMerge, NamesMismatchedColumnsAndMissingRows) {
    const Merged merged =
        merge(proven(3), {make_row(1, "a", {1, 2, 3}), make_row(1, "b", {1, 2, 3}), make_row(4, "x", {7, 7, 7})},
              {make_row(1, "a", {1, 9, 9}), make_row(1, "c", {1, 2, 3}), make_row(4, "x", {8, 7, 7})});
    EXPECT_EQ(merged.found, (std::vector<MergedFinding>{mismatch("a", {1, 2}), missing_on_target("b"),
                                                        missing_on_source("c"), mismatch("x", {0})}));
    EXPECT_EQ(merged.report.counts.mismatch, 2U);
    EXPECT_EQ(merged.report.counts.missing_on_target, 1U);
    EXPECT_EQ(merged.report.counts.missing_on_source, 1U);
    EXPECT_EQ(merged.report.column_divergent, (std::vector<bool>{true, true, true}));
}

TEST(RowMerge, GivesBothRowHashesOfAMismatch) {
    const RowDigest source = make_row(1, "a", {1});
    const RowDigest target = make_row(1, "a", {2});
    const Merged merged = merge(proven(1), {source}, {target});
    ASSERT_EQ(merged.found.size(), 1U);
    EXPECT_EQ(merged.found[0].row_hash.source, source.row_hash);
    EXPECT_EQ(merged.found[0].row_hash.target, target.row_hash);
}

TEST(RowMerge, LeavesColumnsThatAreEqualUnmarked) {
    const Merged merged = merge(proven(3), {make_row(1, "a", {1, 2, 3})}, {make_row(1, "a", {1, 5, 3})});
    EXPECT_EQ(merged.report.column_divergent, (std::vector<bool>{false, true, false}));
}

TEST(RowMerge, OneSideEmpty) {
    const Merged merged = merge(proven(1), {make_row(1, "a", {1}), make_row(2, "b", {1})}, {});
    EXPECT_EQ(merged.found, (std::vector<MergedFinding>{missing_on_target("a"), missing_on_target("b")}));
}

TEST(RowMerge, WorksWithoutColumns) {
    const Merged merged =
        merge(proven(0), {make_row(1, "a", {}), make_row(1, "b", {})}, {make_row(1, "b", {}), make_row(1, "c", {})});
    EXPECT_EQ(merged.found, (std::vector<MergedFinding>{missing_on_target("a"), missing_on_source("c")}));
}

TEST(RowMerge, KeysAreComparedAsUnsignedBytes) {
    const Merged merged =
        merge(proven(1), {make_row(1, "a", {1}), make_row(1, "\xff", {1})}, {make_row(1, "\xff", {2})});
    EXPECT_EQ(merged.found, (std::vector<MergedFinding>{missing_on_target("a"), mismatch("\xff", {0})}));
}

TEST(RowMerge, DuplicatesUnderAnUnprovenKeyCancelAsMultisets) {
    const Merged merged = merge(unproven(1), {make_row(1, "k", {1}), make_row(1, "k", {1}), make_row(1, "k", {2})},
                                {make_row(1, "k", {1}), make_row(1, "k", {2}), make_row(1, "k", {2})});
    EXPECT_EQ(merged.found, (std::vector<MergedFinding>{mismatch("k", {0})}));
}

TEST(RowMerge, RowsThatSwapCellsUnderOneKeyAreTwoMismatches) {
    const Merged merged = merge(unproven(2), {make_row(1, "k", {1, 1}), make_row(1, "k", {2, 2})},
                                {make_row(1, "k", {1, 2}), make_row(1, "k", {2, 1})});
    EXPECT_EQ(merged.report.counts.mismatch, 2U);
    for (const MergedFinding& found : merged.found) EXPECT_EQ(found.columns.size(), 1U);
}

TEST(RowMerge, PairsTheRowsThatDifferLeast) {
    const Merged merged =
        merge(unproven(4), {make_row(1, "k", {1, 2, 3, 4}), make_row(1, "k", {5, 6, 7, 8})},
              {make_row(1, "k", {5, 6, 0, 8}), make_row(1, "k", {1, 0, 0, 4}), make_row(1, "k", {9, 9, 9, 9})});
    std::set<MergedFinding> found(merged.found.begin(), merged.found.end());
    EXPECT_EQ(found, (std::set<MergedFinding>{mismatch("k", {2}), mismatch("k", {1, 2}), missing_on_source("k")}));
}

TEST(RowMerge, MissingRowsOfOneKeyAreOneFindingThatCountsAll) {
    const Merged merged = merge(unproven(1), {make_row(1, "k", {1}), make_row(1, "k", {2}), make_row(1, "k", {2})}, {});
    EXPECT_EQ(merged.found, (std::vector<MergedFinding>{missing_on_target("k", 3)}));
    EXPECT_EQ(merged.report.counts.missing_on_target, 3U);
}

TEST(RowMerge, SaysWhereAProvenKeyHasDuplicates) {
    const Merged merged = merge(proven(1), {make_row(1, "a", {1}), make_row(1, "a", {2}), make_row(1, "b", {1})},
                                {make_row(1, "a", {1}), make_row(1, "b", {1})});
    EXPECT_EQ(merged.found, (std::vector<MergedFinding>{missing_on_target("a")}));
    EXPECT_EQ(merged.report.duplicate_keys.source, 1U);
    EXPECT_EQ(merged.report.duplicate_keys.target, 0U);
    EXPECT_EQ(merged.report.first_duplicate_key, "a");
}

TEST(RowMerge, DuplicatesUnderAnUnprovenKeyAreNoNews) {
    const Merged merged = merge(unproven(1), {make_row(1, "a", {1}), make_row(1, "a", {2})}, {make_row(1, "a", {1})});
    EXPECT_EQ(merged.report.duplicate_keys.source, 0U);
}

TEST(RowMerge, KeylessRowsAreCounted) {
    const Merged merged =
        merge(keyless(1), {make_row(1, "r", {1}), make_row(1, "r", {1}), make_row(1, "r", {1}), make_row(1, "s", {2})},
              {make_row(1, "r", {1}), make_row(1, "s", {2}), make_row(1, "t", {3}), make_row(1, "t", {3})});
    EXPECT_EQ(merged.found, (std::vector<MergedFinding>{missing_on_target("r", 2), missing_on_source("t", 2)}));
}

TEST(RowMerge, ManyDifferingRowsUnderOneKeyAreBounded) {
    MergeSpec spec = unproven(1);
    spec.max_kept_rows = 10;
    Rows source, target;
    for (std::uint64_t i = 0; i < 100; ++i) {
        source.push_back(make_row(1, "k", {i}));
        target.push_back(make_row(1, "k", {1000 + i}));
    }
    const Merged merged = merge(spec, source, target);
    EXPECT_EQ(merged.report.crowded_keys, 1U);
    EXPECT_EQ(merged.report.counts.mismatch, 10U);
    EXPECT_EQ(merged.report.counts.missing_on_target, 90U);
    EXPECT_EQ(merged.report.counts.missing_on_source, 90U);
}

TEST(RowMerge, KeptBytesAreBoundedToo) {
    MergeSpec spec = unproven(2);
    spec.max_kept_bytes = 50;  // two rows of 24 bytes, and the one that crosses the line
    Rows source, target;
    for (std::uint64_t i = 0; i < 20; ++i) {
        source.push_back(make_row(1, "k", {i, i}));
        target.push_back(make_row(1, "k", {1000 + i, 1000 + i}));
    }
    EXPECT_EQ(merge(spec, source, target).report.counts.mismatch, 3U);
}

TEST(RowMerge, EqualRowHashesWithOtherCellsAreAMismatch) {
    RowDigest source = make_row(1, "a", {1, 2});
    RowDigest target = make_row(1, "a", {1, 3});
    target.row_hash = source.row_hash;
    EXPECT_EQ(merge(proven(2), {source}, {target}).found, (std::vector<MergedFinding>{mismatch("a", {1})}));
}

TEST(RowMerge, WideHashesAreReadWhole) {
    MergeSpec spec{128, 1, false, true};
    const RowDigest source{1, "a", std::string(15, 'h') + "1", std::string(15, 'c') + "1"};
    const RowDigest target{1, "a", std::string(15, 'h') + "2", std::string(15, 'c') + "2"};
    EXPECT_EQ(merge(spec, {source}, {target}).found, (std::vector<MergedFinding>{mismatch("a", {0})}));
}

TEST(RowMerge, RefusesRowsThatDoNotAddUp) {
    const Rows source{make_row(1, "a", {1}), make_row(1, "b", {1})};
    const Rows target{make_row(1, "a", {2})};
    const auto ranges = ranges_of(source, target);
    EXPECT_EQ(internal_error([&] { merge(proven(1), ranges, {source[0]}, target); }),
              "rows of range 1 on source do not add up to its digest");
    EXPECT_EQ(internal_error([&] { merge(proven(1), ranges, source, {}); }),
              "rows of range 1 on target do not add up to its digest");
    Rows altered = source;
    altered[1].row_hash = hash64(~std::uint64_t{0});
    EXPECT_EQ(internal_error([&] { merge(proven(1), ranges, altered, target); }),
              "rows of range 1 on source do not add up to its digest");
}

TEST(RowMerge, ChecksRowsOfInexactRangesByTheirKeys) {
    const Rows rows{make_row(3, "a", {1}), make_row(3, "b", {2})};
    std::vector<DivergentRange> ranges{{3, {{2, 5}, {2, 6}}, false, true, {}}};  // row sums of other forms
    std::uint64_t keys = 0;
    for (const RowDigest& row : rows) keys += core::hash_bytes<core::u64>(core::as_bytes(row.key), 9);
    ranges[0].keys = {{2, keys}, {2, keys}};
    MergeSpec spec = proven(1);
    spec.exact = false;
    spec.seed = 9;
    const Merged merged = merge(spec, ranges, rows, rows);
    EXPECT_EQ(merged.report.counts.total(), 0U);
    EXPECT_EQ(merged.report.range_differs, std::vector<bool>{false});
    EXPECT_THROW(merge(spec, ranges, rows, {rows[0]}), TotalsError);
    EXPECT_THROW(merge(spec, ranges, rows, {rows[0], make_row(3, "c", {2})}), TotalsError);
    const Merged changed = merge(spec, ranges, rows, {rows[0], make_row(3, "b", {3})});
    EXPECT_EQ(changed.report.counts.mismatch, 1U);
    EXPECT_EQ(changed.report.range_differs, std::vector<bool>{true});
}

/// Rows of one bucket, the third of four of the first range.
struct ThirdBucket {
    MergeSpec spec = proven(1);
    Rows rows, other;
    std::vector<DivergentRange> ranges;
    HashTotal sent;  ///< by their keys

    ThirdBucket() {
        spec.buckets = 4;
        spec.keys = {{20, 5}, {21, 6}};
        spec.seed = 9;
        for (int i = 0; rows.size() < 2; ++i) {
            const std::string key = "key " + std::to_string(i);
            if ((hash(key) & 3) != 2) continue;
            rows.push_back(make_row(3, key, {1}));
            sent.add({1, hash(key)}, 64);
        }
        sort_rows(rows);
        other = {rows[0], make_row(3, rows[1].key, {3})};
        ranges = ranges_of(rows, other);
        ranges[0].total.source.rows = ranges[0].total.target.rows = 0;
    }
    core::u64 hash(const std::string& key) const { return core::hash_bytes<core::u64>(core::as_bytes(key), spec.seed); }
    MergeReport merge(const Rows& target, HashTotal seen, HashTotal chosen) const {
        VectorRows source_rows(rows, {spec.keys.source, sent}), target_rows(target, {seen, chosen});
        return merge_rows(spec, ranges, {&source_rows, &target_rows}, [](const RowFinding&) {});
    }
};

TEST(RowMerge, ChecksRowsOfBucketsByTheirSumsAndByWhatWasReadForThem) {
    const ThirdBucket bucket;
    EXPECT_EQ(bucket.merge(bucket.other, {21, 6}, {}).counts.mismatch, 1U);
    EXPECT_EQ(internal_error([&] {
                  bucket.merge({bucket.other[0]}, {21, 6}, {});
              }),
              "rows of bucket 3 on target do not add up to its digest");
    EXPECT_EQ(internal_error([&] {
                  bucket.merge(bucket.other, {20, 6}, {});
              }),
              "the rows that were read on target for divergent buckets are not all of their ranges");
    EXPECT_THROW(bucket.merge(bucket.other, {21, 5}, {}), TotalsError);
}

TEST(RowMerge, ChecksRowsOfInexactBucketsByWhatWasSent) {
    ThirdBucket bucket;
    bucket.spec.exact = false;
    bucket.ranges[0].total = {{0, 1}, {0, 2}};  // under other forms
    EXPECT_EQ(bucket.merge(bucket.rows, {21, 6}, bucket.sent).counts.total(), 0U);
    EXPECT_EQ(bucket.merge(bucket.other, {21, 6}, bucket.sent).counts.mismatch, 1U);
    EXPECT_THROW(bucket.merge(bucket.rows, {21, 5}, bucket.sent), TotalsError);
    EXPECT_EQ(internal_error([&] {
                  bucket.merge({bucket.rows[0]}, {21, 6}, bucket.sent);
              }),
              "rows of divergent buckets got lost on the way from target");
    bucket.rows[1].range_no = bucket.ranges[0].range_no = 4;
    bucket.rows[0].range_no = 4;
    EXPECT_EQ(internal_error([&] {
                  bucket.merge(bucket.rows, {21, 6}, bucket.sent);
              }),
              "source sent a row of another bucket than 4");
}

template <typename H>
H hash_of_digested(const std::string& key, std::uint64_t seed, H cell) {
    core::RowFold<H> fold(core::hash_bytes<H>(core::as_bytes(key), seed));
    fold.add(cell);
    return fold.result();
}

TEST(RowMerge, ChecksRowsByTheColumnsThatWereDigested) {
    const Rows source{make_row(3, "a", {1, 10}), make_row(3, "b", {2, 20})};
    const Rows target{make_row(3, "a", {1, 10}), make_row(3, "b", {2, 30})};
    std::vector<DivergentRange> ranges{{3, {}, false, true, {}}};
    const std::uint64_t equal = hash_of_digested<core::u64>("a", 9, 10);
    ranges[0].total = {{2, core::u64{equal + hash_of_digested<core::u64>("b", 9, 20)}},
                       {2, core::u64{equal + hash_of_digested<core::u64>("b", 9, 30)}}};
    MergeSpec spec = proven(2);
    spec.digested_columns = {1};
    spec.seed = 9;
    EXPECT_EQ(merge(spec, ranges, source, target).found, std::vector<MergedFinding>{mismatch("b", {1})});
    EXPECT_THROW(merge(spec, ranges, source, source), TotalsError);
    EXPECT_THROW(merge(spec, ranges, {source[0]}, target), TotalsError);
    spec.digested_columns = {0};
    EXPECT_THROW(merge(spec, ranges, source, target), TotalsError);
}

TEST(RowMerge, ChecksWideRowsByTheColumnsThatWereDigested) {
    const core::u128 cell = core::join_halves(5, 6);
    const std::string cells = std::string(16, 'c') + hash64(6) + hash64(5);
    std::vector<DivergentRange> ranges{{3, {}, false, true, {}}};
    ranges[0].total = {{1, hash_of_digested<core::u128>("a", 9, cell)}, {}};
    MergeSpec spec{128, 2, false, true};
    spec.digested_columns = {1};
    spec.seed = 9;
    const RowDigest row{3, "a", std::string(16, 'r'), cells};
    EXPECT_EQ(merge(spec, ranges, {row}, {}).found, std::vector<MergedFinding>{missing_on_target("a")});
    ranges[0].total.source.sum += 1;
    EXPECT_THROW(merge(spec, ranges, {row}, {}), TotalsError);
}

TEST(RowMerge, RefusesADivergentRangeWithoutADifference) {
    const Rows rows{make_row(1, "a", {1})};
    EXPECT_EQ(internal_error([&] { merge(proven(1), rows, rows); }), "range 1 is divergent, but its rows are equal");
    const std::vector<DivergentRange> empty{{7, {}, false, true, {}}};
    EXPECT_EQ(internal_error([&] { merge(proven(1), empty, {}, {}); }), "range 7 is divergent, but its rows are equal");
}

TEST(RowMerge, RefusesRowsOutOfOrder) {
    const Rows target{make_row(1, "z", {1})};
    const Rows by_key{make_row(1, "b", {1}), make_row(1, "a", {1})};
    EXPECT_EQ(internal_error([&] { merge(proven(1), ranges_of(by_key, target), by_key, target); }),
              "source sent rows of range 1 out of order");
    const Rows by_range{make_row(2, "a", {1}), make_row(1, "b", {1})};
    EXPECT_EQ(internal_error([&] { merge(proven(1), ranges_of(by_range, target), by_range, target); }),
              "source sent rows of range 1 out of order");
}

TEST(RowMerge, RefusesRowsThatWereNotAskedFor) {
    const Rows source{make_row(1, "a", {1}), make_row(3, "b", {1})};
    const auto ranges = ranges_of({source[0]}, {});
    EXPECT_EQ(internal_error([&] { merge(proven(1), ranges, source, {}); }),
              "source sent a row of range 3, which was not asked for");
}

TEST(RowMerge, RefusesHashesOfAnotherShape) {
    const Rows rows{make_row(1, "a", {1, 2})};
    EXPECT_NE(internal_error([&] { merge(proven(3), rows, {}); }).find("8 and 16 bytes where 8 and 24"),
              std::string::npos);
}

/// What a merge must find, worked out the slow way: what is left under each key after equal rows cancel.
struct Left {
    std::vector<std::vector<std::uint64_t>> source;
    std::vector<std::vector<std::uint64_t>> target;
};

std::uint64_t seed_of_tests() {
    const char* given = std::getenv("PARITY_SEED");
    return given ? std::strtoull(given, nullptr, 10) : std::random_device{}();
}

TEST(RowMerge, AgreesWithASimpleOracleOnRandomRows) {
    const std::uint64_t seed = seed_of_tests();
    SCOPED_TRACE("PARITY_SEED=" + std::to_string(seed));
    std::mt19937_64 random(seed);
    const auto below = [&](std::uint64_t n) { return random() % n; };
    for (int round = 0; round < 2000; ++round) {
        const std::size_t columns = 1 + below(4);
        using Cells = std::vector<std::uint64_t>;
        Both<std::map<std::pair<int, std::string>, std::multiset<Cells>>> tables;
        Both<Rows> rows;
        for (Side side : kSides) {
            const std::uint64_t count = below(12);
            for (std::uint64_t i = 0; i < count; ++i) {
                const int range_no = static_cast<int>(1 + below(2));
                const std::string key = std::to_string(range_no) + "k" + std::to_string(below(4));
                Cells cells;
                for (std::size_t c = 0; c < columns; ++c) cells.push_back(below(2));
                tables[side][{range_no, key}].insert(cells);
                rows[side].push_back(make_row(range_no, key, cells));
            }
        }
        std::map<std::string, Left> expected;
        std::set<int> differing;
        for (Side side : kSides) {
            const auto& other = tables[side == Side::kSource ? Side::kTarget : Side::kSource];
            for (const auto& [place, cells] : tables[side]) {
                std::multiset<Cells> left = cells;
                if (const auto found = other.find(place); found != other.end())
                    for (const Cells& same : found->second)
                        if (const auto at = left.find(same); at != left.end()) left.erase(at);
                if (left.empty()) continue;
                differing.insert(place.first);
                auto& list = side == Side::kSource ? expected[place.second].source : expected[place.second].target;
                list.assign(left.begin(), left.end());
            }
        }
        // Ranges without a difference would be refused, and would not be asked for either.
        for (Side side : kSides)
            std::erase_if(rows[side], [&](const RowDigest& row) { return !differing.contains(row.range_no); });
        const Merged merged = merge(unproven(columns), rows.source, rows.target);

        std::map<std::string, Both<std::uint64_t>> found;
        std::uint64_t total = 0;
        for (const MergedFinding& f : merged.found) {
            auto& sides = found.try_emplace(f.key, Both<std::uint64_t>{0, 0}).first->second;
            if (f.kind != FindingKind::kMissingOnSource) sides.source += f.occurrences;
            if (f.kind != FindingKind::kMissingOnTarget) sides.target += f.occurrences;
            total += f.occurrences;
            ASSERT_EQ(f.kind == FindingKind::kMismatch, !f.columns.empty());
        }
        ASSERT_EQ(found.size(), expected.size());
        for (const auto& [key, left] : expected) {
            ASSERT_EQ(found.at(key).source, left.source.size()) << key;
            ASSERT_EQ(found.at(key).target, left.target.size()) << key;
        }
        ASSERT_EQ(merged.report.counts.total(), total);
    }
}

/// For small groups: no pairing of one mismatch at a time can be closer than the first pair that greed takes.
TEST(RowMerge, FirstPairIsTheClosestOfAll) {
    const std::uint64_t seed = seed_of_tests();
    SCOPED_TRACE("PARITY_SEED=" + std::to_string(seed));
    std::mt19937_64 random(seed);
    for (int round = 0; round < 500; ++round) {
        Rows source, target;
        for (std::uint64_t i = 0; i < 3; ++i) {
            source.push_back(make_row(1, "k", {random() % 3, random() % 3, random() % 3, 10 + i}));
            target.push_back(make_row(1, "k", {random() % 3, random() % 3, random() % 3, 20 + i}));
        }
        std::size_t closest = 4;
        for (const RowDigest& s : source) {
            for (const RowDigest& t : target) {
                std::size_t differing = 0;
                for (std::size_t c = 0; c < 4; ++c)
                    differing += s.cell_hashes.substr(8 * c, 8) != t.cell_hashes.substr(8 * c, 8);
                closest = std::min(closest, differing);
            }
        }
        const Merged merged = merge(unproven(4), source, target);
        ASSERT_EQ(merged.found.size(), 3U);
        ASSERT_EQ(merged.found[0].columns.size(), closest);
    }
}

}  // namespace
}  // namespace parity::driver
