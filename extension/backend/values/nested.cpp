#include "backend/values/nested.h"

#include <algorithm>
#include <limits>

#include "backend/memory.h"
#include "backend/pg_compat.h"
#include "backend/values/text.h"
#include "backend/values/value.h"
#include "core/order.h"

namespace parity::backend {
namespace {

constexpr std::uint8_t kRangeEmpty = 1;
constexpr std::uint8_t kLowerInclusive = 2;
constexpr std::uint8_t kUpperInclusive = 4;
constexpr std::uint8_t kLowerInfinite = 8;
constexpr std::uint8_t kUpperInfinite = 16;

void append_counted(core::ByteSink& sink, core::ByteView bytes) {
    core::append_le(sink, static_cast<std::uint32_t>(bytes.size()));
    sink.append(bytes);
}

std::uint8_t range_flags_of(const RangeBound& lower, const RangeBound& upper, bool empty) {
    if (empty) return kRangeEmpty;
    int flags = (lower.inclusive ? kLowerInclusive : 0) | (upper.inclusive ? kUpperInclusive : 0) |
                (lower.infinite ? kLowerInfinite : 0) | (upper.infinite ? kUpperInfinite : 0);
    return static_cast<std::uint8_t>(flags);
}

/// The two words of each pair in an hstore's array of ends; see HEntry in hstore.h.
class HstoreReader {
  public:
    explicit HstoreReader(core::ByteView stored) : stored_(stored) {
        if (stored.size() < kHeader) raise();
        count_ = word(0) & kCountMask;
        std::size_t strings = kHeader + 8 * static_cast<std::size_t>(count_);
        if (!(word(0) & kNewVersion) || stored.size() < strings) raise();
        strings_ = stored.subspan(strings);
    }
    std::uint32_t count() const { return count_; }
    core::ByteView key(std::uint32_t pair) const { return string(2 * pair); }
    std::optional<core::ByteView> value(std::uint32_t pair) const {
        if (word(1 + 2 * pair + 1) & kIsNull) return std::nullopt;
        return string(2 * pair + 1);
    }

  private:
    static constexpr std::size_t kHeader = 4;
    static constexpr std::uint32_t kNewVersion = 0x80000000;
    static constexpr std::uint32_t kCountMask = 0x0FFFFFFF;
    static constexpr std::uint32_t kIsFirst = 0x80000000;
    static constexpr std::uint32_t kIsNull = 0x40000000;
    static constexpr std::uint32_t kEndMask = 0x3FFFFFFF;

    [[noreturn]] static void raise() {
        ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED), errmsg("stored hstore is not of the expected format"),
                        errhint("An hstore of PostgreSQL 8.4 is rewritten by an UPDATE of its row.")));
        pg_unreachable();
    }
    std::uint32_t word(std::uint32_t number) const {
        std::uint32_t value;
        memcpy(&value, stored_.data() + std::size_t{number} * 4, sizeof value);
        return value;
    }
    core::ByteView string(std::uint32_t number) const {
        std::uint32_t entry = word(1 + number);
        std::size_t end = entry & kEndMask;
        std::size_t start = entry & kIsFirst ? 0 : word(number) & kEndMask;
        if (start > end || end > strings_.size()) raise();
        return strings_.subspan(start, end - start);
    }
    core::ByteView stored_;
    core::ByteView strings_;
    std::uint32_t count_ = 0;
};

struct HstorePair {
    core::ByteView key;
    std::optional<core::ByteView> value;
};

}  // namespace

std::size_t begin_counted(core::ByteSink& sink) {
    core::append_le(sink, std::uint32_t{0});
    return sink.size;
}

void end_counted(core::ByteSink& sink, std::size_t start) {
    std::size_t length = sink.size - start;
    if (length > std::numeric_limits<std::uint32_t>::max()) raise_too_long(length);
    core::store_le(sink.data + start - sizeof(std::uint32_t), static_cast<std::uint32_t>(length));
}

void raise_too_long(std::size_t bytes) {
    ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                    errmsg("a value of %zu bytes is too long to be digested", bytes)));
    pg_unreachable();
}

