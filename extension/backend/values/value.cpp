#include "backend/values/value.h"

#include "backend/memory.h"
#include "backend/values/double_text.h"
#include "backend/values/json.h"
#include "backend/values/nested.h"
#include "backend/values/numeric.h"
#include "backend/values/object_names.h"
#include "backend/values/text.h"
#include "backend/values/text_search.h"
#include "backend/values/time.h"
#include "core/decimal.h"
#include "core/float_form.h"
#include "core/order.h"
#include "core/render.h"

namespace parity::backend {
namespace {

template <typename T>
core::ByteView fixed_value(std::uint8_t* room, T value) {
    core::store_le(room, value);
    return {room, sizeof value};
}

/// Several doubles one after the other.
core::ByteView doubles(std::uint8_t* room, std::initializer_list<double> values) {
    std::uint8_t* at = room;
    for (double value : values) {
        core::store_le(at, core::canonical_float(value));
        at += sizeof value;
    }
    return {room, static_cast<std::size_t>(at - room)};
}

core::ByteView varlena_bytes(Datum value) {
    struct varlena* stored = PG_DETOAST_DATUM_PACKED(value);
    return {reinterpret_cast<const std::uint8_t*>(VARDATA_ANY(stored)), VARSIZE_ANY_EXHDR(stored)};
}

core::ByteView timetz_bytes(std::uint8_t* room, const TimeTzADT* value) {
    core::store_le(room, value->time);
    core::store_le(room + 8, value->zone);
    return {room, 12};
}

core::ByteView interval_bytes(std::uint8_t* room, const Interval* value) {
    core::store_le(room, value->time);
    core::store_le(room + 8, value->day);
    core::store_le(room + 12, value->month);
    return {room, 16};
}

core::ByteView inet_bytes(std::uint8_t* room, inet* value) {
    std::size_t length = static_cast<std::size_t>(ip_addrsize(value));
    room[0] = ip_family(value) == PGSQL_AF_INET ? 4 : 6;
    room[1] = ip_bits(value);
    memcpy(room + 2, ip_addr(value), length);
    return {room, 2 + length};
}

core::ByteView tid_bytes(std::uint8_t* room, ItemPointer value) {
    core::store_le(room, std::uint32_t{ItemPointerGetBlockNumberNoCheck(value)});
    core::store_le(room + 4, std::uint16_t{ItemPointerGetOffsetNumberNoCheck(value)});
    return {room, 6};
}

core::ByteView uuid_bytes(const pg_uuid_t* value) { return {value->data, UUID_LEN}; }

/// A text as the server's own input of uuid takes it.
core::ByteView parsed_uuid(Datum value) {
    core::ByteView text = without_trailing_blanks(varlena_bytes(value));
    const char* written = pnstrdup(reinterpret_cast<const char*>(text.data()), text.size());
    return uuid_bytes(DatumGetUUIDP(DirectFunctionCall1(uuid_in, CStringGetDatum(written))));
}

core::ByteView char_byte(std::uint8_t* room, char value) {
    room[0] = static_cast<std::uint8_t>(value);
    return {room, 1};
}

void append_points(core::ByteSink& sink, const Point* points, int count) {
    core::append_le(sink, static_cast<std::uint32_t>(count));
    for (int i = 0; i < count; ++i) {
        core::append_le(sink, core::canonical_float(points[i].x));
        core::append_le(sink, core::canonical_float(points[i].y));
    }
}

void append_path(core::ByteSink& sink, const PATH* path) {
    sink.append_u8(path->closed ? 1 : 0);
    append_points(sink, path->p, path->npts);
}

void append_bits(core::ByteSink& sink, VarBit* bits) {
    core::append_le(sink, static_cast<std::uint32_t>(VARBITLEN(bits)));
    sink.append(VARBITS(bits), static_cast<std::size_t>(VARBITBYTES(bits)));
}

/// The server's struct is private to xid8funcs.c: u32 number of running transactions, u64 xmin, u64 xmax, then these.
void append_snapshot(core::ByteSink& sink, Datum value) {
    const auto* stored = reinterpret_cast<const std::uint8_t*>(VARDATA(PG_DETOAST_DATUM(value)));
    std::uint32_t running;
    memcpy(&running, stored, sizeof running);
    auto transaction = [stored](std::size_t number) {
        std::uint64_t id;
        memcpy(&id, stored + sizeof running + number * sizeof id, sizeof id);
        return id;
    };
    core::append_le(sink, transaction(0));
    core::append_le(sink, transaction(1));
    core::append_le(sink, running);
    for (std::uint32_t i = 0; i < running; ++i) core::append_le(sink, transaction(2 + i));
}

/// A time under a form of another type's.
std::optional<core::ByteView> converted_time(const ColumnReader& column, Datum value, std::uint8_t* room) {
    switch (column.method) {
        case ReadMethod::kDateAsTimestamp:
            return fixed_value(room, std::int64_t{midnight_of(DatumGetDateADT(value))});
        case ReadMethod::kTimestampInZone:
            return fixed_value(room, std::int64_t{instant_of_reading(DatumGetTimestamp(value), column.nested->zone)});
        case ReadMethod::kTimestamptzInZone:
            return fixed_value(room, std::int64_t{reading_of_instant(DatumGetTimestampTz(value), column.nested->zone)});
        default:
            return std::nullopt;
    }
}

/// Values of several fields, or of fewer bytes than a datum has.
std::optional<core::ByteView> packed_bytes(ReadMethod method, Datum value, std::uint8_t* room) {
    switch (method) {
        case ReadMethod::kChar:
            return char_byte(room, DatumGetChar(value));
        case ReadMethod::kTimetz:
            return timetz_bytes(room, DatumGetTimeTzADTP(value));
        case ReadMethod::kInterval:
            return interval_bytes(room, DatumGetIntervalP(value));
        case ReadMethod::kInet:
            return inet_bytes(room, DatumGetInetPP(value));
        case ReadMethod::kMacaddr:
            return core::ByteView(reinterpret_cast<const std::uint8_t*>(DatumGetPointer(value)), 6);
        case ReadMethod::kMacaddr8:
            return core::ByteView(reinterpret_cast<const std::uint8_t*>(DatumGetPointer(value)), 8);
        case ReadMethod::kTid:
            return tid_bytes(room, reinterpret_cast<ItemPointer>(DatumGetPointer(value)));
        default:
            return std::nullopt;
    }
}

std::optional<core::ByteView> geometric_bytes(ReadMethod method, Datum value, std::uint8_t* room) {
    switch (method) {
        case ReadMethod::kPoint:
            return doubles(room, {DatumGetPointP(value)->x, DatumGetPointP(value)->y});
        case ReadMethod::kLine:
            return doubles(room, {DatumGetLineP(value)->A, DatumGetLineP(value)->B, DatumGetLineP(value)->C});
        case ReadMethod::kLseg: {
            const LSEG* segment = DatumGetLsegP(value);
            return doubles(room, {segment->p[0].x, segment->p[0].y, segment->p[1].x, segment->p[1].y});
        }
        case ReadMethod::kBox: {
            const BOX* box = DatumGetBoxP(value);
            return doubles(room, {box->high.x, box->high.y, box->low.x, box->low.y});
        }
        case ReadMethod::kCircle: {
            const CIRCLE* circle = DatumGetCircleP(value);
            return doubles(room, {circle->center.x, circle->center.y, circle->radius});
        }
        default:
            return std::nullopt;
    }
}

/// Values that lie in their Datum or fit into `room`; nothing for the others.
std::optional<core::ByteView> find_bytes(const ColumnReader& column, Datum value, std::uint8_t* room) {
    switch (column.method) {
        case ReadMethod::kBool:
            return fixed_value(room, static_cast<std::uint8_t>(DatumGetBool(value)));
        case ReadMethod::kInt16:
            return fixed_value(room, std::int64_t{DatumGetInt16(value)});
        case ReadMethod::kInt32:
            return fixed_value(room, std::int64_t{DatumGetInt32(value)});
        case ReadMethod::kInt64:
        case ReadMethod::kMicros:
            return fixed_value(room, std::int64_t{DatumGetInt64(value)});
        case ReadMethod::kOid:
            return fixed_value(room, std::int64_t{DatumGetObjectId(value)});
        case ReadMethod::kUint32:
            return fixed_value(room, std::uint64_t{DatumGetUInt32(value)});
        case ReadMethod::kUint64:
            return fixed_value(room, std::uint64_t{DatumGetUInt64(value)});
        case ReadMethod::kFloat4:
            return doubles(room, {DatumGetFloat4(value)});
        case ReadMethod::kFloat8:
            return doubles(room, {DatumGetFloat8(value)});
        case ReadMethod::kFloat8Rounded:
            return fixed_value(room, core::canonical_rounded_float(DatumGetFloat8(value)));
        case ReadMethod::kText:
            return server_text_to_utf8(varlena_bytes(value));
        case ReadMethod::kBpchar:
            return server_text_to_utf8(without_trailing_blanks(varlena_bytes(value)));
        case ReadMethod::kName:
            return server_text_to_utf8(core::as_bytes(NameStr(*DatumGetName(value))));
        case ReadMethod::kBytea:
        case ReadMethod::kJsonbRaw:
            return varlena_bytes(value);
        case ReadMethod::kUuid:
            return uuid_bytes(DatumGetUUIDP(value));
        case ReadMethod::kTextAsUuid:
            return parsed_uuid(value);
        case ReadMethod::kDate:
            return fixed_value(room, std::int32_t{DatumGetDateADT(value)});
        case ReadMethod::kDateAsTimestamp:
        case ReadMethod::kTimestampInZone:
        case ReadMethod::kTimestamptzInZone:
            return converted_time(column, value, room);
        case ReadMethod::kChar:
        case ReadMethod::kTimetz:
        case ReadMethod::kInterval:
        case ReadMethod::kInet:
        case ReadMethod::kMacaddr:
        case ReadMethod::kMacaddr8:
        case ReadMethod::kTid:
            return packed_bytes(column.method, value, room);
        case ReadMethod::kPoint:
        case ReadMethod::kLine:
        case ReadMethod::kLseg:
        case ReadMethod::kBox:
        case ReadMethod::kCircle:
            return geometric_bytes(column.method, value, room);
        default:
            return std::nullopt;
    }
}

void append_uuid_text(core::ByteSink& sink, Datum value) {
    core::render_value(core::Form::kUuid, uuid_bytes(DatumGetUUIDP(value)), write_double, sink);
}

/// Appends a value of a type that find_bytes() does not serve: all their forms vary in width.
void append_bytes(const ColumnReader& column, Datum value, core::ByteSink& sink) {
    switch (column.method) {
        case ReadMethod::kInt16AsDecimal:
            return core::append_decimal(sink, DatumGetInt16(value));
        case ReadMethod::kInt32AsDecimal:
            return core::append_decimal(sink, DatumGetInt32(value));
        case ReadMethod::kInt64AsDecimal:
            return core::append_decimal(sink, DatumGetInt64(value));
        case ReadMethod::kOidAsDecimal:
            return core::append_decimal(sink, DatumGetObjectId(value));
        case ReadMethod::kMoneyAsDecimal:
            return core::append_decimal(sink, DatumGetCash(value), column.nested->fraction_digits);
        case ReadMethod::kUuidAsText:
            return append_uuid_text(sink, value);
        case ReadMethod::kNumeric:
            return append_numeric(sink, varlena_bytes(value));
        case ReadMethod::kEnum:
            return append_enum_label(DatumGetObjectId(value), sink);
        case ReadMethod::kOutput:
            return sink.append(server_text_to_utf8(
                core::as_bytes(OutputFunctionCall(const_cast<FmgrInfo*>(&column.nested->output), value))));
        case ReadMethod::kObjectName:
            return append_object_name(column.nested->type, DatumGetObjectId(value), sink);
        case ReadMethod::kJsonText:
            return append_json_text(value, sink);
        case ReadMethod::kJsonb:
            return append_jsonb(DatumGetJsonbP(value), sink);
        case ReadMethod::kBits:
            return append_bits(sink, DatumGetVarBitP(value));
        case ReadMethod::kPath:
            return append_path(sink, DatumGetPathP(value));
        case ReadMethod::kPolygon: {
            const POLYGON* polygon = DatumGetPolygonP(value);
            return append_points(sink, polygon->p, polygon->npts);
        }
        case ReadMethod::kSnapshot:
            return append_snapshot(sink, value);
        case ReadMethod::kTsvector:
            return append_tsvector(DatumGetTSVector(value), sink);
        case ReadMethod::kTsquery:
            return append_tsquery(DatumGetTSQuery(value), sink);
        case ReadMethod::kHstore:
            return append_hstore(varlena_bytes(value), sink);
        case ReadMethod::kArray:
            return append_array(*column.nested, value, sink);
        case ReadMethod::kRange:
            return append_range(*column.nested, DatumGetRangeTypeP(value), sink);
        case ReadMethod::kMultirange:
            return append_multirange(*column.nested, value, sink);
        case ReadMethod::kRecord:
            return append_record(*column.nested, DatumGetHeapTupleHeader(value), sink);
        default:
            elog(ERROR, "unexpected reader %d", static_cast<int>(column.method));
    }
}

core::ByteView read_value(const ColumnReader& column, Datum value, Scratch& scratch) {
    if (std::optional<core::ByteView> bytes = find_bytes(column, value, scratch.fixed)) return *bytes;
    scratch.sink.clear();
    append_bytes(column, value, scratch.sink);
    return scratch.sink.view();
}

void frame_value(const ColumnReader& column, Datum value, core::ByteSink& sink) {
    std::uint8_t room[kFixedRoom];
    if (std::optional<core::ByteView> bytes = find_bytes(column, value, room)) {
        if (!core::append_frame(sink, column.form, *bytes)) raise_too_long(bytes->size());
        return;
    }
    // the length, which is known only afterwards, stands before the value
    sink.append_u8(core::kFrameValue);
    std::size_t start = begin_counted(sink);
    append_bytes(column, value, sink);
    end_counted(sink, start);
}

/// Whether an error is about the value that is read, and no other state of affairs.
bool is_about_value(int sqlstate) {
    int category = ERRCODE_TO_CATEGORY(sqlstate);
    return category == ERRCODE_DATA_EXCEPTION || category == ERRCODE_FEATURE_NOT_SUPPORTED ||
           category == ERRCODE_PROGRAM_LIMIT_EXCEEDED;
}

/// Raises what was just caught. Where the value is at fault its column is named: a row has many of them.
[[noreturn]] void raise_again(const ColumnReader& column, MemoryContext caller) {
    MemoryContextSwitchTo(caller);
    ErrorData* error = CopyErrorData();
    if (!is_about_value(error->sqlerrcode)) PG_RE_THROW();
    FlushErrorState();
    const ReaderGuard& guard = *column.guard;
    bool other_form = strcmp(column.asked, guard.default_form) != 0;
    ereport(
        ERROR,
        (errcode(error->sqlerrcode),
         errmsg("a value of %s cannot be digested as \"%s\": %s", guard.label, column.asked, error->message),
         error->detail ? errdetail_internal("%s", error->detail) : 0,
         other_form ? errhint("Form \"%s\" holds every value of its type: use that if the other side's type has it.",
                              guard.default_form)
                    : 0));
    pg_unreachable();
}

/// Calls `read` under a guard against values that have no canonical bytes.
template <typename Read>
void read_guarded(const ColumnReader& column, Read read) {
    MemoryContext caller = CurrentMemoryContext;
    PG_TRY();
    { read(); }
    PG_CATCH();
    { raise_again(column, caller); }
    PG_END_TRY();
}

}  // namespace

Scratch make_scratch(MemoryContext context) { return {{}, make_sink(context)}; }

core::ByteView canonical_bytes(const ColumnReader& column, Datum value, Scratch& scratch) {
    if (!column.guard) return read_value(column, value, scratch);
    core::ByteView bytes;
    read_guarded(column, [&] { bytes = read_value(column, value, scratch); });
    return bytes;
}

void append_framed(const ColumnReader& column, Datum value, bool null, core::ByteSink& sink) {
    if (null) return core::append_null_frame(sink);
    if (!column.guard) return frame_value(column, value, sink);
    read_guarded(column, [&] { frame_value(column, value, sink); });
}

}  // namespace parity::backend
