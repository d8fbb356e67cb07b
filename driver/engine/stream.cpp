#include "driver/engine/stream.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "driver/digests/division.h"
#include "driver/digests/merge.h"
#include "driver/engine/row_hasher.h"
#include "driver/engine/row_sorter.h"
#include "driver/engine/spec.h"
#include "driver/engine/sums.h"
#include "driver/engine/value_reader.h"
#include "driver/model/error.h"
#include "driver/model/results.h"
#include "driver/model/sides.h"
#include "driver/model/sqlstates.h"
#include "driver/text/display_name.h"
#include "driver/waiting/shared_failure.h"

namespace parity::driver {
namespace {

/// What the threads of one pass share besides their sums. Does not move: hashers look at it.
struct Pass {
    Pass(const StreamColumns& columns, const DigestSettings& settings, RangeList wanted, std::size_t threads)
        : ranges(std::move(wanted)), spec(columns, settings, ranges) {
        for (std::size_t i = 0; i < threads; ++i) hashers.push_back(std::make_unique<RowHasher>(spec));
    }
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;

    const RangeList ranges;
    const StreamSpec spec;
    std::vector<std::unique_ptr<RowHasher>> hashers;
};

class StreamReader : public TableReader {
  public:
    StreamReader(std::unique_ptr<RowFeed> feed, const TablePlan& table, TableReaderSettings settings)
        : feed_(std::move(feed)), table_(table), settings_(std::move(settings)) {
        if (!feed_->reason().empty())
            notes_.insert(fmt::format("the {} is read as one query reads it: {}", side_name(side()), feed_->reason()));
    }

    std::vector<std::string> split(int ranges) override {
        if (table_.key.empty() || table_.visible_rows_only) return even_hash_bounds(static_cast<std::uint32_t>(ranges));
        return feed_->split(ranges);
    }
    void set_failure(SharedFailure* failure) override { feed_->set_failure(failure); }
    std::unique_ptr<RangeSource> digest(const RangeList& ranges) override;
    std::unique_ptr<RowSource> rows(const RangeList& ranges) override;
    void values(const std::vector<std::string>& keys, const TakeValues& take) override;

    /// Nothing that fails here would need the transaction to go on in a changed state.
    void set_savepoint() override {}
    void return_to_savepoint() override {}
    void avoid_indexes() override { use_index_ = false; }
    std::optional<std::string> why_not_in_spans() override {
        if (table_.key.empty() || table_.visible_rows_only || !table_.where.empty()) return "a query chooses its rows";
        return feed_->why_not_in_spans();
    }
    /// A scan and the index are held against each other once for all spans that are read through that index.
    void begin_span(const std::string& blocks_read_before) override {
        in_span_ = true;
        span_index_ = feed_->index_of_spans();
        if (blocks_read_before.find(span_index_) != std::string::npos) return;
        feed_->require_selected_values();
        feed_->require_complete_index();
    }
    /// The index stands for them.
    std::string blocks_read() override {
        if (feed_->index_of_spans() == span_index_) return span_index_;
        throw Error(ErrorKind::kServer,
                    fmt::format("{}: the index of the key of {} was made anew while a span was read through it",
                                side_name(side()), display_name(table_.name[side()])),
                    {}, std::string(side_name(side())), std::string(kSerializationFailure));
    }
    std::vector<std::string> notes() const override { return {notes_.begin(), notes_.end()}; }

    /// What a pass over these ranges asks for, with the connections that it gets.
    FeedRequest request(const RangeList& ranges);
    /// Says that an index lacks rows, and uses none from now on.
    void distrust_indexes();
    /// Waits for the end of a pass.
    void finish(RowPass& pass);

    RowFeed& feed() { return *feed_; }
    const DigestSettings& settings() const { return settings_.digest; }

  private:
    Side side() const { return feed_->side(); }
    std::size_t wanted_threads() const {
        if (settings_.digest.workers) return static_cast<std::size_t>(std::max(1, *settings_.digest.workers));
        return feed_->worthwhile_threads();
    }

    const std::unique_ptr<RowFeed> feed_;
    const TablePlan& table_;
    const TableReaderSettings settings_;
    std::unique_ptr<RowSorter> sorter_;
    RangeList sorted_ranges_;
    std::set<std::string> notes_;
    bool use_index_ = true;
    bool in_span_ = false;
    std::string span_index_;
};

// ---- connections ---------------------------------------------------------------------------------------------

FeedRequest StreamReader::request(const RangeList& ranges) {
    const bool wide = settings_.digest.width == 128;
    const std::size_t columns = ranges.totals_only ? 0 : feed_->columns().columns.size();
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
    const std::size_t connected = feed_->connect(std::min(wanted, fitting));
    if (connected < std::min(wanted, fitting))
        notes_.insert(fmt::format("the {} accepted {} of {} connections that were to read it", side_name(side()),
                                  connected, std::min(wanted, fitting)));
    return {.ranges = ranges, .threads = connected, .use_index = use_index_, .in_span = in_span_};
}

void StreamReader::distrust_indexes() {
    notes_.insert(
        fmt::format("an index of the key does not agree with the table on {}: it is corrupt; rows were read without it",
                    side_name(side())));
    avoid_indexes();
}

void StreamReader::finish(RowPass& pass) {
    pass.finish();
    if (pass.longest_row() <= kPlannedRow) return;
    notes_.insert(fmt::format("a row on the {} takes {} MB; the memory limit plans for {} MB a row", side_name(side()),
                              (pass.longest_row() >> 20) + 1, kPlannedRow >> 20));
    feed_->disconnect();
}

// ---- digests -------------------------------------------------------------------------------------------------

/// One reading of the rows of ranges into sums, by several threads.
class DigestPass {
  public:
    DigestPass(StreamReader& reader, const RangeList& ranges)
        : reader_(reader),
          request_(reader.request(ranges)),
          pass_(reader.feed().columns(), reader.settings(), ranges, request_.threads),
          sums_(request_.threads, SumMatrix(pass_.spec.ranges(), pass_.spec.summed_columns(), pass_.spec.wide)) {
        request_.counted = true;
        rows_ =
            reader.feed().read(request_, [this](std::size_t thread, std::size_t, std::span<const ValueField> fields) {
                pass_.hashers[thread]->accumulate(fields, sums_[thread]);
            });
    }

