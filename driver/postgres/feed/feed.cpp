#include "driver/postgres/feed/feed.h"

#include <algorithm>
#include <string_view>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "driver/engine/spec.h"
#include "driver/model/error.h"
#include "driver/model/results.h"
#include "driver/model/sides.h"
#include "driver/model/sqlstates.h"
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
#include "driver/waiting/shared_failure.h"

namespace parity::driver {
namespace {

/// Connections that read one table where the user does not say, and the blocks that are worth one more.
constexpr std::size_t kDefaultThreads = 4;
constexpr std::int64_t kBlocksPerThread = 2048;

class CopyFeed : public RowFeed {
  public:
    CopyFeed(Session& session, const TablePlan& table, const ServerInfo& server, FeedProgress on_progress)
        : session_(session), table_(table), stream_(session, table, server), on_progress_(std::move(on_progress)) {}

    Side side() const override { return session_.side(); }
    const StreamColumns& columns() const override { return stream_.columns(); }
    const std::string& reason() const override { return stream_.reason(); }
    void set_failure(SharedFailure* failure) override {
        session_.connection().set_failure(failure);
        failure_ = failure;
    }
    std::vector<std::string> split(int ranges) override { return sample_bounds(session_, stream_, table_, ranges); }
    std::optional<std::string> why_not_in_spans() override;
    std::string index_of_spans() override;
    void require_complete_index() override;
    std::size_t worthwhile_threads() const override {
        if (table_.by_place) return 1;
        const std::size_t worthwhile = static_cast<std::size_t>(stream_.blocks() / kBlocksPerThread) + 1;
        return std::min({kDefaultThreads, worthwhile, std::max<std::size_t>(1, std::thread::hardware_concurrency())});
    }
    std::size_t connect(std::size_t wanted) override {
        sessions_ = session_.share_snapshot(table_, wanted);
        return sessions_.size();
    }
    void disconnect() override {
        sessions_.clear();
        session_.close_shared();
    }
    std::unique_ptr<RowPass> read(const FeedRequest& request, TakeRow take) override;
    bool relies_on_index(const FeedRequest& request) const override {
        return request.use_index && stream_.is_shared_by_key(request.ranges, request.threads);
    }
    /// The rows that are looked at twice may be what cannot be read, where rows are read by their places.
    void require_selected_values() override {
        if (!table_.by_place) require_values_as_selected(session_, stream_);
    }
    void require_selected_count(std::uint64_t rows, std::optional<std::uint64_t> counted) override {
        require_as_many_as_selected(session_, stream_, rows, counted);
    }
    void read_again(const PlacesToRead& where, const FeedRequest& request, const TakeShownRow& take) override;

    Session& session() { return session_; }

    /// The connections of a pass.
    std::vector<Session*> connections(const FeedRequest& request);
    std::vector<ParallelCopy::Statement> statements(const FeedRequest& request) const;
    /// Begins to count what a pass must read, where that is all.
    std::optional<SelectCount> begin_count(const FeedRequest& request);
    std::function<void(std::uint64_t)> progress() const {
        return [on_progress = on_progress_, blocks = static_cast<std::uint64_t>(stream_.blocks())](std::uint64_t done) {
            on_progress(std::min(done, blocks), blocks);
        };
    }
    SharedFailure* failure() const { return failure_; }
    std::size_t fields(const FeedRequest& request) const { return columns().fields() + request.with_locations; }
    void require_unchanged() {
        session_.require_not_rewritten(table_);
        stream_.require_same_plan(session_);
    }

  private:
    void read_item(const StreamItem& item, const TakeShownRow& take);
    std::optional<double> read_correlation();
    std::vector<std::string> read_indexes_of_spans();
    std::vector<StreamItem> items(const FeedRequest& request, std::size_t threads) const {
        return request.in_span ? stream_.items_of_span(request.ranges, threads)
                               : stream_.items(request.ranges, threads, request.use_index);
    }

    Session& session_;
    const TablePlan& table_;
    const StreamTable stream_;
    const FeedProgress on_progress_;
    std::vector<Session*> sessions_;
    SharedFailure* failure_ = nullptr;
};

// ---- passes --------------------------------------------------------------------------------------------------

class CopyPass : public RowPass {
  public:
    CopyPass(CopyFeed& feed, const FeedRequest& request, TakeRow take)
        : feed_(feed),
          copy_(feed.connections(request), feed.statements(request), feed.fields(request), std::move(take),
                feed.progress(), feed.failure()),
          count_(feed.begin_count(request)) {}

    std::optional<std::uint64_t> count() override {
        return count_ ? std::optional<std::uint64_t>(count_->take()) : std::nullopt;
    }
    void finish() override {
        copy_.wait(feed_.session().connection());
        feed_.require_unchanged();
    }
    std::uint64_t longest_row() const override { return copy_.longest_row(); }
    ReadingEnd reading_end() const override { return {copy_.ended_at(), copy_.bytes()}; }

