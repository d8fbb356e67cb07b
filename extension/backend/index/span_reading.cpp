#include "backend/index/span_reading.h"

#include <algorithm>

#include "backend/memory.h"
#include "core/bounds.h"

namespace parity::backend {
namespace {

/// A set of blocks that takes more is no sign of a table in the order of its key.
constexpr std::size_t kMaxSetBytes = 16 * 1024 * 1024;

/// Keys that were read. Of more nothing is known: they are read by blocks once more.
constexpr std::size_t kMaxIntervals = 256;

/// From one bound to before another (empty: open) of a relation's key.
struct ReadInterval {
    Oid relation;
    bool without_children;
    std::span<const core::Form> forms;
    core::ByteView lower;
    core::ByteView upper;
};

struct Reading {
    MemoryContext context;
    core::ByteView read_before;
    core::ByteSink read;  ///< by the transaction's passes
    Oid user;
    std::size_t intervals;
    ReadInterval* read_intervals;
};

Reading* reading = nullptr;

/// The transaction takes its context away.
void forget_reading(void*) { reading = nullptr; }

core::ByteView copy_bytes(MemoryContext context, core::ByteView bytes) {
    auto* copy = allocate_array<std::uint8_t>(context, bytes.size() + 1);
    std::copy(bytes.begin(), bytes.end(), copy);
    return {copy, bytes.size()};
}

ReadInterval interval_of(const DigestTask& task, RangeWindow window) {
    const DigestSpec& spec = task.spec;
    return {RelationGetRelid(task.relation), task.without_children, spec.key_forms,
            window.first > 0 ? spec.bounds[window.first - 1] : core::ByteView{},
            window.last < spec.bounds.size() ? spec.bounds[window.last] : core::ByteView{}};
}

ReadInterval copy_interval(MemoryContext context, const ReadInterval& interval) {
    auto* forms = allocate_array<core::Form>(context, interval.forms.size() + 1);
    std::copy(interval.forms.begin(), interval.forms.end(), forms);
    return {interval.relation,
            interval.without_children,
            {forms, interval.forms.size()},
            copy_bytes(context, interval.lower),
            copy_bytes(context, interval.upper)};
}

bool has_same_key(const ReadInterval& a, const ReadInterval& b) {
    return a.relation == b.relation && a.without_children == b.without_children &&
           std::equal(a.forms.begin(), a.forms.end(), b.forms.begin(), b.forms.end());
}

bool is_within(const ReadInterval& inner, const ReadInterval& outer) {
    const auto reaches = [&](core::ByteView outer_bound, core::ByteView inner_bound, int sign) {
        return outer_bound.empty() ||
               (!inner_bound.empty() && core::compare_bounds(outer_bound, inner_bound, inner.forms) * sign <= 0);
    };
    return has_same_key(inner, outer) && reaches(outer.lower, inner.lower, 1) && reaches(outer.upper, inner.upper, -1);
}

void remember_interval(const ReadInterval& interval) {
    if (reading->intervals < kMaxIntervals)
        reading->read_intervals[reading->intervals++] = copy_interval(reading->context, interval);
}

}  // namespace

void begin_reading_by_blocks(core::ByteView read_before) {
    if (reading) MemoryContextDelete(reading->context);
    MemoryContext context = AllocSetContextCreate(TopTransactionContext, "parity blocks", ALLOCSET_DEFAULT_SIZES);
    auto* callback = allocate_array<MemoryContextCallback>(context, 1);
    callback->func = forget_reading;
    MemoryContextRegisterResetCallback(context, callback);
    auto* made = allocate_array<Reading>(context, 1);
    *made = {context,
             copy_bytes(context, read_before),
             make_sink(context),
             GetUserId(),
             0,
             allocate_array<ReadInterval>(context, kMaxIntervals)};
    reading = made;
}

bool is_reading_by_blocks() { return reading && reading->user == GetUserId(); }

core::ByteView blocks_read() { return is_reading_by_blocks() ? reading->read.view() : core::ByteView{}; }

void set_read_flags(std::span<const LeafBlocks> leaves, std::uint32_t* flags) {
    set_flags(reading->read_before, leaves, flags);
    set_flags(reading->read.view(), leaves, flags);
}

void remember_pass(const DigestTask& task, std::span<const RangeWindow> windows, std::span<const LeafBlocks> leaves,
                   const std::uint32_t* flags) {
    MemoryContext caller = MemoryContextSwitchTo(reading->context);
    for (const LeafBlocks& leaf : leaves) append_blocks(leaf, flags, reading->read);
    for (std::size_t i = 0; i < windows.size();) {
        RangeWindow together = windows[i++];
        for (; i < windows.size() && windows[i].first == together.last + 1; ++i) together.last = windows[i].last;
        remember_interval(interval_of(task, together));
    }
    MemoryContextSwitchTo(caller);
    if (reading->read.view().size() > kMaxSetBytes)
        ereport(ERROR,
                (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                 errmsg("the rows of \"%s\" are not in the order of its key", RelationGetRelationName(task.relation))));
}

bool has_read_ranges(const DigestTask& task) {
    const DigestSpec& spec = task.spec;
    const std::span<const ReadInterval> known{reading->read_intervals, reading->intervals};
    for (std::uint32_t first = 0; first < spec.ranges(); ++first) {
        if (!spec.keeps(first)) continue;
        std::uint32_t last = first;
        while (last + 1 < spec.ranges() && spec.keeps(last + 1)) ++last;
        const ReadInterval wanted = interval_of(task, {first, last});
        if (std::none_of(known.begin(), known.end(),
                         [&](const ReadInterval& interval) { return is_within(wanted, interval); }))
            return false;
        first = last;
    }
    return true;
}

}  // namespace parity::backend
