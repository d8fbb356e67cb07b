#include "driver/compare/large_objects.h"

#include <algorithm>
#include <limits>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "core/order.h"
#include "driver/digests/division.h"
#include "driver/digests/suspect_objects.h"
#include "driver/engine/value_reader.h"
#include "driver/model/error.h"
#include "driver/options/scope.h"
#include "driver/postgres/connection/connection.h"
#include "driver/postgres/feed/large_object_bytes.h"
#include "driver/postgres/queries/large_objects.h"
#include "driver/postgres/queries/query.h"
#include "driver/postgres/queries/session.h"
#include "driver/record/recorder.h"

namespace parity::driver {
namespace {

constexpr Side kSides[] = {Side::kSource, Side::kTarget};

/// So few bytes of pages are read at once instead of being digested first.
constexpr std::int64_t kFewBytes = 128 * 1024;
/// More objects with differing pages are not remembered: all are read then. They take about 32 MB.
constexpr std::size_t kMostSuspects = 1'000'000;
/// How many objects one statement reads.
constexpr std::size_t kBatch = 1000;

constexpr std::uint32_t kLastOid = std::numeric_limits<std::uint32_t>::max();

// ---- plans ---------------------------------------------------------------------------------------------------

ColumnPlan plain_column(const std::string& name, const std::string& form, bool in_key) {
    return {{name, name}, form, in_key};
}

TablePlan catalog_plan(const std::string& name, std::uint32_t oid, std::vector<std::string> key) {
    TablePlan plan;
    plan.oid = {oid, oid};
    plan.name = {{"pg_catalog", name}, {"pg_catalog", name}};
    plan.relkind = {'r', 'r'};
    for (const std::string& column : key) plan.key.push_back(plain_column(column, "int", true));
    plan.key_proven = true;
    return plan;
}

/// What the whole of a plan says about which objects there are, for the readers of tables.
TablePlan list_plan(const TablePlan& whole) {
    TablePlan plan = whole;
    plan.columns.clear();
    return plan;
}

TablePlan page_plan(const TablePlan& whole) {
    TablePlan plan = catalog_plan("pg_largeobject", kLargeObjectPagesOid, {"loid", "pageno"});
    plan.columns = {plain_column("data", "bytes", false)};
    const auto& [source, target] = whole.large_objects->sides;
    plan.columns_text = {source.page_columns, target.page_columns};
    plan.path = whole.path;
    plan.estimated_rows = std::max(source.pages, target.pages);
    plan.estimated_bytes = std::max(source.bytes, target.bytes);
    plan.ranges = default_ranges(plan.estimated_rows, plan.estimated_bytes, plan.columns.size() + 2);
    plan.large_objects = whole.large_objects;
    return plan;
}

std::string why_unread(const Both<LargeObjects>& sides) {
    for (Side side : kSides)
        if (!sides[side].readable)
            return fmt::format("no SELECT privilege on pg_catalog.pg_largeobject on {}", side_name(side));
    return {};
}

TablePlan whole_plan(const Both<LargeObjects>& sides, const Both<Inventory>& inventories) {
    TablePlan plan = catalog_plan("pg_largeobject_metadata", kLargeObjectMetadataOid, {"oid"});
    plan.columns = {plain_column(kFirstDifference, "int", false), plain_column(kLength, "int", false)};
    plan.columns_text = {sides.source.list_columns, sides.target.list_columns};
    for (Side side : kSides) plan.path[side] = inventories[side].server.engine == Engine::kStream ? "stream" : "scan";
    plan.estimated_rows = static_cast<double>(std::max(sides.source.count, sides.target.count));
    plan.large_objects = LargeObjectPlan{sides, why_unread(sides)};
    if (!plan.large_objects->unread.empty()) plan.skipped = {"contents: " + plan.large_objects->unread};
    if (plan.skipped.empty()) plan.estimated_bytes = std::max(sides.source.bytes, sides.target.bytes);
    plan.ranges = default_ranges(plan.estimated_rows, plan.estimated_bytes, 2);
    return plan;
}

// ---- reading pages -------------------------------------------------------------------------------------------

/// Thrown where what an index shows is not what the table holds; the work is done again without indexes.
struct IndexLacksPages {};

/// The rows of a query for pages.
class StreamedPages : public LargeObjectPages {
  public:
    StreamedPages(Connection& connection, const Query& query) : rows_(connection.stream(query.sql, query.parameters)) {}

