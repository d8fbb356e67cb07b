#include "driver/engine/span_reader.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "driver/digests/spans.h"

namespace parity::driver {
namespace {

/// The most ranges of one division.
constexpr std::int64_t kMostRanges = 1'000'000;

/// Numbers ranges of a table as those of a span.
class SpanDigests : public RangeSource {
  public:
    SpanDigests(std::unique_ptr<RangeSource> table, std::int32_t before) : table_(std::move(table)), before_(before) {}
    bool next(RangeDigests& range) override {
        if (!table_->next(range)) return false;
        range.range_no -= before_;
        return true;
    }
    const std::string& path() const override { return table_->path(); }

  private:
    const std::unique_ptr<RangeSource> table_;
    const std::int32_t before_;
};

class SpanRows : public RowSource {
  public:
    SpanRows(std::unique_ptr<RowSource> table, std::int32_t before) : table_(std::move(table)), before_(before) {}
    bool next(RowDigest& row) override {
        if (!table_->next(row)) return false;
        row.range_no -= before_;
        return true;
    }
    KeysRead keys_read() const override { return table_->keys_read(); }

  private:
    const std::unique_ptr<RowSource> table_;
    const std::int32_t before_;
};

class SpanReader : public TableReader {
  public:
    SpanReader(std::unique_ptr<TableReader> table, Span span, std::size_t spans, std::vector<core::Form> key_forms)
        : table_(std::move(table)), span_(std::move(span)), spans_(spans), key_forms_(std::move(key_forms)) {}

    std::vector<std::string> split(int ranges) override {
        const std::int64_t of_table = std::min<std::int64_t>(ranges * static_cast<std::int64_t>(spans_), kMostRanges);
        return bounds_inside(table_->split(static_cast<int>(of_table)), span_, key_forms_);
    }

    void set_failure(SharedFailure* failure) override { table_->set_failure(failure); }

    std::unique_ptr<RangeSource> digest(const RangeList& ranges) override {
        const std::int32_t before = numbers_before(span_, 1);
        return std::make_unique<SpanDigests>(table_->digest(ranges_of_table(ranges, span_, before)), before);
    }

    bool has_buckets() const override { return table_->has_buckets(); }
    std::optional<BucketSums> bucket_sums(const std::vector<std::int32_t>& ranges, int buckets) override {
        std::vector<std::int32_t> of_table = ranges;
        for (std::int32_t& number : of_table) number += numbers_before(span_, 1);
        return table_->bucket_sums(of_table, buckets);
    }
    bool can_leave_out_columns() const override { return table_->can_leave_out_columns(); }

    std::unique_ptr<RowSource> rows(const RangeList& ranges) override {
        const std::int32_t before = numbers_before(span_, ranges.buckets);
        return std::make_unique<SpanRows>(table_->rows(ranges_of_table(ranges, span_, before)), before);
    }

    void values(const std::vector<std::string>& keys, const TakeValues& take) override { table_->values(keys, take); }
    void set_savepoint() override { table_->set_savepoint(); }
    void return_to_savepoint() override { table_->return_to_savepoint(); }
    void avoid_indexes() override { table_->avoid_indexes(); }
    std::string effort() override { return table_->effort(); }
    std::vector<std::string> notes() const override { return table_->notes(); }
    void begin_span(const std::string& blocks_read_before) override { table_->begin_span(blocks_read_before); }
    std::string blocks_read() override { return table_->blocks_read(); }

  private:
    const std::unique_ptr<TableReader> table_;
    const Span span_;
    const std::size_t spans_;
    const std::vector<core::Form> key_forms_;
};

}  // namespace

std::unique_ptr<TableReader> make_span_reader(std::unique_ptr<TableReader> table, Span span, std::size_t spans,
                                              std::vector<core::Form> key_forms) {
    return std::make_unique<SpanReader>(std::move(table), std::move(span), spans, std::move(key_forms));
}

}  // namespace parity::driver