void append_array(const NestedReader& nested, Datum value, core::ByteSink& sink) {
    ArrayType* array = DatumGetArrayTypeP(value);
    int count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
    int dimensions = count > 0 ? ARR_NDIM(array) : 0;  // an empty int2vector has one, of length 0
    core::append_le(sink, static_cast<std::uint32_t>(dimensions));
    for (int i = 0; i < dimensions; ++i) {
        core::append_le(sink, static_cast<std::uint32_t>(ARR_DIMS(array)[i]));
        core::append_le(sink, static_cast<std::int32_t>(ARR_LBOUND(array)[i]));
    }
    array_iter elements;
    array_iter_setup(&elements, reinterpret_cast<AnyArrayType*>(array));
    for (int i = 0; i < count; ++i) {
        CHECK_FOR_INTERRUPTS();
        bool null;
        Datum element =
            array_iter_next(&elements, &null, i, nested.element_length, nested.element_by_value, nested.element_align);
        append_framed(nested.element, element, null, sink);
    }
}

void append_range(const NestedReader& range, RangeType* value, core::ByteSink& sink) {
    RangeBound lower;
    RangeBound upper;
    bool empty;
    range_deserialize(range.range, value, &lower, &upper, &empty);
    sink.append_u8(range_flags_of(lower, upper, empty));
    append_framed(range.element, lower.val, empty || lower.infinite, sink);
    append_framed(range.element, upper.val, empty || upper.infinite, sink);
}

void append_multirange(const NestedReader& multirange, Datum value, core::ByteSink& sink) {
    RangeType** ranges;
    int32 count = split_multirange(multirange.range, value, &ranges);
    core::append_le(sink, static_cast<std::uint32_t>(count));
    for (int32 i = 0; i < count; ++i) {
        CHECK_FOR_INTERRUPTS();
        std::size_t start = begin_counted(sink);
        append_range(multirange, ranges[i], sink);
        end_counted(sink, start);
    }
}

void append_record(const NestedReader& record, HeapTupleHeader value, core::ByteSink& sink) {
    check_stack_depth();
    HeapTupleData tuple;
    tuple.t_len = HeapTupleHeaderGetDatumLength(value);
    ItemPointerSetInvalid(&tuple.t_self);
    tuple.t_tableOid = InvalidOid;
    tuple.t_data = value;
    std::size_t columns = static_cast<std::size_t>(record.record->natts);
    auto* values = static_cast<Datum*>(palloc(sizeof(Datum) * (columns + 1)));
    auto* nulls = static_cast<bool*>(palloc(columns + 1));
    heap_deform_tuple(&tuple, record.record, values, nulls);
    core::append_le(sink, static_cast<std::uint32_t>(record.attributes.size()));
    for (const AttributeReader& attribute : record.attributes) {
        append_counted(sink, attribute.name);
        append_framed(attribute.reader, values[attribute.position], nulls[attribute.position], sink);
    }
}

void append_hstore(core::ByteView stored, core::ByteSink& sink) {
    HstoreReader reader(stored);
    auto* pairs = static_cast<HstorePair*>(
        palloc_extended(sizeof(HstorePair) * (reader.count() + std::size_t{1}), MCXT_ALLOC_HUGE));
    for (std::uint32_t i = 0; i < reader.count(); ++i) pairs[i] = {server_text_to_utf8(reader.key(i)), reader.value(i)};
    std::sort(pairs, pairs + reader.count(), [](const HstorePair& a, const HstorePair& b) {
        return std::lexicographical_compare(a.key.begin(), a.key.end(), b.key.begin(), b.key.end());
    });
    core::append_le(sink, reader.count());
    for (std::uint32_t i = 0; i < reader.count(); ++i) {
        CHECK_FOR_INTERRUPTS();
        append_counted(sink, pairs[i].key);
        if (pairs[i].value)
            core::append_frame(sink, core::Form::kText, server_text_to_utf8(*pairs[i].value));
        else
            core::append_null_frame(sink);
    }
}

}  // namespace parity::backend
