#include "driver/salvage/place_reader.h"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

#include "driver/digests/partial_row.h"

namespace parity::driver {
namespace {

/// A reader gives values of rows only that it has given before.
RowDigest read_to_the_last(TableReader& reader, const RangeList& ranges) {
    const std::unique_ptr<RowSource> rows = reader.rows(ranges);
    RowDigest row, last;
    while (rows->next(row)) last = row;
    return last;
}

}  // namespace

TablePlan with_some_columns(TablePlan table, const std::vector<int>& columns) {
    std::vector<ColumnPlan> some;
    for (const int column : columns) some.push_back(table.columns[static_cast<std::size_t>(column)]);
    table.columns = std::move(some);
    return table;
}

PlaceReader::PlaceReader(ServerSession& session, const TablePlan& table, const TableReaderSettings& settings)
    : table_(table), settings_(settings), heap_(session.read_heap(table, settings)) {}

std::vector<RangeDigests> PlaceReader::digest(const HeapPlace* place, const RangeList& ranges) {
    std::vector<RangeDigests> digests;
    heap_->read(table_, place, [&](TableReader& reader) {
        const std::unique_ptr<RangeSource> source = reader.digest(ranges);
        RangeDigests range;
        while (source->next(range)) digests.push_back(range);
        if (path_.empty()) path_ = source->path();
        for (std::string& note : reader.notes()) notes_.insert(std::move(note));
    });
    return digests;
}

std::vector<RangeDigests> PlaceReader::digest_nothing(const RangeList& ranges) {
    const HeapPlace nowhere{.part = 0, .first_block = 0, .end_block = 1, .by_line = true};
    return digest(&nowhere, ranges);
}

void PlaceReader::add_row(std::vector<RangeDigests>& digests, const RowDigest& row) const {
    const auto range = std::find_if(digests.begin(), digests.end(),
                                    [&](const RangeDigests& each) { return each.range_no == row.range_no; });
    if (range != digests.end()) driver::add_row(*range, row, settings_.digest);
}

void PlaceReader::rows(const HeapPlace* place, const RangeList& ranges, const TakeRow& take) {
    rows_of(table_, place, ranges, take);
}

void PlaceReader::rows_of(const TablePlan& table, const HeapPlace* place, const RangeList& ranges,
                          const TakeRow& take) {
    heap_->read(table, place, [&](TableReader& reader) {
        const std::unique_ptr<RowSource> source = reader.rows(ranges);
        RowDigest row;
        while (source->next(row)) take(row);
    });
}

RowDigest PlaceReader::complete(const PartialRow& partial, const RowDigest& row) const {
    return complete_row(row, partial.read, table_.columns.size(), settings_.digest);
}

void PlaceReader::partial_row(const PartialRow& partial, const RangeList& ranges, const TakeRow& take) {
    rows_of(with_some_columns(table_, partial.read), &partial.place, ranges,
            [&](const RowDigest& row) { take(complete(partial, row)); });
}

void PlaceReader::values(const HeapPlace* place, const RangeList& ranges, const std::vector<std::string>& keys,
                         const TakeValues& take) {
    heap_->read(table_, place, [&](TableReader& reader) {
        read_to_the_last(reader, ranges);
        reader.values(keys, take);
    });
}

void PlaceReader::partial_values(const PartialRow& partial, const RangeList& ranges,
                                 const std::vector<std::string>& keys, const TakeValues& take) {
    heap_->read(with_some_columns(table_, partial.read), &partial.place, [&](TableReader& reader) {
        const RowDigest row = read_to_the_last(reader, ranges);
        reader.values(keys, [&](std::string_view key, std::string_view /*row_hash*/, const ShownValues& values) {
            ShownValues all(table_.columns.size());
            for (std::size_t i = 0; i < partial.read.size(); ++i)
                all[static_cast<std::size_t>(partial.read[i])] = values[i];
            take(key, complete(partial, row).row_hash, all);
        });
    });
}

}  // namespace parity::driver
