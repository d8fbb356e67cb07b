#include "driver/engine/stream.h"

#include <algorithm>
#include <map>
#include <set>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "driver/digests/division.h"
#include "driver/engine/row_hasher.h"
#include "driver/engine/row_sorter.h"
#include "driver/engine/spec.h"
#include "driver/engine/sums.h"
#include "driver/engine/value_reader.h"
#include "driver/model/error.h"
#include "driver/model/results.h"
#include "driver/model/sides.h"
#include "driver/postgres/connection/connection.h"
#include "driver/postgres/connection/copy_rows.h"
#include "driver/postgres/connection/parallel_copy.h"
#include "driver/postgres/feed/bounds.h"
#include "driver/postgres/feed/check.h"
#include "driver/postgres/feed/table.h"
#include "driver/postgres/queries/feed.h"
#include "driver/postgres/queries/session.h"
#include "driver/postgres/queries/shown.h"
#include "driver/postgres/values/array.h"
#include "driver/text/display_name.h"

namespace parity::driver {
namespace {

/// Connections that read one table where the user does not say, and the blocks that are worth one more.
constexpr std::size_t kDefaultThreads = 4;
constexpr std::int64_t kBlocksPerThread = 2048;

/// As a server says it: finer ranges that do not fit are given up, and the coarse ones kept.
constexpr std::string_view kProgramLimitExceeded = "54000";

/// What the threads of one pass share besides their sums. Does not move: hashers look at it.
struct Pass {
    Pass(const StreamColumns& columns, const DigestSettings& settings, RangeList wanted, std::size_t threads)
        : ranges(std::move(wanted)), spec(columns, settings, ranges) {
        for (std::size_t i = 0; i < threads; ++i) hashers.push_back(std::make_unique<StreamHasher>(spec));
    }
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;

    const RangeList ranges;
    const StreamSpec spec;
    std::vector<std::unique_ptr<StreamHasher>> hashers;
};

class StreamReader : public TableReader {
  public:
    StreamReader(Session& session, const TablePlan& table, StreamSettings settings)
        : session_(session), table_(table), settings_(std::move(settings)), stream_(session, table, settings_.server) {
        if (!stream_.reason().empty())
            notes_.insert(
                fmt::format("the {} is read as one query reads it: {}", side_name(session.side()), stream_.reason()));
    }

    std::vector<std::string> split(int ranges) override {
        if (table_.key.empty() || table_.visible_rows_only) return even_hash_bounds(static_cast<std::uint32_t>(ranges));
        return sample_bounds(session_, stream_, table_, ranges);
    }
    void set_failure(SharedFailure* failure) override {
        session_.connection().set_failure(failure);
        failure_ = failure;
    }
    std::unique_ptr<RangeSource> digest(const RangeList& ranges) override;
    std::unique_ptr<RowSource> rows(const RangeList& ranges) override;
    void values(const std::vector<std::string>& keys, const TakeValues& take) override;

    /// Nothing that fails here would need the transaction to go on in a changed state.
    void set_savepoint() override {}
    void return_to_savepoint() override {}
    void avoid_indexes() override { use_index_ = false; }
    std::vector<std::string> notes() const override { return {notes_.begin(), notes_.end()}; }

    /// The connections for a pass over these ranges, in transactions under the session's snapshot.
    std::vector<Session*> connections(const RangeList& ranges);
    std::vector<ParallelCopy::Statement> statements(const RangeList& ranges, std::size_t threads, bool with_places);

    /// Begins to count what a pass over these ranges must read, where that is all.
    std::optional<SelectCount> count(const RangeList& ranges);
    /// Whether a pass over these ranges reads all rows, divided by conditions that an index may serve.
    bool relies_on_index(const RangeList& ranges, std::size_t threads) const {
        return use_index_ && stream_.is_shared_by_key(ranges, threads);
    }
    /// Says that an index lacks rows, and uses none from now on.
    void distrust_indexes();
    /// Waits for the end of a pass: what was read counts only if no part of the table was rewritten meanwhile.
    void finish(ParallelCopy& copy);

