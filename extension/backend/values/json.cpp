#include "backend/values/json.h"

#include <algorithm>

#include "backend/values/numeric.h"
#include "backend/values/text.h"
#include "core/json_form.h"

namespace parity::backend {
namespace {

struct Member {
    core::ByteView key;
    JsonbValue value;
};

void append_container(JsonbContainer* container, core::ByteSink& sink);

core::ByteView string_bytes(const JsonbValue& value) {
    const auto* start = reinterpret_cast<const std::uint8_t*>(value.val.string.val);
    return server_text_to_utf8({start, static_cast<std::size_t>(value.val.string.len)});
}

/// The number's decimal bytes stand behind their length, which is known only afterwards.
void append_number(Numeric number, core::ByteSink& sink) {
    sink.append_u8(core::kJsonNumber);
    std::size_t length_at = sink.size;
    core::append_le(sink, std::uint32_t{0});
    const struct varlena* stored = reinterpret_cast<const struct varlena*>(number);
    append_numeric(sink, {reinterpret_cast<const std::uint8_t*>(VARDATA_ANY(stored)), VARSIZE_ANY_EXHDR(stored)});
    core::store_le(sink.data + length_at, static_cast<std::uint32_t>(sink.size - length_at - sizeof(std::uint32_t)));
}

void append_value(const JsonbValue& value, core::ByteSink& sink) {
    switch (value.type) {
        case jbvNull:
            return core::append_json_null(sink);
        case jbvBool:
            return core::append_json_bool(sink, value.val.boolean);
        case jbvNumeric:
            return append_number(value.val.numeric, sink);
        case jbvString:
            return core::append_json_string(sink, string_bytes(value));
        case jbvBinary:
            return append_container(value.val.binary.data, sink);
        default:
            elog(ERROR, "unexpected jsonb value type %d", static_cast<int>(value.type));
    }
}

void append_array(JsonbIterator* iterator, const JsonbValue& start, core::ByteSink& sink) {
    JsonbValue value;
    if (!start.val.array.rawScalar) core::begin_json_array(sink, static_cast<std::uint32_t>(start.val.array.nElems));
    while (JsonbIteratorNext(&iterator, &value, true) == WJB_ELEM) {
        CHECK_FOR_INTERRUPTS();
        append_value(value, sink);
    }
}

/// jsonb keeps keys by length in the server's encoding; the form wants them by their UTF-8 bytes.
void append_object(JsonbIterator* iterator, const JsonbValue& start, core::ByteSink& sink) {
    int count = start.val.object.nPairs;
    core::begin_json_object(sink, static_cast<std::uint32_t>(count));
    Member* members =
        static_cast<Member*>(palloc_extended(sizeof(Member) * static_cast<std::size_t>(count + 1), MCXT_ALLOC_HUGE));
    JsonbValue key;
    for (int i = 0; JsonbIteratorNext(&iterator, &key, true) == WJB_KEY; ++i) {
        members[i].key = string_bytes(key);
        (void)JsonbIteratorNext(&iterator, &members[i].value, true);
    }
    std::sort(members, members + count, [](const Member& a, const Member& b) {
        return std::lexicographical_compare(a.key.begin(), a.key.end(), b.key.begin(), b.key.end());
    });
    for (int i = 0; i < count; ++i) {
        CHECK_FOR_INTERRUPTS();
        core::append_json_key(sink, members[i].key);
        append_value(members[i].value, sink);
    }
    pfree(members);
}

void append_container(JsonbContainer* container, core::ByteSink& sink) {
    check_stack_depth();
    CHECK_FOR_INTERRUPTS();
    JsonbIterator* iterator = JsonbIteratorInit(container);
    JsonbValue start;
    if (JsonbIteratorNext(&iterator, &start, true) == WJB_BEGIN_ARRAY)
        append_array(iterator, start, sink);
    else
        append_object(iterator, start, sink);
}

}  // namespace

void append_jsonb(Jsonb* document, core::ByteSink& sink) { append_container(&document->root, sink); }

void append_json_text(Datum json, core::ByteSink& sink) {
    char* characters = TextDatumGetCString(json);
    append_jsonb(DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(characters))), sink);
}

}  // namespace parity::backend
