#include "driver/engine/row_hasher.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <numeric>

#include <nlohmann/json.hpp>

#include "core/digest.h"
#include "driver/digests/ranges.h"
#include "driver/model/error.h"
#include "driver/postgres/values/type_rules.h"
#include "tests/support/wire_fixtures.h"

namespace parity::driver {
namespace {

using fixtures::be;
using fixtures::Types;
using nlohmann::json;

/// What travels of a literal; nothing for types that this test does not write.
std::optional<std::string> wire_of(const std::string& type, const std::string& literal) {
    if (type == "integer") return be(static_cast<std::int32_t>(std::stoll(literal)));
    if (type == "bigint") return be(static_cast<std::int64_t>(std::stoll(literal)));
    if (type == "text") return literal;
    return std::nullopt;
}

const std::map<std::string, std::string> kNames = {{"integer", "int4"}, {"bigint", "int8"}, {"text", "text"}};

struct VectorColumn {
    std::string name, type, form;
    std::size_t position;  ///< in a row of the vectors
};

/// A row of digests.tsv as a stream's reader sees it.
class VectorTable {
  public:
    explicit VectorTable(const std::map<std::string, std::string>& row) : row_(row) {
        const std::vector<VectorColumn> key = columns_of("key", 0);
        std::vector<VectorColumn> columns = columns_of("columns", key.size());
        if (row.at("order") == "names")
            std::sort(columns.begin(), columns.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
        add(key, columns_.key);
        add(columns, columns_.columns);
        settings_.width = std::stoi(row.at("width"));
        settings_.seed = std::stoull(row.at("seed"));
        for (const std::string bound : json::parse(row.at("bounds"))) ranges_.bounds.push_back(test::from_hex(bound));
        for (const json& values : json::parse(row.at("rows"))) add_row(values);
    }

    static bool is_writable(const std::map<std::string, std::string>& row) {
        for (const char* list : {"key", "columns"})
            for (const json& column : json::parse(row.at(list)))
                if (!kNames.contains(column[1])) return false;
        return true;
    }

    /// The digests of chosen rows, by several participants if there are several.
    std::vector<RangeDigests> digests(std::size_t participants, const RangeList& ranges) {
        const StreamSpec spec(columns_, settings_, ranges);
        std::vector<SumMatrix> sums(participants, SumMatrix(spec.ranges(), columns_.columns.size(), spec.wide));
        std::vector<std::unique_ptr<RowHasher>> hashers;
        for (std::size_t i = 0; i < participants; ++i) hashers.push_back(std::make_unique<RowHasher>(spec));
        for (std::size_t i = 0; i < rows_.size(); ++i)
            hashers[i % participants]->accumulate(fields(i), sums[i % participants]);
        for (std::size_t i = 1; i < participants; ++i) sums.front().add(sums[i]);
        const std::vector<std::uint32_t> tags = slice_tags(spec);
        std::vector<RangeDigests> digests;
        for (std::size_t range = 0; range < spec.ranges(); ++range)
            digests.push_back(digests_of_range(sums.front(), range, spec, tags));
        return digests;
    }

    /// What the rows add up to when each is hashed by itself.
    std::map<int, HashTotal> totals(const RangeList& ranges) {
        const StreamSpec spec(columns_, settings_, ranges);
        RowHasher hasher(spec);
        std::map<int, HashTotal> totals;
        RowDigest digest;
        for (std::size_t i = 0; i < rows_.size(); ++i) {
            if (!hasher.hash(fields(i), digest)) continue;
            EXPECT_EQ(digest.key, test::bytes_of(hasher.frame_key(fields(i))));
            EXPECT_EQ(digest.cell_hashes.size(),
                      columns_.columns.size() * static_cast<std::size_t>(settings_.width) / 8);
            HashTotal row;
            row.add(digest.row_hash);
            totals[digest.range_no].add(row, settings_.width);
        }
        return totals;
    }

    const RangeList& ranges() const { return ranges_; }

  private:
    std::vector<VectorColumn> columns_of(const std::string& list, std::size_t position) const {
        std::vector<VectorColumn> columns;
        for (const json& column : json::parse(row_.at(list)))
            columns.push_back({column[0], column[1], column[2], position++});
        return columns;
    }
    void add(const std::vector<VectorColumn>& columns, std::vector<std::shared_ptr<const ValueReader>>& readers) {
        for (const VectorColumn& column : columns) {
            readers.push_back(make_wire_decoder(types_.catalog(), types_.builtin(kNames.at(column.type)), column.form));
            read_.push_back(column);
        }
    }
    void add_row(const json& values) {
        std::vector<std::optional<std::string>>& row = rows_.emplace_back();
        for (const VectorColumn& column : read_) {
            const json& value = values[column.position];
            row.push_back(value.is_null() ? std::nullopt : wire_of(column.type, value));
        }
    }
    std::vector<ValueField> fields(std::size_t row) const { return {rows_[row].begin(), rows_[row].end()}; }

    const std::map<std::string, std::string> row_;
    Types types_;
    StreamColumns columns_;
    std::vector<VectorColumn> read_;
    DigestSettings settings_;
    RangeList ranges_;
    std::vector<std::vector<std::optional<std::string>>> rows_;
};

std::vector<std::string> split(const std::string& line) {
    std::vector<std::string> fields(1);
    for (const char c : line) c == '\t' ? fields.emplace_back() : (fields.back() += c, fields.back());
    return fields;
}

/// The tables of digests.tsv that this test can write.
std::vector<std::map<std::string, std::string>> vectors() {
    std::ifstream file(std::string(PARITY_SOURCE_DIR) + "/tests/vectors/digests.tsv");
    std::vector<std::string> names;
    std::vector<std::map<std::string, std::string>> rows;
    for (std::string line; std::getline(file, line);) {
        if (names.empty() && line.starts_with('#')) continue;
        const std::vector<std::string> fields = split(line);
        if (names.empty()) {
            names = fields;
            continue;
        }
        std::map<std::string, std::string> row;
        for (std::size_t i = 0; i < names.size(); ++i) row[names[i]] = fields.at(i);
        if (VectorTable::is_writable(row)) rows.push_back(row);
    }
    return rows;
}

std::string text_of(const core::Digest& digest) {
    char text[core::kMaxDigestText];
    return std::string(text, core::write_digest_text(digest, text));
}

TEST(RowHasher, GivesTheDigestsOfTheVectors) {
    std::size_t keyless = 0, wide = 0;
    const auto rows = vectors();
    for (const auto& row : rows) {
        SCOPED_TRACE(row.at("name"));
        VectorTable table(row);
        for (const std::size_t participants : {1, 3}) {
            const RangeDigests whole = table.digests(participants, {}).at(0);
            EXPECT_EQ(text_of(whole.key), row.at("key_digest"));
            EXPECT_EQ(text_of(whole.row), row.at("row_digest"));
            const json columns = json::parse(row.at("column_digests"));
            ASSERT_EQ(whole.columns.size(), columns.size());
            for (std::size_t i = 0; i < columns.size(); ++i) EXPECT_EQ(text_of(whole.columns[i]), columns[i][1]);
        }
        keyless += row.at("key") == "[]";
        wide += row.at("width") == "128";
    }
    EXPECT_GE(rows.size(), 35u);
    EXPECT_GE(keyless, 8u);
    EXPECT_GE(wide, 6u);
}

TEST(RowHasher, DividesAsTheVectorsDo) {
    std::size_t divided = 0;
    for (const auto& row : vectors()) {
        SCOPED_TRACE(row.at("name"));
        VectorTable table(row);
        const std::vector<RangeDigests> ranges = table.digests(2, table.ranges());
        const json counts = json::parse(row.at("range_counts")), digests = json::parse(row.at("range_row_digests"));
        ASSERT_EQ(ranges.size(), counts.size());
        for (std::size_t i = 0; i < ranges.size(); ++i) {
            EXPECT_EQ(ranges[i].range_no, static_cast<int>(i) + 1);
            EXPECT_EQ(ranges[i].rows, counts[i]);
            EXPECT_EQ(text_of(ranges[i].row), digests[i]);
        }
        divided += ranges.size() > 1;
    }
    EXPECT_GE(divided, 5u);
}

TEST(RowHasher, KeepsTheRangesThatAreAskedFor) {
    for (const auto& row : vectors()) {
        SCOPED_TRACE(row.at("name"));
        VectorTable table(row);
        RangeList chosen = table.ranges();
        if (chosen.bounds.size() < 2) continue;
        chosen.only = {2};
        const std::vector<RangeDigests> all = table.digests(1, table.ranges()), kept = table.digests(1, chosen);
        for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(kept[i].rows, i == 1 ? all[i].rows : 0);
        EXPECT_EQ(text_of(kept[1].row), text_of(all[1].row));
        for (const auto& [range, total] : table.totals(chosen)) EXPECT_EQ(range, 2);
    }
}

TEST(RowHasher, HashesOfRowsAddUpToTheirRangesDigest) {
    for (const auto& row : vectors()) {
        SCOPED_TRACE(row.at("name"));
        VectorTable table(row);
        std::map<int, HashTotal> totals = table.totals(table.ranges());
        for (const RangeDigests& range : table.digests(1, table.ranges())) {
            EXPECT_EQ(totals[range.range_no].rows, range.rows);
            EXPECT_EQ(core::low_half(totals[range.range_no].sum), range.row.sum_low);
            EXPECT_EQ(core::high_half(totals[range.range_no].sum), range.row.sum_high);
        }
    }
}

TEST(SumMatrix, AddsWithCarries) {
    SumMatrix a(2, 1, true), b(2, 1, true);
    std::fill(a.range(1), a.range(2), ~std::uint64_t{0});
    b.range(1)[0] = 3;
    b.range(1)[1] = 1;  // the key's low half
    a.add(b);
    const std::vector<std::uint64_t> sums(a.range(1), a.range(2));
    const std::uint64_t full = ~std::uint64_t{0};
    EXPECT_EQ(sums, (std::vector<std::uint64_t>{2, 0, 0, full, full, full, full}));
    EXPECT_EQ(std::accumulate(a.range(0), a.range(1), std::uint64_t{0}), 0u);
}

TEST(SumMatrix, SaysWhatItTakes) {
    EXPECT_EQ(SumMatrix::bytes(10, 3, false), 10 * 6 * sizeof(std::uint64_t));
    EXPECT_EQ(SumMatrix::bytes(10, 3, true), 10 * 11 * sizeof(std::uint64_t));
    SumMatrix wide(10, 3, true);
    EXPECT_EQ(wide.range(1) - wide.range(0), 11);
}

TEST(StreamSpec, RefusesMalformedBounds) {
    Types types;
    StreamColumns columns;
    columns.key.push_back(make_wire_decoder(types.catalog(), types.builtin("int4"), "int"));
    EXPECT_EQ(fixtures::thrown([&] { StreamSpec(columns, {}, {{"k"}, {}}); }).kind(), ErrorKind::kInternal);
    const std::string bound = test::from_hex("6b 01 0100000000000000");
    EXPECT_EQ(fixtures::thrown([&] { StreamSpec(columns, {}, {{bound, bound}, {}}); }).kind(), ErrorKind::kInternal);
    EXPECT_EQ(StreamSpec(columns, {}, {{bound}, {}}).ranges(), 2u);
}

}  // namespace
}  // namespace parity::driver