    SharedFailure* failure() const { return failure_; }
    Session& session() { return session_; }
    const StreamTable& stream() const { return stream_; }
    const StreamSettings& settings() const { return settings_; }
    std::function<void(std::uint64_t)> progress() const {
        return [on_progress = settings_.on_progress, blocks = static_cast<std::uint64_t>(stream_.blocks())](
                   std::uint64_t done) { on_progress(std::min(done, blocks), blocks); };
    }
    Side side() const { return session_.side(); }

  private:
    std::size_t wanted_threads() const;
    void take_values(const std::string& statement, const std::set<std::string_view>& keys, const TakeValues& take);
    std::vector<std::string> value_expressions() const;

    Session& session_;
    const TablePlan& table_;
    const StreamSettings settings_;
    const StreamTable stream_;
    std::unique_ptr<RowSorter> sorter_;
    RangeList sorted_ranges_;
    std::set<std::string> notes_;
    bool use_index_ = true;
    SharedFailure* failure_ = nullptr;
};

// ---- connections ---------------------------------------------------------------------------------------------

std::size_t StreamReader::wanted_threads() const {
    if (settings_.digest.workers) return static_cast<std::size_t>(std::max(1, *settings_.digest.workers));
    const std::size_t worthwhile = static_cast<std::size_t>(stream_.blocks() / kBlocksPerThread) + 1;
    return std::min({kDefaultThreads, worthwhile, std::max<std::size_t>(1, std::thread::hardware_concurrency())});
}

std::vector<Session*> StreamReader::connections(const RangeList& ranges) {
    const bool wide = settings_.digest.width == 128;
    const std::size_t columns = ranges.totals_only ? 0 : stream_.columns().columns.size();
    const std::uint64_t footprint = kThreadBytes + SumMatrix::bytes(ranges.bounds.size() + 1, columns, wide);
    const std::size_t wanted = wanted_threads(), fitting = settings_.memory.threads(footprint);
    if (fitting == 0)
        throw Error(ErrorKind::kUsage,
                    fmt::format("{} does not fit into the memory limit of {} MB: a stream of it on the {} takes {} MB",
                                display_name(table_.name[side()]), settings_.memory.limit() >> 20, side_name(side()),
                                (footprint >> 20) + 1),
                    fmt::format("--memory-limit {}MB is enough, and so may be fewer --ranges or --jobs",
                                (settings_.memory.least_limit(footprint) >> 20) + 1),
                    std::string(side_name(side())), std::string(kProgramLimitExceeded));
    if (fitting < wanted)
        notes_.insert(fmt::format("the memory limit of {} MB left room for {} of {} connections that read the {}",
                                  settings_.memory.limit() >> 20, fitting, wanted, side_name(side())));
    std::vector<Session*> sessions = session_.share_snapshot(table_, std::min(wanted, fitting));
    if (sessions.size() < std::min(wanted, fitting))
        notes_.insert(fmt::format("the {} accepted {} of {} connections that were to read it", side_name(side()),
                                  sessions.size(), std::min(wanted, fitting)));
    if (!use_index_)
        for (Session* session : sessions) session->connection().query(avoid_indexes_statements());
    return sessions;
}

std::vector<ParallelCopy::Statement> StreamReader::statements(const RangeList& ranges, std::size_t threads,
                                                              bool with_places) {
    std::vector<ParallelCopy::Statement> statements;
    for (const StreamItem& item : stream_.items(ranges, threads, use_index_)) {
        std::vector<std::string> expressions = stream_.expressions();
        if (with_places) expressions.push_back(stream_.place(item.part));
        const std::int64_t blocks = stream_.parts()[item.part].blocks;
        const std::int64_t read = item.end_block.value_or(blocks) - item.first_block.value_or(0);
        statements.push_back({stream_.statement(expressions, item), item.part,
                              static_cast<std::uint64_t>(std::max<std::int64_t>(0, read))});
    }
    return statements;
}

/// A condition may be one that only an index serves in good time; without any the whole table is read anyway.
std::optional<SelectCount> StreamReader::count(const RangeList& ranges) {
    if (!ranges.only.empty() || !stream_.may_be_asked_again()) return std::nullopt;
    const bool by_scan = table_.where.empty() || !use_index_;
    return std::optional<SelectCount>(std::in_place, session_.connection(), stream_.count(), by_scan);
}

void StreamReader::distrust_indexes() {
    notes_.insert(
        fmt::format("an index of the key does not agree with the table on {}: it is corrupt; rows were read without it",
                    side_name(side())));
    avoid_indexes();
}

void StreamReader::finish(ParallelCopy& copy) {
    copy.wait(session_.connection());
    session_.require_not_rewritten(table_);
    stream_.require_same_plan(session_);
    if (copy.longest_row() <= kPlannedRow) return;
    notes_.insert(fmt::format("a row on the {} takes {} MB; the memory limit plans for {} MB a row", side_name(side()),
                              (copy.longest_row() >> 20) + 1, kPlannedRow >> 20));
    session_.close_shared();
}

// ---- digests -------------------------------------------------------------------------------------------------

/// One reading of the rows of ranges into sums, by several threads.
class DigestPass {
  public:
    DigestPass(StreamReader& reader, const RangeList& ranges)
        : reader_(reader),
          sessions_(reader.connections(ranges)),
          pass_(reader.stream().columns(), reader.settings().digest, ranges, sessions_.size()),
          sums_(sessions_.size(), SumMatrix(pass_.spec.ranges(), pass_.spec.summed_columns(), pass_.spec.wide)),
          copy_(
              sessions_, reader.statements(ranges, sessions_.size(), false), reader.stream().columns().fields(),
              [this](std::size_t thread, std::size_t, std::span<const ValueField> fields) {
                  pass_.hashers[thread]->accumulate(fields, sums_[thread]);
              },
              reader.progress(), reader.failure()),
          count_(reader.count(ranges)) {}

