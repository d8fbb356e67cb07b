#include "driver/postgres/extension/reader.h"

#include <utility>

#include "driver/digests/division.h"
#include "driver/digests/merge.h"
#include "driver/model/error.h"
#include "driver/model/results.h"
#include "driver/model/sides.h"
#include "driver/postgres/connection/connection.h"
#include "driver/postgres/extension/digest_reader.h"
#include "driver/postgres/extension/row_records.h"
#include "driver/postgres/queries/digests.h"
#include "driver/postgres/queries/query.h"
#include "driver/postgres/queries/session.h"
#include "driver/postgres/queries/shown.h"
#include "driver/postgres/values/array.h"
#include "driver/text/show.h"
#include "driver/waiting/shared_failure.h"

namespace parity::driver {
namespace {

// The columns of last_buckets_call's, row_records_call's and row_values_call's results.
enum BucketColumn { kBucketRange, kBuckets, kBucketSums };
enum RecordColumn { kRecordCount, kRecords };
enum ValueColumn { kValueKey, kRowHash, kColumnValues };

/// Rows of row_records as they arrive.
class ArrivingRows : public RowSource {
  public:
    ArrivingRows(RowStream stream, const RecordShape& shape, bool in_buckets)
        : stream_(std::move(stream)), shape_(shape), in_buckets_(in_buckets) {}
    bool next(RowDigest& row) override {
        while (records_.empty())
            if (!next_bundle()) return false;
        take_record(records_, shape_, row);
        --left_;
        return true;
    }
    KeysRead keys_read() const override {
        if (!keys_read_) throw Error(ErrorKind::kInternal, "a server did not tell what it read");
        return *keys_read_;
    }

  private:
    bool next_bundle() {
        if (left_ != 0) throw Error(ErrorKind::kInternal, "a server sent another number of rows than it said");
        const std::optional<Row> bundle = stream_.next();
        if (!bundle) return false;
        left_ = bundle->int32(kRecordCount);
        if (left_ == 0 && in_buckets_)
            keys_read_ = read_keys_read(bundle->bytes(kRecords), shape_.hash_bytes);
        else
            records_ = bundle->bytes(kRecords);
        return true;
    }

    RowStream stream_;
    RecordShape shape_;
    std::string_view records_;  ///< of the stream's row
    std::int32_t left_ = 0;     ///< how many they are
    bool in_buckets_;
    std::optional<KeysRead> keys_read_;
};

class ExtensionReader : public TableReader {
  public:
    ExtensionReader(Session& session, const TablePlan& table, const DigestSettings& settings)
        : session_(session), table_(table), settings_(settings) {}

    /// Where there is no key, or its index may not be looked at (row security), the division is by hash.
    std::vector<std::string> split(int ranges) override {
        if (table_.key.empty() || table_.visible_rows_only) return even_hash_bounds(static_cast<std::uint32_t>(ranges));
        RowStream rows = start(split_keys_call(table_, side(), ranges));
        std::vector<std::string> bounds;
        while (const std::optional<Row> row = rows.next())
            read_wire_array(row->bytes(0), [&](std::optional<std::string_view> bound) { bounds.emplace_back(*bound); });
        check_bounds(bounds, forms_of(table_.key));
        return bounds;
    }

    void set_failure(SharedFailure* failure) override { session_.connection().set_failure(failure); }

    std::unique_ptr<RangeSource> digest(const RangeList& ranges) override {
        if (ranges.totals_only)
            return std::make_unique<TotalsReader>(side(), start(range_totals_call(table_, side(), settings_, ranges)),
                                                  ranges);
        return std::make_unique<DigestReader>(side(), start(range_digests_call(table_, side(), settings_, ranges)),
                                              ranges);
    }

    bool has_buckets() const override { return true; }
    bool can_leave_out_columns() const override { return true; }

    std::optional<BucketSums> bucket_sums(const std::vector<std::int32_t>& ranges, int buckets) override {
        RowStream rows = start(last_buckets_call(ranges));
        BucketSums sums;
        while (const std::optional<Row> row = rows.next()) {
            if (sums.size() == ranges.size() || row->int32(kBucketRange) != ranges[sums.size()] ||
                row->int32(kBuckets) != buckets)
                throw Error(ErrorKind::kInternal, "a server sent buckets that were not asked for");
            sums.emplace_back(row->bytes(kBucketSums));
        }
        if (sums.empty()) return std::nullopt;
        return sums;
    }

    std::unique_ptr<RowSource> rows(const RangeList& ranges) override {
        const RecordShape shape{static_cast<std::size_t>(settings_.width) / 8, table_.columns.size()};
        return std::make_unique<ArrivingRows>(start(row_records_call(table_, side(), settings_, ranges)), shape,
                                              ranges.buckets > 1);
    }

    void values(const std::vector<std::string>& keys, const TakeValues& take) override {
        RowStream rows = start(row_values_call(table_, side(), settings_, keys));
        while (const std::optional<Row> row = rows.next()) {
            ShownValues values;
            read_wire_array(row->bytes(kColumnValues),
                            [&](std::optional<std::string_view> value) { values.push_back(read_shown(value)); });
            take(row->bytes(kValueKey), row->bytes(kRowHash), values);
        }
    }

    std::string effort() override {
        RowStream rows = start(last_digest_call());
        const std::optional<Row> row = rows.next();
        std::string text = row ? std::string(row->bytes(0)) : std::string();
        rows.next();
        return text;
    }

    std::optional<std::string> why_not_in_spans() override {
        if (table_.key.empty() || table_.visible_rows_only || !table_.where.empty())
            return "the server's executor reads it";
        std::string reason = ask(span_obstacle_call(table_, side()));
        if (reason.empty()) return std::nullopt;
        return reason;
    }

    void begin_span(const std::string& blocks_read_before) override { finish(read_by_blocks_call(blocks_read_before)); }

    std::string blocks_read() override { return ask(last_blocks_call()); }

    void check_other_blocks(const std::string& blocks_read) override {
        finish(check_other_blocks_call(table_, side(), blocks_read));
    }

    void set_savepoint() override { session_.connection().query(savepoint_statement()); }
    void return_to_savepoint() override { session_.connection().query(rollback_to_savepoint_statement()); }
    void avoid_indexes() override { session_.connection().query(avoid_indexes_statements()); }

  private:
    Side side() const { return session_.side(); }
    /// One value; empty for NULL.
    std::string ask(const Query& query) {
        RowStream rows = start(query);
        const std::optional<Row> row = rows.next();
        std::string value = row ? std::string(row->bytes(0)) : std::string();
        rows.next();
        return value;
    }
    void finish(const Query& query) {
        for (RowStream rows = start(query); rows.next();) continue;
    }
    RowStream start(const Query& query) { return session_.connection().stream(query.sql, query.parameters); }

    Session& session_;
    const TablePlan& table_;
    const DigestSettings settings_;
};

}  // namespace

std::unique_ptr<TableReader> make_extension_reader(Session& session, const TablePlan& table,
                                                   const DigestSettings& settings) {
    return std::make_unique<ExtensionReader>(session, table, settings);
}

}  // namespace parity::driver
