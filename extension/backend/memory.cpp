#include "backend/memory.h"

#include <sys/mman.h>

#include <algorithm>

#include "backend/pg_compat.h"

namespace parity::backend {
namespace {

constexpr std::size_t kFirstCapacity = 256;

constexpr std::size_t kPage = 4096;
constexpr std::size_t kHugePage = std::size_t{2} << 20;
/// From here on a huge page is taken for what is smaller than one.
constexpr std::size_t kWorthHugePage = kHugePage / 2;

/// The sink's owner: the chunk it lies in knows its context, so that growing needs nothing but the pointer.
bool grow(core::ByteSink& sink, std::size_t needed) noexcept {
    std::size_t capacity = std::max(needed, sink.capacity * 2);
    sink.data = static_cast<std::uint8_t*>(repalloc_huge(sink.data, capacity));
    sink.capacity = capacity;
    return true;
}

text* make_hex(core::ByteView bytes) {
    text* result = static_cast<text*>(palloc(VARHDRSZ + 2 + 2 * bytes.size()));
    char* to = VARDATA(result);
    memcpy(to, "\\x", 2);
    hex_encode(reinterpret_cast<const char*>(bytes.data()), bytes.size(), to + 2);
    SET_VARSIZE(result, VARHDRSZ + 2 + 2 * bytes.size());
    return result;
}

/// Where that fails small pages do as well.
void ask_for_huge_pages([[maybe_unused]] void* first, [[maybe_unused]] std::size_t bytes) {
#ifdef MADV_HUGEPAGE
    madvise(first, bytes, MADV_HUGEPAGE);
#endif
}

}  // namespace

core::ByteSink make_sink(MemoryContext context) {
    core::ByteSink sink;
    sink.data = static_cast<std::uint8_t*>(MemoryContextAlloc(context, kFirstCapacity));
    sink.capacity = kFirstCapacity;
    sink.grow = grow;
    return sink;
}

void* allocate_large(MemoryContext context, std::size_t bytes) {
    if (bytes < kWorthHugePage) return allocate_array<std::uint8_t>(context, bytes);
    const std::size_t in_huge_pages = TYPEALIGN_DOWN(kHugePage, bytes + kHugePage - kWorthHugePage);
    const std::size_t room = std::max(bytes, in_huge_pages);
    void* chunk = MemoryContextAllocExtended(context, room + kHugePage, MCXT_ALLOC_HUGE);
    auto* aligned = reinterpret_cast<void*>(TYPEALIGN(kHugePage, chunk));
    ask_for_huge_pages(aligned, in_huge_pages);
    return memset(aligned, 0, bytes);
}

/// "always [madvise] never": the chosen one is in brackets.
bool has_huge_pages() {
    static int known = -1;
    if (known >= 0) return known;
    known = 0;
    if (FILE* file = AllocateFile("/sys/kernel/mm/transparent_hugepage/enabled", "r")) {
        char text[64];
        known = fgets(text, sizeof text, file) && !strstr(text, "[never]");
        FreeFile(file);
    }
    return known;
}

/// The context's first block is allocated with it, and untouched. It begins a few bytes behind the start of a mapping,
/// which is a huge page's where the system aligns large mappings (Linux from 6.7 on, later only whole huge pages).
MemoryContext make_large_context(MemoryContext parent, std::size_t bytes) {
    const std::size_t room = TYPEALIGN(kHugePage, bytes) + kHugePage;
    MemoryContext context = AllocSetContextCreate(parent, "parity rows", 0, room - kPage, room - kPage);
    auto* page = reinterpret_cast<char*>(TYPEALIGN_DOWN(kPage, context));
    ask_for_huge_pages(page, room - kPage);
    return context;
}

ArrayType* make_array(Oid type, std::size_t count, std::size_t element_bytes) {
    if (count == 0) return construct_empty_array(type);
    std::size_t bytes = ARR_OVERHEAD_NONULLS(1) + count * element_bytes;
    auto* array = static_cast<ArrayType*>(palloc0(bytes));
    SET_VARSIZE(array, bytes);
    array->ndim = 1;
    array->elemtype = type;
    *ARR_DIMS(array) = static_cast<int>(count);
    *ARR_LBOUND(array) = 1;
    return array;
}

bytea* make_bytea(core::ByteView bytes) {
    bytea* result = static_cast<bytea*>(palloc(VARHDRSZ + bytes.size()));
    SET_VARSIZE(result, VARHDRSZ + bytes.size());
    if (!bytes.empty()) memcpy(VARDATA(result), bytes.data(), bytes.size());
    return result;
}

text* make_text(core::ByteView utf8) {
    const char* start = reinterpret_cast<const char*>(utf8.data());
    int length = static_cast<int>(utf8.size());
    int encoding = GetDatabaseEncoding();
    if (!pg_verify_mbstr(encoding == PG_SQL_ASCII ? PG_SQL_ASCII : PG_UTF8, start, length, true)) return make_hex(utf8);
    if (utf8.empty() || encoding == PG_UTF8 || encoding == PG_SQL_ASCII) return cstring_to_text_with_len(start, length);
    char* converted = convert_from_utf8(start, length, encoding);
    return converted ? cstring_to_text(converted) : make_hex(utf8);
}

}  // namespace parity::backend