    bool next(LargeObjectPage& page) override {
        row_ = rows_.next();
        if (!row_) return false;
        ++read_;
        page = {static_cast<std::uint32_t>(row_->int32(0)), row_->int32(1), row_->bytes(2)};
        return true;
    }
    std::uint64_t read() const { return read_; }

  private:
    RowStream rows_;
    std::optional<Row> row_;
    std::uint64_t read_ = 0;
};

/// The object of a framed key of pg_largeobject.
std::uint32_t object_of(std::string_view page_key) {
    core::FrameReader reader(core::as_bytes(page_key));
    const std::optional<core::FramedValue> value = reader.next(core::Form::kInt);
    if (!value || value->null) throw Error(ErrorKind::kInternal, "a page of a large object has no key");
    return static_cast<std::uint32_t>(core::load_le<std::int64_t>(value->bytes.data()));
}

std::string key_of(std::uint32_t object) {
    std::uint8_t canonical[sizeof(std::int64_t)];
    core::store_le(canonical, static_cast<std::int64_t>(object));
    ByteBuffer framed;
    core::append_frame(framed.sink(), core::Form::kInt, canonical);
    return std::string(core::as_text(framed.view()));
}

std::uint32_t oid_at(const Result& result, int row) {
    return static_cast<std::uint32_t>(std::stoul(std::string(result.text(row, 0))));
}

/// Both sides' large objects under the open snapshots.
class LargeObjectsComparison {
  public:
    LargeObjectsComparison(const RunContext& context, const TablePlan& plan, int table_no,
                           const Both<Session*>& sessions, TableResult& result)
        : context_(context),
          plan_(plan),
          pages_(page_plan(plan)),
          table_no_(table_no),
          sessions_(sessions),
          result_(result) {}

    void run() {
        try {
            compare();
        } catch (const IndexLacksPages&) {
            start_again_without_indexes();
            compare();
        }
    }

  private:
    void compare() {
        compare_lists();
        if (!plan_.large_objects->unread.empty()) return;
        require_not_rewritten();
        compare_contents();
        require_not_rewritten();
        result_.ranges_divergent = std::max<std::uint64_t>(result_.ranges_divergent, result_.counts.total() > 0);
    }

    void compare_lists() {
        compare_rows(context_, list_plan(plan_), table_no_, sessions_, result_);
        result_.column_divergent.assign(plan_.columns.size(), false);
        context_.progress->restart(static_cast<std::size_t>(table_no_));
    }

    void require_not_rewritten() {
        for (Side side : kSides) sessions_[side]->require_not_rewritten(pages_);
    }

    void compare_contents() {
        const auto& [source, target] = plan_.large_objects->sides;
        if (source.page_bytes != target.page_bytes || std::max(source.bytes, target.bytes) <= kFewBytes)
            return compare_all();
        SuspectObjects suspects(kMostSuspects);
        const FindingSink sink{
            [&](const RowFinding& finding) { suspects.add(object_of(finding.key), finding.kind, finding.occurrences); },
            [&] { suspects.clear(); }};
        TableResult pages;
        pages.plan = pages_;
        compare_rows(context_, pages_, table_no_, sessions_, pages, &sink);
        result_.notes.insert(result_.notes.end(), pages.notes.begin(), pages.notes.end());
        if (suspects.overflowed()) return compare_all();
        compare_suspects(suspects.list());
    }

    // ---- objects whose pages differ ----