  private:
    CopyFeed& feed_;
    ParallelCopy copy_;
    std::optional<SelectCount> count_;
};

std::vector<Session*> CopyFeed::connections(const FeedRequest& request) {
    std::vector<Session*> sessions(sessions_.begin(), sessions_.begin() + static_cast<std::ptrdiff_t>(std::min(
                                                                              request.threads, sessions_.size())));
    if (!request.use_index)
        for (Session* session : sessions)
            session->connection().query(table_.by_place ? only_locations_statements() : avoid_indexes_statements());
    else if (request.in_span)
        for (Session* session : sessions) session->connection().query(prefer_indexes_statements());
    return sessions;
}

std::vector<ParallelCopy::Statement> CopyFeed::statements(const FeedRequest& request) const {
    std::vector<ParallelCopy::Statement> statements;
    for (const StreamItem& item : items(request, request.threads)) {
        std::vector<std::string> expressions = stream_.expressions();
        if (request.with_locations) expressions.push_back(stream_.location(item.part));
        const std::int64_t blocks = stream_.parts()[item.part].blocks;
        const std::int64_t read = item.end_block.value_or(blocks) - item.first_block.value_or(0);
        statements.push_back({stream_.statement(expressions, item), item.part,
                              static_cast<std::uint64_t>(std::max<std::int64_t>(0, read))});
    }
    return statements;
}

/// A condition may be one that only an index serves in good time; without any the whole table is read anyway.
std::optional<SelectCount> CopyFeed::begin_count(const FeedRequest& request) {
    if (!request.counted || !request.ranges.only.empty() || !stream_.may_be_asked_again()) return std::nullopt;
    const bool by_scan = table_.where.empty() || !request.use_index;
    return std::optional<SelectCount>(std::in_place, session_.connection(), stream_.count(),
                                      by_scan ? avoid_indexes_statements() : "");
}

// ---- spans ---------------------------------------------------------------------------------------------------

std::optional<double> CopyFeed::read_correlation() {
    const Query query = correlation_query(table_.oid[side()], stream_.leading_column());
    const Result result = session_.connection().query(query.sql, query.parameters);
    if (result.rows() == 0 || result.is_null(0, 0)) return std::nullopt;
    return result.number<double>(0, 0);
}

/// Those that the server may choose for conditions on the key's first column, each as its OID and its file.
std::vector<std::string> CopyFeed::read_indexes_of_spans() {
    const Query query = span_indexes_query(table_.oid[side()], stream_.leading_column());
    const Result result = session_.connection().query(query.sql, query.parameters);
    std::vector<std::string> indexes;
    for (int row = 0; row < result.rows(); ++row)
        indexes.push_back(fmt::format("index {} {};", result.text(row, 0), result.text(row, 1)));
    return indexes;
}

std::optional<std::string> CopyFeed::why_not_in_spans() {
    if (std::optional<std::string> why_not = stream_.why_not_by_index()) return why_not;
    if (read_indexes_of_spans().size() > 1)
        return "its rows are streamed, and the server may read them through any of several indexes";
    return stream_.why_not_in_order(read_correlation());
}

std::string CopyFeed::index_of_spans() {
    std::optional<std::string> why_not = stream_.why_not_by_index();
    std::vector<std::string> indexes;
    if (!why_not) indexes = read_indexes_of_spans();
    if (indexes.size() == 1) return std::move(indexes.front());
    if (!why_not) why_not = fmt::format("the server may read it through {} indexes", indexes.size());
    throw Error(ErrorKind::kServer, fmt::format("{}: {}", side_name(side()), *why_not), {},
                std::string(side_name(side())), std::string(kFeatureNotSupported));
}

void CopyFeed::require_complete_index() {
    const std::vector<std::string> counts = stream_.counts_through_index(split(2));
    if (counts.empty())
        throw Error(ErrorKind::kServer, "its key's first column has too few values to be divided", {},
                    std::string(side_name(side())), std::string(kFeatureNotSupported));
    const std::uint64_t rows = SelectCount(session_.connection(), stream_.count(), avoid_indexes_statements()).take();
    std::uint64_t indexed = 0;
    for (const std::string& count : counts)
        indexed += SelectCount(session_.connection(), count, prefer_indexes_statements()).take();
    if (indexed == rows) return;
    throw Error(ErrorKind::kServer,
                fmt::format("{}: an index of {} lacks rows: a scan counts {}, the index {}", side_name(side()),
                            display_name(table_.name[side()]), rows, indexed),
                "REINDEX makes it anew. What reads through it misses these rows.", std::string(side_name(side())),
                std::string(kIndexLacksRows));
}

std::unique_ptr<RowPass> CopyFeed::read(const FeedRequest& request, TakeRow take) {
    return std::make_unique<CopyPass>(*this, request, std::move(take));
}

// ---- rows again ----------------------------------------------------------------------------------------------

void CopyFeed::read_again(const PlacesToRead& where, const FeedRequest& request, const TakeShownRow& take) {
    for (const auto& [part, locations] : where.locations)
        read_item({part, {}, {}, locations_condition(stream_.alias(), locations)}, take);
    if (where.whole_parts.empty()) return;
    for (const StreamItem& item : items(request, 1))
        if (where.whole_parts.contains(item.part)) read_item(item, take);
}

void CopyFeed::read_item(const StreamItem& item, const TakeShownRow& take) {
    std::vector<std::string> expressions = stream_.expressions();
    expressions.push_back(stream_.printed_texts());
    CopyRowReader reader(expressions.size());
    CopyStream copy = session_.connection().copy_out(stream_.statement(expressions, item));
    while (const std::optional<std::string_view> message = copy.next()) {
        const auto fields = reader.read(*message);
        if (!fields) continue;
        take(*fields, [&] {
            ShownValues values;
            read_wire_array(fields->back().value_or(std::string_view()),
                            [&](std::optional<std::string_view> text) { values.push_back(read_shown(text)); });
            return values;
        });
    }
    reader.require_complete(copy.rows());
}

}  // namespace

std::unique_ptr<RowFeed> make_copy_feed(Session& session, const TablePlan& table, const ServerInfo& server,
                                        FeedProgress on_progress) {
    return std::make_unique<CopyFeed>(session, table, server, std::move(on_progress));
}

}  // namespace parity::driver