    /// Waits for the end. False where an index kept rows from being read.
    bool finish() {
        const std::optional<std::uint64_t> counted = rows_->count();
        reader_.finish(*rows_);
        for (std::size_t i = 1; i < sums_.size(); ++i) sums_.front().add(sums_[i]);
        tags_ = slice_tags(pass_.spec);
        if (!pass_.ranges.only.empty()) return true;
        const std::uint64_t rows = sums_.front().rows();
        if (counted && *counted != rows && reader_.feed().relies_on_index(request_)) return false;
        reader_.feed().require_selected_count(rows, counted);
        return true;
    }

    /// After the end; ranges count from 1.
    RangeDigests range(std::int32_t number) {
        return digests_of_range(sums_.front(), static_cast<std::size_t>(number - 1), pass_.spec, tags_);
    }

    /// Requires: finish() has returned.
    ReadingEnd reading_end() const { return rows_->reading_end(); }

  private:
    StreamReader& reader_;
    FeedRequest request_;
    const Pass pass_;
    std::vector<SumMatrix> sums_;
    std::vector<std::uint32_t> tags_;
    std::unique_ptr<RowPass> rows_;  // its threads use everything before it
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
    ReadingEnd reading_end() const override { return digests_->reading_end(); }

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
    if (ranges.only.empty()) feed_->require_selected_values();
    return std::make_unique<StreamedRanges>(*this, ranges);
}

// ---- rows ----------------------------------------------------------------------------------------------------

class StreamedRows : public RowSource {
  public:
    StreamedRows(StreamReader& reader, const RangeList& ranges, RowSorter& sorter)
        : reader_(reader),
          sorter_(sorter),
          request_(reader.request(ranges)),
          pass_(reader.feed().columns(), reader.settings(), ranges, request_.threads),
          digests_(request_.threads) {
        request_.with_locations = true;
        rows_ = reader.feed().read(
            request_, [this](std::size_t thread, std::size_t part, std::span<const ValueField> fields) {
                RowDigest& row = digests_[thread];
                if (!pass_.hashers[thread]->hash(fields, row)) return;
                sorter_.add(row, {static_cast<std::uint32_t>(part), fields.back().value_or(std::string_view())});
            });
    }

    bool next(RowDigest& row) override {
        if (!sorted_) {
            reader_.finish(*rows_);
            sorted_ = sorter_.sorted();
        }
        return sorted_->next(row);
    }

  private:
    StreamReader& reader_;
    RowSorter& sorter_;
    FeedRequest request_;
    const Pass pass_;
    std::vector<RowDigest> digests_;
    std::unique_ptr<RowPass> rows_;  // its threads use everything before it
    std::unique_ptr<RowSource> sorted_;
};

std::unique_ptr<RowSource> StreamReader::rows(const RangeList& ranges) {
    sorter_ = std::make_unique<RowSorter>(kSorterBytes);
    sorted_ranges_ = ranges;
    return std::make_unique<StreamedRows>(*this, ranges, *sorter_);
}

// ---- values --------------------------------------------------------------------------------------------------

/// Rows are found again by their locations; where they have none, in the ranges that they were found in.
void StreamReader::values(const std::vector<std::string>& keys, const TakeValues& take) {
    if (!sorter_) throw Error(ErrorKind::kInternal, "values were asked for before rows");
    PlacesToRead where;
    sorter_->find(keys, [&](const RowLocation& location) {
        if (location.tid.empty())
            where.whole_parts.insert(location.part);
        else
            where.locations[location.part].emplace_back(location.tid);
    });
    const std::set<std::string_view> wanted(keys.begin(), keys.end());
    Pass pass(feed_->columns(), settings_.digest, {}, 1);
    RowDigest row;
    feed_->read_again(where, {.ranges = sorted_ranges_, .use_index = use_index_, .in_span = in_span_},
                      [&](std::span<const ValueField> fields, const std::function<ShownValues()>& shown) {
                          pass.hashers.front()->hash(fields, row);
                          if (wanted.contains(row.key)) take(row.key, row.row_hash, shown());
                      });
}

}  // namespace

std::unique_ptr<TableReader> make_stream_reader(std::unique_ptr<RowFeed> feed, const TablePlan& table,
                                                TableReaderSettings settings) {
    return std::make_unique<StreamReader>(std::move(feed), table, std::move(settings));
}

}  // namespace parity::driver