    /// Waits for the end. False where an index kept rows from being read.
    bool finish() {
        std::optional<std::uint64_t> counted;
        if (count_) counted = count_->take();
        reader_.finish(copy_);
        for (std::size_t i = 1; i < sums_.size(); ++i) sums_.front().add(sums_[i]);
        tags_ = slice_tags(pass_.spec);
        if (!pass_.ranges.only.empty()) return true;
        const std::uint64_t rows = sums_.front().rows();
        if (counted && *counted != rows && reader_.relies_on_index(pass_.ranges, sessions_.size())) return false;
        require_as_many_as_selected(reader_.session(), reader_.stream(), rows, counted);
        return true;
    }

    /// After the end; ranges count from 1.
    RangeDigests range(std::int32_t number) {
        return digests_of_range(sums_.front(), static_cast<std::size_t>(number - 1), pass_.spec, tags_);
    }

  private:
    StreamReader& reader_;
    const std::vector<Session*> sessions_;
    const Pass pass_;
    std::vector<SumMatrix> sums_;
    std::vector<std::uint32_t> tags_;
    ParallelCopy copy_;  // its threads use everything before it
    std::optional<SelectCount> count_;
};

class StreamedRanges : public RangeSource {
  public:
    StreamedRanges(StreamReader& reader, const RangeList& ranges)
        : reader_(reader),
          ranges_(ranges),
          expected_(requested_ranges(ranges)),
          digests_(std::in_place, reader, ranges) {}

    bool next(RangeDigests& range) override {
        if (!finished_) finish();
        if (position_ == expected_.size()) return false;
        range = digests_->range(expected_[position_++]);
        return true;
    }
    const std::string& path() const override { return path_; }

  private:
    void finish() {
        if (!digests_->finish()) {
            reader_.distrust_indexes();
            digests_.emplace(reader_, ranges_);
            digests_->finish();
        }
        finished_ = true;
    }

