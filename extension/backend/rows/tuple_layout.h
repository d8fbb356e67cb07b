#pragma once

#include "backend/pg.h"

#include <cstdint>
#include <span>
#include <type_traits>

/// Where the values of stored tuples lie.
namespace parity::backend {

/// A value as it is stored in a tuple; null for NULL.
using StoredValue = const char*;

/// Rows that are worked on together: as many as keep what is known of them in the processor's first cache.
inline constexpr std::size_t kBatchRows = 64;

/// Finds the wanted columns of tuples of one relation, without copying them.
class TupleLayout {
  public:
    /// `wanted` are positions from 0; one may come twice. Memory is `context`'s.
    TupleLayout(TupleDesc descriptor, std::span<const int> wanted, MemoryContext context);

    /// The slots that find() fills: one for each wanted column, and one for the others.
    std::size_t slots() const { return slots_; }

    /// The slot of a wanted column.
    std::size_t slot_of(int position) const { return steps_[static_cast<std::size_t>(position)].slot; }

    /// Sets to[slot * kBatchRows] for each wanted column. A value lies in the tuple; one that came to the table after
    /// it, in the layout's memory.
    void find(HeapTupleHeader tuple, StoredValue* to) const {
        if ((tuple->t_infomask & HEAP_HASNULL) || HeapTupleHeaderGetNatts(tuple) < steps_.size())
            return find_with_gaps(tuple, to);
        const char* data = reinterpret_cast<const char*>(tuple) + tuple->t_hoff;
        for (const FixedOffset& fixed : fixed_) to[fixed.slot * kBatchRows] = data + fixed.offset;
        std::uint32_t offset = rest_offset_;
        for (const Step& step : rest_) {
            offset = start_of(step, data, offset);
            to[step.slot * kBatchRows] = data + offset;
            offset += length_of(step, data + offset);
        }
    }

  private:
    /// A column of the tuple, wanted or to be stepped over.
    struct Step {
        std::int16_t length;  ///< pg_attribute.attlen
        std::uint8_t align;   ///< bytes
        std::uint32_t slot;
        StoredValue missing;  ///< what it is in tuples that end before it
    };

    /// A wanted column before which there is no NULL and none of varying width.
    struct FixedOffset {
        std::uint32_t offset;
        std::uint32_t slot;
    };

    static std::uint32_t aligned(std::uint32_t offset, std::uint8_t align) {
        return (offset + align - 1u) & ~std::uint32_t{align - 1u};
    }

    /// Of a varlena, a byte that is not zero is a header and no padding.
    static std::uint32_t start_of(const Step& step, const char* data, std::uint32_t offset) {
        return step.length == -1 && data[offset] != 0 ? offset : aligned(offset, step.align);
    }

    static std::uint32_t length_of(const Step& step, const char* at) {
        if (step.length > 0) return static_cast<std::uint32_t>(step.length);
        if (step.length == -1) return static_cast<std::uint32_t>(VARSIZE_ANY(at));
        return static_cast<std::uint32_t>(strlen(at)) + 1;
    }

    void make_steps(TupleDesc descriptor, std::span<const int> wanted, MemoryContext context);
    void make_fixed_offsets(MemoryContext context);
    void find_with_gaps(HeapTupleHeader tuple, StoredValue* to) const;

    std::span<const Step> steps_;  ///< up to the last wanted column
    std::span<const FixedOffset> fixed_;
    std::span<const Step> rest_;     ///< the steps from the first one of varying width
    std::uint32_t rest_offset_ = 0;  ///< where they begin
    std::size_t slots_ = 0;
};
static_assert(std::is_trivially_destructible_v<TupleLayout>);

}  // namespace parity::backend
