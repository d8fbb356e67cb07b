#include "backend/rows/tuple_layout.h"

#include <algorithm>

#include "backend/memory.h"

namespace parity::backend {
namespace {

std::uint8_t alignment_bytes(char align) {
    switch (align) {
        case TYPALIGN_DOUBLE:
            return ALIGNOF_DOUBLE;
        case TYPALIGN_INT:
            return ALIGNOF_INT;
        case TYPALIGN_SHORT:
            return ALIGNOF_SHORT;
        default:
            return 1;
    }
}

/// The default of a column that was added to filled tables, as it would be stored.
StoredValue missing_value(TupleDesc descriptor, int position, MemoryContext context) {
    Form_pg_attribute attribute = TupleDescAttr(descriptor, position);
    bool null;
    Datum value = getmissingattr(descriptor, position + 1, &null);
    if (null) return nullptr;
    MemoryContext caller = MemoryContextSwitchTo(context);
    char* stored;
    if (attribute->attbyval) {
        stored = static_cast<char*>(palloc0(sizeof(Datum)));
        store_att_byval(stored, value, attribute->attlen);
    } else {
        stored = DatumGetPointer(datumCopy(value, false, attribute->attlen));
    }
    MemoryContextSwitchTo(caller);
    return stored;
}

}  // namespace

TupleLayout::TupleLayout(TupleDesc descriptor, std::span<const int> wanted, MemoryContext context) {
    make_steps(descriptor, wanted, context);
    make_fixed_offsets(context);
}

void TupleLayout::make_steps(TupleDesc descriptor, std::span<const int> wanted, MemoryContext context) {
    constexpr std::uint32_t kUnwanted = PG_UINT32_MAX;
    const int count = wanted.empty() ? 0 : *std::max_element(wanted.begin(), wanted.end()) + 1;
    Step* steps = allocate_array<Step>(context, static_cast<std::size_t>(count) + 1);
    for (int i = 0; i < count; ++i) {
        Form_pg_attribute attribute = TupleDescAttr(descriptor, i);
        steps[i] = {attribute->attlen, alignment_bytes(attribute->attalign), kUnwanted, nullptr};
    }
    std::uint32_t slots = 0;
    for (int position : wanted)
        if (steps[position].slot == kUnwanted) {
            steps[position].slot = slots++;
            steps[position].missing = missing_value(descriptor, position, context);
        }
    for (int i = 0; i < count; ++i) steps[i].slot = std::min(steps[i].slot, slots);
    steps_ = {steps, static_cast<std::size_t>(count)};
    slots_ = slots + 1;
}

void TupleLayout::make_fixed_offsets(MemoryContext context) {
    FixedOffset* offsets = allocate_array<FixedOffset>(context, steps_.size() + 1);
    std::size_t count = 0;
    std::size_t i = 0;
    for (; i < steps_.size() && steps_[i].length > 0; ++i) {
        const std::uint32_t offset = aligned(rest_offset_, steps_[i].align);
        if (steps_[i].slot < slots_ - 1) offsets[count++] = {offset, steps_[i].slot};
        rest_offset_ = offset + static_cast<std::uint32_t>(steps_[i].length);
    }
    fixed_ = {offsets, count};
    rest_ = steps_.subspan(i);
}

/// Tuples that hold NULLs, or are shorter than the table.
void TupleLayout::find_with_gaps(HeapTupleHeader tuple, StoredValue* to) const {
    const char* data = reinterpret_cast<const char*>(tuple) + tuple->t_hoff;
    const bits8* nulls = (tuple->t_infomask & HEAP_HASNULL) ? tuple->t_bits : nullptr;
    const std::size_t stored = std::min<std::size_t>(HeapTupleHeaderGetNatts(tuple), steps_.size());
    std::uint32_t offset = 0;
    for (std::size_t i = 0; i < stored; ++i) {
        const Step& step = steps_[i];
        if (nulls && att_isnull(static_cast<int>(i), nulls)) {
            to[step.slot * kBatchRows] = nullptr;
            continue;
        }
        offset = start_of(step, data, offset);
        to[step.slot * kBatchRows] = data + offset;
        offset += length_of(step, data + offset);
    }
    for (const Step& step : steps_.subspan(stored)) to[step.slot * kBatchRows] = step.missing;
}

}  // namespace parity::backend
