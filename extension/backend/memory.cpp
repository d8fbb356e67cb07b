#include "backend/memory.h"

#include <algorithm>

namespace parity::backend {
namespace {

constexpr std::size_t kFirstCapacity = 256;

/// The sink's owner: the chunk it lies in knows its context, so that growing needs nothing but the pointer.
bool grow(core::ByteSink& sink, std::size_t needed) noexcept {
    std::size_t capacity = std::max(needed, sink.capacity * 2);
    sink.data = static_cast<std::uint8_t*>(repalloc_huge(sink.data, capacity));
    sink.capacity = capacity;
    return true;
}

}  // namespace

core::ByteSink make_sink(MemoryContext context) {
    core::ByteSink sink;
    sink.data = static_cast<std::uint8_t*>(MemoryContextAlloc(context, kFirstCapacity));
    sink.capacity = kFirstCapacity;
    sink.grow = grow;
    return sink;
}

bytea* make_bytea(core::ByteView bytes) {
    bytea* result = static_cast<bytea*>(palloc(VARHDRSZ + bytes.size()));
    SET_VARSIZE(result, VARHDRSZ + bytes.size());
    if (!bytes.empty()) memcpy(VARDATA(result), bytes.data(), bytes.size());
    return result;
}

text* make_text(core::ByteView utf8) {
    const char* start = reinterpret_cast<const char*>(utf8.data());
    if (utf8.empty() || GetDatabaseEncoding() == PG_UTF8 || GetDatabaseEncoding() == PG_SQL_ASCII)
        return cstring_to_text_with_len(start, static_cast<int>(utf8.size()));
    char* converted = pg_any_to_server(start, static_cast<int>(utf8.size()), PG_UTF8);
    return converted == start ? cstring_to_text_with_len(start, static_cast<int>(utf8.size()))
                              : cstring_to_text(converted);
}

}  // namespace parity::backend
