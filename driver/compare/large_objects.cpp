#include "driver/compare/large_objects.h"

#include <algorithm>
#include <limits>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "core/order.h"
#include "driver/compare/finding_sink.h"
#include "driver/compare/object_bytes.h"
#include "driver/compare/table_attempt.h"
#include "driver/digests/merge.h"
#include "driver/digests/suspect_objects.h"
#include "driver/engine/large_objects.h"
#include "driver/engine/value_reader.h"
#include "driver/model/error.h"
#include "driver/monitor/observer.h"
#include "driver/state/findings.h"
#include "driver/waiting/both_sides.h"

namespace parity::driver {
namespace {

/// So few bytes of pages are read at once instead of being digested first.
constexpr std::int64_t kFewBytes = 128 * 1024;
/// More objects with differing pages are not remembered: all are read then. They take about 32 MB.
constexpr std::size_t kMostSuspects = 1'000'000;
/// How many objects one statement reads.
constexpr std::size_t kBatch = 1000;

constexpr std::uint32_t kLastOid = std::numeric_limits<std::uint32_t>::max();

/// What the whole of a plan says about which objects there are, for the readers of tables.
TablePlan list_plan(const TablePlan& whole) {
    TablePlan plan = whole;
    plan.columns.clear();
    return plan;
}

/// Thrown where what an index shows is not what the table holds; the work is done again without indexes.
struct IndexLacksPages {};

/// Pages that are counted as they are read.
class CountedPages : public LargeObjectPages {
  public:
    explicit CountedPages(std::unique_ptr<LargeObjectPages> pages) : pages_(std::move(pages)) {}
    bool next(LargeObjectPage& page) override {
        const bool more = pages_->next(page);
        read_ += more;
        return more;
    }
    std::uint64_t read() const { return read_; }

  private:
    const std::unique_ptr<LargeObjectPages> pages_;
    std::uint64_t read_ = 0;
};

/// The object of a framed key of pg_largeobject.
std::uint32_t object_of(std::string_view page_key) {
    core::FrameReader reader(core::as_bytes(page_key));
    const std::optional<core::FramedValue> value = reader.next(core::Form::kInt);
    if (!value || value->null) throw Error(ErrorKind::kInternal, "a page of a large object has no key");
    return static_cast<std::uint32_t>(core::load_le<std::int64_t>(value->bytes.data()));
}

/// Gathers the objects that pages belong to which differ.
class SuspectSink : public FindingSink {
  public:
    explicit SuspectSink(SuspectObjects& suspects) : suspects_(suspects) {}
    void take(const RowFinding& finding) override {
        suspects_.add(object_of(finding.key), finding.kind, finding.occurrences);
    }
    void restart() override { suspects_.clear(); }

  private:
    SuspectObjects& suspects_;
};

std::string key_of(std::uint32_t object) {
    std::uint8_t canonical[sizeof(std::int64_t)];
    core::store_le(canonical, static_cast<std::int64_t>(object));
    ByteBuffer framed;
    core::append_frame(framed.sink(), core::Form::kInt, canonical);
    return std::string(core::as_text(framed.view()));
}

/// Both sides' large objects under the open snapshots.
class LargeObjectsComparison {
  public:
    LargeObjectsComparison(const RunContext& context, const TablePlan& plan, std::size_t table_no,
                           const Both<ServerSession*>& sessions, TableResult& result)
        : context_(context),
          plan_(plan),
          table_no_(table_no),
          sessions_(sessions),
          objects_{sessions.source->read_large_objects(plan), sessions.target->read_large_objects(plan)},
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
        if (!plan_.large_objects->why_unread.empty()) return;
        require_not_rewritten();
        compare_contents();
        require_not_rewritten();
        result_.ranges_divergent = std::max<std::uint64_t>(result_.ranges_divergent, result_.counts.total() > 0);
    }

    void compare_lists() {
        compare_rows_and_values(context_, list_plan(plan_), table_no_, sessions_, result_);
        result_.column_divergent.assign(plan_.columns.size(), false);
        context_.observer->restart_progress(table_no_);
    }

    void require_not_rewritten() {
        for (Side side : kSides) objects_[side]->require_not_rewritten();
    }

    void compare_contents() {
        const auto& [source, target] = plan_.large_objects->sides;
        if (source.page_bytes != target.page_bytes || std::max(source.bytes, target.bytes) <= kFewBytes)
            return compare_all();
        SuspectObjects suspects(kMostSuspects);
        SuspectSink sink(suspects);
        TableResult pages;
        pages.plan = *plan_.large_objects->pages;
        compare_rows(context_, pages.plan, table_no_, sessions_, sink, pages);
        result_.notes.insert(result_.notes.end(), pages.notes.begin(), pages.notes.end());
        if (suspects.overflowed()) return compare_all();
        compare_suspects(suspects.list());
    }