    void compare_suspects(const std::vector<SuspectObject>& suspects) {
        note_phase();
        for (std::size_t begin = 0; begin < suspects.size(); begin += kBatch) {
            std::vector<std::uint32_t> batch;
            for (std::size_t i = begin; i < std::min(begin + kBatch, suspects.size()); ++i)
                batch.push_back(suspects[i].object);
            batch = on_both_sides(batch);
            if (!batch.empty()) compare_batch(batch, suspects);
        }
    }

    /// What is read must show the very differences that the digests told of.
    void compare_batch(const std::vector<std::uint32_t>& batch, const std::vector<SuspectObject>& suspects) {
        std::size_t seen = 0;
        std::vector<LargeObjectComparison> different;
        read(large_object_pages_query(batch), [&](const LargeObjectComparison& found) {
            const auto suspect =
                std::lower_bound(suspects.begin(), suspects.end(), found.object,
                                 [](const SuspectObject& a, std::uint32_t object) { return a.object < object; });
            seen += suspect != suspects.end() && suspect->object == found.object && suspect->pages == found.stored;
            if (found.first_difference) different.push_back(found);
        });
        if (seen != batch.size()) mistrust_indexes("pages of large objects do not show what their digests do");
        for (const LargeObjectComparison& found : different) add_finding(found);
    }

    // ---- all objects ----

    void compare_all() {
        note_phase();
        Both<std::uint64_t> pages{0, 0};
        std::uint32_t after = 0;
        do {
            const std::uint32_t last = indexes_avoided_ ? kLastOid : end_of_batch(after);
            std::vector<LargeObjectComparison> different;
            const Both<std::uint64_t> read_now =
                read(large_object_pages_query(after, last), [&](const LargeObjectComparison& found) {
                    if (found.first_difference) different.push_back(found);
                });
            for (Side side : kSides) pages[side] += read_now[side];
            add_findings(different);
            after = last;
        } while (after != kLastOid);
        for (Side side : kSides)
            if (pages[side] != count_pages(side)) mistrust_indexes("pages of large objects were not read");
    }

    /// So that no side has more objects in a batch than it should.
    std::uint32_t end_of_batch(std::uint32_t after) {
        std::uint32_t last = kLastOid;
        for (Side side : kSides) {
            const Result found = query(side, large_object_after_query(after, kBatch));
            if (found.rows() > 0) last = std::min(last, oid_at(found, 0));
        }
        return last;
    }

    /// Objects without a counterpart, and pages that belong to no object, are not about contents.
    void add_findings(const std::vector<LargeObjectComparison>& different) {
        std::vector<std::uint32_t> objects;
        for (const LargeObjectComparison& found : different) objects.push_back(found.object);
        objects = on_both_sides(objects);
        for (const LargeObjectComparison& found : different)
            if (std::binary_search(objects.begin(), objects.end(), found.object)) add_finding(found);
    }

    template <typename Work>
    auto without_indexes(Side side, Work work) {
        connection(side).query(savepoint_statement());
        connection(side).query(avoid_indexes_statements());
        auto answer = work();
        connection(side).query(rollback_to_savepoint_statement());
        connection(side).query(release_savepoint_statement());
        return answer;
    }

    std::uint64_t count_pages(Side side) {
        return without_indexes(
            side, [&] { return std::stoull(std::string(query(side, large_object_page_count_query()).text(0, 0))); });
    }

    // ---- servers ----

    Connection& connection(Side side) { return sessions_[side]->connection(); }
    Result query(Side side, const Query& query) { return connection(side).query(query.sql, query.parameters); }

    /// How many pages each side gave.
    Both<std::uint64_t> read(const Query& query, const std::function<void(const LargeObjectComparison&)>& take) {
        StreamedPages source(connection(Side::kSource), query);
        StreamedPages target(connection(Side::kTarget), query);
        const auto& sides = plan_.large_objects->sides;
        compare_large_object_bytes({&source, &target}, {sides.source.page_bytes, sides.target.page_bytes}, take);
        return {source.read(), target.read()};
    }