    StreamReader& reader_;
    const RangeList ranges_;
    const std::vector<std::int32_t> expected_;
    std::optional<DigestPass> digests_;
    const std::string path_ = "stream";
    std::size_t position_ = 0;
    bool finished_ = false;
};

std::unique_ptr<RangeSource> StreamReader::digest(const RangeList& ranges) {
    if (ranges.only.empty()) require_values_as_selected(session_, stream_);
    return std::make_unique<StreamedRanges>(*this, ranges);
}

// ---- rows ----------------------------------------------------------------------------------------------------

class StreamedRows : public RowSource {
  public:
    StreamedRows(StreamReader& reader, const RangeList& ranges, RowSorter& sorter)
        : reader_(reader),
          sorter_(sorter),
          sessions_(reader.connections(ranges)),
          pass_(reader.stream().columns(), reader.settings().digest, ranges, sessions_.size()),
          rows_(sessions_.size()),
          copy_(
              sessions_, reader.statements(ranges, sessions_.size(), true), reader.stream().columns().fields() + 1,
              [this](std::size_t thread, std::size_t part, std::span<const ValueField> fields) {
                  RowDigest& row = rows_[thread];
                  if (!pass_.hashers[thread]->hash(fields, row)) return;
                  sorter_.add(row, {static_cast<std::uint32_t>(part), fields.back().value_or(std::string_view())});
              },
              reader.progress(), reader.failure()) {}

    bool next(RowDigest& row) override {
        if (!sorted_) {
            reader_.finish(copy_);
            sorted_ = sorter_.sorted();
        }
        return sorted_->next(row);
    }

  private:
    StreamReader& reader_;
    RowSorter& sorter_;
    const std::vector<Session*> sessions_;
    const Pass pass_;
    std::vector<RowDigest> rows_;
    ParallelCopy copy_;  // its threads use everything before it
    std::unique_ptr<RowSource> sorted_;
};

std::unique_ptr<RowSource> StreamReader::rows(const RangeList& ranges) {
    sorter_ = std::make_unique<RowSorter>(kSorterBytes);
    sorted_ranges_ = ranges;
    return std::make_unique<StreamedRows>(*this, ranges, *sorter_);
}

// ---- values --------------------------------------------------------------------------------------------------

std::vector<std::string> StreamReader::value_expressions() const {
    std::vector<std::string> expressions = stream_.expressions();
    expressions.push_back(stream_.printed_texts());
    return expressions;
}

/// Rows are found again by their places; where they have none, in the ranges that they were found in.
void StreamReader::values(const std::vector<std::string>& keys, const TakeValues& take) {
    if (!sorter_) throw Error(ErrorKind::kInternal, "values were asked for before rows");
    std::map<std::size_t, std::vector<std::string>> places;
    std::set<std::size_t> placeless;
    sorter_->find(keys, [&](const RowPlace& place) {
        if (place.tid.empty())
            placeless.insert(place.part);
        else
            places[place.part].emplace_back(place.tid);
    });
    const std::set<std::string_view> wanted(keys.begin(), keys.end());
    for (const auto& [part, tids] : places) {
        const StreamItem item{part, {}, {}, places_condition(stream_.alias(), tids)};
        take_values(stream_.statement(value_expressions(), item), wanted, take);
    }
    if (placeless.empty()) return;
    for (const StreamItem& item : stream_.items(sorted_ranges_, 1, use_index_))
        if (placeless.contains(item.part)) take_values(stream_.statement(value_expressions(), item), wanted, take);
}

void StreamReader::take_values(const std::string& statement, const std::set<std::string_view>& keys,
                               const TakeValues& take) {
    Pass pass(stream_.columns(), settings_.digest, {}, 1);
    const std::size_t hashed = stream_.columns().fields();
    CopyRowReader reader(hashed + 1);
    CopyStream copy = session_.connection().copy_out(statement);
    RowDigest row;
    while (const std::optional<std::string_view> message = copy.next()) {
        const auto fields = reader.read(*message);
        if (!fields) continue;
        pass.hashers.front()->hash(*fields, row);
        if (!keys.contains(row.key)) continue;
        ShownValues values;
        read_wire_array(fields->back().value_or(std::string_view()),
                        [&](std::optional<std::string_view> text) { values.push_back(read_shown(text)); });
        take(row.key, row.row_hash, values);
    }
    reader.require_complete(copy.rows());
}

}  // namespace

std::unique_ptr<TableReader> make_stream_reader(Session& session, const TablePlan& table, StreamSettings settings) {
    return std::make_unique<StreamReader>(session, table, std::move(settings));
}

}  // namespace parity::driver
