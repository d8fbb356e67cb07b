#include "backend/index/rows.h"

#include <algorithm>

#include "backend/index/row_order.h"
#include "backend/index/search.h"
#include "backend/memory.h"
#include "backend/query/key_condition.h"
#include "backend/query/query.h"
#include "core/order.h"

namespace parity::backend {
namespace {

/// Ranges are read through the index where at most one in so many is wanted, for each process that would scan instead:
/// fewer where rows that follow one another in the index do so in the table, which reads each page once.
///
/// Milliseconds of one process's time for 5 M rows of bench/make-table.sql in the server's cache, without `token` and
/// with `doc` as jsonb_raw, 4000 and 131072 even ranges, chosen evenly (row_records; range_totals is alike):
///
///     chosen             0.1 %    1 %    2 %    5 %   10 %   20 %
///     id, index           4-10  32-41  68-77    175    420    870
///     id, scan             250    270    290    335    540    820
///     random, index       9-19    100    190    480   1050   2130
///     random, scan     310-530    440    460    570    820   1120
constexpr std::size_t kIndexFraction = 20;
constexpr std::size_t kIndexFractionInOrder = 8;
/// Reading a page takes a scan about as long as so many searches in indexes that are cached take.
constexpr std::size_t kSearchesOfPage = 4;
/// Fewer groups of ranges are each planned for what they hold.
constexpr std::size_t kFewGroups = 8;

/// Adds rows to the sums of the ranges whose turn it is.
struct Accumulator {
    RowHasher* hasher;
    DigestMatrix matrix;
    RangeWindow window;
};

bool wants_row(void* state, const Datum* key_values, const bool* key_nulls) {
    auto& self = *static_cast<Accumulator*>(state);
    self.hasher->frame_key(key_values, key_nulls);
    return self.window.holds(self.hasher->range_of_framed_key());
}

void add_row(void* state, const Datum* values, const bool* nulls) {
    if (!wants_row(state, values, nulls)) return;
    auto& self = *static_cast<Accumulator*>(state);
    self.hasher->accumulate(values, nulls, self.matrix);
}

/// Whether the conditions of all groups together let the rows of at most `limit` ranges in. They are on the key's
/// first column alone: each lets in all rows with the values at its ends, which may be those of many ranges, and again
/// of the next group.
bool are_few(const DigestSpec& spec, std::size_t limit) {
    const std::size_t bounds = spec.bounds.size();
    std::size_t let_in = 0;
    for (std::size_t range = 0; range <= bounds && let_in <= limit; ++range) {
        if (!spec.kept[range]) continue;
        ++let_in;
        if (range > 0 && !spec.kept[range - 1])
            for (std::size_t i = range; i > 1 && let_in <= limit && begin_alike(spec, i - 2, i - 1); --i) ++let_in;
        if (range < bounds && !spec.kept[range + 1])
            for (std::size_t i = range; i + 1 < bounds && let_in <= limit && begin_alike(spec, i, i + 1); ++i) ++let_in;
    }
    return let_in <= limit;
}

/// Whether searching the index of each leaf for each group is less than reading the leaves, which have storage. A key
/// that says nothing of a row's leaf is searched in all of them.
bool are_searches_few(const DigestTask& task, std::size_t groups) {
    if (groups == 1 || task.leaves.size() == 1) return true;
    core::u64 pages = 0;
    for (Oid id : task.leaves) {
        Relation leaf = table_open(id, NoLock);
        pages += RelationGetNumberOfBlocks(leaf);
        table_close(leaf, NoLock);
    }
    return groups * task.leaves.size() <= pages * kSearchesOfPage;
}

bool may_use_index(const DigestTask& task) {
    return task.obstacle != ScanObstacle::kPlan && !task.spec.kept.empty() && !task.spec.bounds.empty() &&
           task.spec.bounds[0][0] == core::kKeyBound && (enable_indexscan || enable_bitmapscan) &&
           has_ordered_index(task);
}

std::size_t count_groups(std::span<const std::uint8_t> kept) {
    std::size_t groups = 0;
    for (std::size_t i = 0; i < kept.size(); ++i) groups += kept[i] && (i == 0 || !kept[i - 1]);
    return groups;
}

/// Whether the kept ranges are few enough to be searched for without a plan, which would choose between that and a
/// scan.
bool are_few_to_search(const DigestTask& task) {
    return task.obstacle == ScanObstacle::kNone && are_few(task.spec, task.spec.kept.size() / kIndexFractionInOrder);
}

bool may_search(const DigestTask& task) {
    if (!are_few_to_search(task)) return false;
    IndexSearches searches(task, IndexUse::kIntervals);
    const bool usable = searches.usable();
    searches.close();
    return usable;
}

}  // namespace

bool begin_alike(const DigestSpec& spec, std::size_t a, std::size_t b) {
    auto first = [&](std::size_t bound) {
        return core::FrameReader(spec.bounds[bound].subspan(1)).next(spec.key_forms[0]);
    };
    const std::optional<core::FramedValue> x = first(a), y = first(b);
    return x && y && x->null == y->null &&
           std::equal(x->bytes.begin(), x->bytes.end(), y->bytes.begin(), y->bytes.end());
}

std::size_t groups_worth_an_index(const DigestTask& task, int scanners) {
    if (!may_use_index(task)) return 0;
    const auto few = [&](std::size_t fraction) {
        return are_few(task.spec, task.spec.kept.size() / (fraction * static_cast<std::size_t>(scanners)));
    };
    if (!few(kIndexFractionInOrder) || (!few(kIndexFraction) && !is_in_key_order(task))) return 0;
    const std::size_t groups = count_groups(task.spec.kept);
    return are_searches_few(task, groups) && (!avoids_plans(task) || may_search(task)) ? groups : 0;
}

std::size_t groups_worth_an_index_for_rows(const DigestTask& task, int scanners) {
    std::span<const std::uint8_t> kept = task.spec.kept;
    const bool all = std::find(kept.begin(), kept.end(), 0) == kept.end();
    if (!all && count_groups(kept) == 1 && !avoids_plans(task) && may_use_index(task)) return 1;
    return groups_worth_an_index(task, scanners);
}

namespace {

/// Calls `read(lower, upper)` for each group of neighbouring kept ranges, with `*window` telling it.
template <typename Read>
void for_each_group(const DigestSpec& spec, RangeWindow* window, Read read) {
    for (std::uint32_t first = 0; first < spec.ranges(); ++first) {
        if (!spec.keeps(first)) continue;
        std::uint32_t last = first;
        while (last + 1 < spec.ranges() && spec.keeps(last + 1)) ++last;
        *window = {first, last};
        read(first > 0 ? spec.bounds[first - 1] : core::ByteView{},
             last < spec.bounds.size() ? spec.bounds[last] : core::ByteView{});
        first = last;
    }
}

/// For what only the executor can read, such as rows that a filter chooses, and for what may be most of the table.
void read_by_plans(const DigestTask& task, std::size_t groups, RangeWindow* window, const RowConsumer& consumer) {
    RowQuery query(task, groups > kFewGroups);
    for_each_group(task.spec, window, [&](core::ByteView lower, core::ByteView upper) {
        query.read(condition_of_range(task, lower, upper), consumer);
    });
    query.close();
}

}  // namespace

bool read_by_index_alone(const DigestTask& task, RangeWindow* window, const RowConsumer& consumer) {
    if (!are_few_to_search(task)) return false;
    IndexSearches searches(task, IndexUse::kIntervals);
    const bool usable = searches.usable();
    if (usable)
        for_each_group(task.spec, window, [&](core::ByteView lower, core::ByteView upper) {
            searches.read(interval_of_range(task, lower, upper), consumer);
        });
    searches.close();
    return usable;
}

bool read_by_index(const DigestTask& task, std::size_t groups, RangeWindow* window, const RowConsumer& consumer) {
    if (read_by_index_alone(task, window, consumer)) return true;
    if (avoids_plans(task)) return false;
    read_by_plans(task, groups, window, consumer);
    return true;
}

bool read_keys_by_index(const DigestTask& task, std::span<const core::ByteView>* keys, const RowConsumer& consumer) {
    const std::span<const core::ByteView> all = *keys;
    if (task.obstacle != ScanObstacle::kNone || task.key.empty() || task.key.size() > INDEX_MAX_KEYS ||
        (!enable_indexscan && !enable_bitmapscan) || !are_searches_few(task, all.size()))
        return false;
    const std::span<const Oid> types = key_value_types(task);
    if (types.empty()) return false;
    auto* values = allocate_array<const Datum*>(CurrentMemoryContext, all.size() + 1);
    for (std::size_t i = 0; i < all.size(); ++i)
        if (values[i] = values_of_key(task, types, all[i]); !values[i]) return false;
    IndexSearches searches(task, IndexUse::kKeys);
    const bool usable = searches.usable();
    for (std::size_t i = 0; usable && i < all.size(); ++i) {
        *keys = all.subspan(i, 1);
        const bool again = i > 0 && std::equal(all[i].begin(), all[i].end(), all[i - 1].begin(), all[i - 1].end());
        if (!again) searches.read_key(types, values[i], consumer);
    }
    *keys = all;
    searches.close();
    return usable;
}

bool digest_by_index(const DigestTask& task, std::size_t groups, const DigestMatrix& matrix) {
    RowHasher hasher = make_row_hasher(task);
    Accumulator accumulator{&hasher, matrix, {}};
    return read_by_index(task, groups, &accumulator.window, {wants_row, add_row, &accumulator});
}

}  // namespace parity::backend