    std::vector<std::uint32_t> on_both_sides(const std::vector<std::uint32_t>& objects) {
        return existing(Side::kTarget, existing(Side::kSource, objects));
    }

    /// Those of `objects`, which ascend, that a side has. What an index does not show may be there nonetheless.
    std::vector<std::uint32_t> existing(Side side, const std::vector<std::uint32_t>& objects) {
        if (objects.empty()) return {};
        const Query question = existing_large_objects_query(objects);
        Result found = query(side, question);
        if (static_cast<std::size_t>(found.rows()) != objects.size())
            found = without_indexes(side, [&] { return query(side, question); });
        std::vector<std::uint32_t> there;
        for (int row = 0; row < found.rows(); ++row) there.push_back(oid_at(found, row));
        std::sort(there.begin(), there.end());
        return there;
    }

    void mistrust_indexes(const char* what) {
        if (indexes_avoided_) throw Error(ErrorKind::kInternal, what);
        throw IndexLacksPages{};
    }

    void start_again_without_indexes() {
        for (Side side : kSides) connection(side).query(avoid_indexes_statements());
        indexes_avoided_ = true;
        context_.spool->discard(table_no_);
        result_.counts = {};
        result_.listed = 0;
        result_.ranges_divergent = 0;
        result_.notes.emplace_back(
            "an index of pg_catalog.pg_largeobject does not agree with the table: it is corrupt; pages were read "
            "without it");
    }

    // ---- findings ----

    void note_phase() {
        if (context_.recorder) context_.recorder->phase(static_cast<std::size_t>(table_no_), "contents");
    }

    void add_finding(const LargeObjectComparison& found) {
        ++result_.counts.mismatch;
        context_.progress->descend(static_cast<std::size_t>(table_no_), result_.counts.total());
        result_.column_divergent[0] = true;
        if (found.length.source != found.length.target) result_.column_divergent[1] = true;
        const std::int64_t cap = context_.options->max_divergences;
        if (cap > 0 && result_.listed >= static_cast<std::uint64_t>(cap)) return;
        SpooledFinding entry;
        entry.finding.kind = FindingKind::kMismatch;
        entry.finding.key_bytes = key_of(found.object);
        entry.finding.columns = {0, 1};
        for (Side side : kSides)
            entry.finding.values[side] = {ShownValue(std::to_string(*found.first_difference)),
                                          ShownValue(std::to_string(found.length[side]))};
        context_.spool->add(table_no_, entry);
        context_.spool->keep(table_no_);
        ++result_.listed;
    }

    const RunContext& context_;
    const TablePlan& plan_;
    const TablePlan pages_;
    const int table_no_;
    const Both<Session*> sessions_;
    TableResult& result_;
    bool indexes_avoided_ = false;
};

}  // namespace

LargeObjectFinding large_object_finding(const Finding& finding) {
    const auto text = [&](Side side, std::size_t column) { return finding.values[side].at(column)->text; };
    return {text(Side::kSource, 0), {text(Side::kSource, 1), text(Side::kTarget, 1)}};
}

void plan_large_objects(Plan& plan, const Options& options, const Both<Inventory>& inventories) {
    const Both<LargeObjects> sides{inventories.source.large_objects, inventories.target.large_objects};
    if (!options.large_objects || !covers_whole_database(options)) return;
    for (Side side : kSides) {
        if (sides[side].listed) continue;
        const QualifiedName name{"pg_catalog", "pg_largeobject_metadata"};
        plan.skipped_tables.push_back(
            {{name, name}, fmt::format("large objects: no SELECT privilege on it on {}", side_name(side))});
        return;
    }
    if (sides.source.count == 0 && sides.target.count == 0) return;
    plan.tables.push_back(whole_plan(sides, inventories));
}

void compare_large_objects(const RunContext& context, const TablePlan& plan, int table_no,
                           const Both<Session*>& sessions, TableResult& result) {
    LargeObjectsComparison(context, plan, table_no, sessions, result).run();
}

}  // namespace parity::driver