    // ---- objects whose pages differ ----

    void compare_suspects(const std::vector<SuspectObject>& suspects) {
        report_phase();
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
        const auto begin = [&](Side side) { return objects_[side]->pages(batch); };
        read(begin, [&](const LargeObjectComparison& found) {
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
        report_phase();
        Both<std::uint64_t> pages{0, 0};
        std::uint32_t after = 0;
        do {
            const std::uint32_t last = indexes_avoided_ ? kLastOid : end_of_batch(after);
            std::vector<LargeObjectComparison> different;
            const auto begin = [&](Side side) { return objects_[side]->pages(after, last); };
            const Both<std::uint64_t> read_now = read(begin, [&](const LargeObjectComparison& found) {
                if (found.first_difference) different.push_back(found);
            });
            for (Side side : kSides) pages[side] += read_now[side];
            add_findings(different);
            after = last;
        } while (after != kLastOid);
        for (Side side : kSides)
            if (pages[side] != objects_[side]->count_pages()) mistrust_indexes("pages of large objects were not read");
    }

    /// So that no side has more objects in a batch than it should.
    std::uint32_t end_of_batch(std::uint32_t after) {
        std::uint32_t last = kLastOid;
        for (Side side : kSides) {
            const std::optional<std::uint32_t> found = objects_[side]->object_after(after, kBatch);
            if (found) last = std::min(last, *found);
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

    /// How many pages each side gave. `begin` starts reading those of a side.
    template <typename Begin>
    Both<std::uint64_t> read(Begin begin, const std::function<void(const LargeObjectComparison&)>& take) {
        CountedPages source(begin(Side::kSource)), target(begin(Side::kTarget));
        const auto& sides = plan_.large_objects->sides;
        compare_large_object_bytes({&source, &target}, {sides.source.page_bytes, sides.target.page_bytes}, take);
        return {source.read(), target.read()};
    }

    std::vector<std::uint32_t> on_both_sides(const std::vector<std::uint32_t>& objects) {
        return objects_.target->existing(objects_.source->existing(objects));
    }

    void mistrust_indexes(const char* what) {
        if (indexes_avoided_) throw Error(ErrorKind::kInternal, what);
        throw IndexLacksPages{};
    }

    void start_again_without_indexes() {
        for (Side side : kSides) objects_[side]->avoid_indexes();
        indexes_avoided_ = true;
        context_.findings->discard(static_cast<int>(table_no_));
        result_.counts = {};
        result_.listed = 0;
        result_.ranges_divergent = 0;
        result_.notes.emplace_back(
            "an index of pg_catalog.pg_largeobject does not agree with the table: it is corrupt; pages were read "
            "without it");
    }

    // ---- findings ----

    void report_phase() { context_.observer->begin_phase(table_no_, Phase::kContents); }

    void add_finding(const LargeObjectComparison& found) {
        ++result_.counts.mismatch;
        context_.observer->found(table_no_, result_.counts.total());
        result_.column_divergent[0] = true;
        if (found.length.source != found.length.target) result_.column_divergent[1] = true;
        const std::int64_t cap = context_.options->max_divergences;
        if (cap > 0 && result_.listed >= static_cast<std::uint64_t>(cap)) return;
        StoredFinding entry;
        entry.finding.kind = FindingKind::kMismatch;
        entry.finding.key_bytes = key_of(found.object);
        entry.finding.columns = {0, 1};
        for (Side side : kSides)
            entry.finding.values[side] = {ShownValue(std::to_string(*found.first_difference)),
                                          ShownValue(std::to_string(found.length[side]))};
        context_.findings->add(static_cast<int>(table_no_), entry);
        context_.findings->commit(static_cast<int>(table_no_));
        ++result_.listed;
    }

    const RunContext& context_;
    const TablePlan& plan_;
    const std::size_t table_no_;
    const Both<ServerSession*> sessions_;
    const Both<std::unique_ptr<LargeObjectReader>> objects_;
    TableResult& result_;
    bool indexes_avoided_ = false;
};

}  // namespace

void compare_large_objects(const RunContext& context, const TablePlan& plan, std::size_t table_no,
                           const Both<ServerSession*>& sessions, TableResult& result) {
    LargeObjectsComparison(context, plan, table_no, sessions, result).run();
}

}  // namespace parity::driver
