#include "backend/pg.h"

#include "backend/memory.h"
#include "core/digest.h"

/// The SQL type `digest`: input, output and arithmetic.

extern "C" {
PG_FUNCTION_INFO_V1(parity_digest_in);
PG_FUNCTION_INFO_V1(parity_digest_out);
PG_FUNCTION_INFO_V1(parity_digest_recv);
PG_FUNCTION_INFO_V1(parity_digest_send);
PG_FUNCTION_INFO_V1(parity_digest_add);
PG_FUNCTION_INFO_V1(parity_digest_subtract);
PG_FUNCTION_INFO_V1(parity_digest_eq);
PG_FUNCTION_INFO_V1(parity_digest_ne);
PG_FUNCTION_INFO_V1(parity_digest_count);
}

using namespace parity::core;

namespace {

const Digest& digest_argument(FunctionCallInfo fcinfo, int number) {
    return *reinterpret_cast<const Digest*>(PG_GETARG_POINTER(number));
}

Datum digest_result(const Digest& digest) {
    auto* copy = static_cast<Digest*>(palloc(sizeof(Digest)));
    *copy = digest;
    return PointerGetDatum(copy);
}

void require(DigestStatus status, const char* action) {
    if (status == DigestStatus::kOk) return;
    bool out_of_range = status == DigestStatus::kCountBelowZero || status == DigestStatus::kCountTooLarge;
    ereport(ERROR, (errcode(out_of_range ? ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE : ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("cannot %s these digests: %s", action, describe(status).data())));
}

bool are_equal(FunctionCallInfo fcinfo) {
    require(check_compatible(digest_argument(fcinfo, 0), digest_argument(fcinfo, 1)), "compare");
    return same_content(digest_argument(fcinfo, 0), digest_argument(fcinfo, 1));
}

}  // namespace

Datum parity_digest_in(PG_FUNCTION_ARGS) {
    const char* given = PG_GETARG_CSTRING(0);
    std::optional<Digest> digest = parse_digest_text(given);
    if (!digest)
        ereport(ERROR, (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
                        errmsg("invalid input syntax for type %s: \"%s\"", "parity.digest", given)));
    return digest_result(*digest);
}

Datum parity_digest_out(PG_FUNCTION_ARGS) {
    auto* shown = static_cast<char*>(palloc(kMaxDigestText + 1));
    shown[write_digest_text(digest_argument(fcinfo, 0), std::span<char, kMaxDigestText>(shown, kMaxDigestText))] = '\0';
    PG_RETURN_CSTRING(shown);
}

Datum parity_digest_recv(PG_FUNCTION_ARGS) {
    auto* message = reinterpret_cast<StringInfo>(PG_GETARG_POINTER(0));
    std::size_t length = static_cast<std::size_t>(message->len - message->cursor);
    const auto* start = reinterpret_cast<const std::uint8_t*>(message->data + message->cursor);
    std::optional<Digest> digest = parse_digest_wire({start, length});
    if (!digest) ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION), errmsg("invalid binary digest")));
    message->cursor = message->len;
    return digest_result(*digest);
}

Datum parity_digest_send(PG_FUNCTION_ARGS) {
    std::uint8_t wire[kDigestBytes];
    write_digest_wire(digest_argument(fcinfo, 0), wire);
    PG_RETURN_BYTEA_P(parity::backend::make_bytea(wire));
}

Datum parity_digest_add(PG_FUNCTION_ARGS) {
    Digest sum = digest_argument(fcinfo, 0);
    require(add(sum, digest_argument(fcinfo, 1)), "add");
    return digest_result(sum);
}

Datum parity_digest_subtract(PG_FUNCTION_ARGS) {
    Digest difference = digest_argument(fcinfo, 0);
    require(subtract(difference, digest_argument(fcinfo, 1)), "subtract");
    return digest_result(difference);
}

Datum parity_digest_eq(PG_FUNCTION_ARGS) { PG_RETURN_BOOL(are_equal(fcinfo)); }

Datum parity_digest_ne(PG_FUNCTION_ARGS) { PG_RETURN_BOOL(!are_equal(fcinfo)); }

Datum parity_digest_count(PG_FUNCTION_ARGS) {
    u64 count = digest_argument(fcinfo, 0).count;
    if (count > PG_INT64_MAX)
        ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE), errmsg("bigint out of range")));
    PG_RETURN_INT64(static_cast<int64>(count));
}
