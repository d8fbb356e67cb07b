#pragma once

#include "backend/pg.h"

#include "core/bytes.h"

namespace parity::backend {

/// A core byte sink whose memory lives in `context` and grows as far as memory allows.
/// Errors: the server's where there is no more memory.
core::ByteSink make_sink(MemoryContext context);

/// `count` zeroed objects in `context`; over 1 GB is allowed.
/// Requires: nobody gives them to pfree() where the type needs more alignment than the server's memory has.
template <typename T>
T* allocate_array(MemoryContext context, std::size_t count) {
    constexpr std::size_t kSlack = alignof(T) > MAXIMUM_ALIGNOF ? alignof(T) - 1 : 0;
    void* room = MemoryContextAllocExtended(context, count * sizeof(T) + kSlack, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
    return reinterpret_cast<T*>(TYPEALIGN(alignof(T), room));
}

/// `bytes` zeroed bytes in `context`, over 1 GB too, in huge pages where they are many and the system has such pages:
/// in virtual machines the first touch of each small page may take longer than all that is done with it. Up to 1 MB
/// more than that is touched.
/// Requires: nobody gives them to pfree().
void* allocate_large(MemoryContext context, std::size_t bytes);

/// Zeroed memory in one piece, as allocate_large() gives it, that is handed out from its start on.
class LargeBuffer {
  public:
    LargeBuffer(MemoryContext context, std::size_t bytes)
        : next_(static_cast<char*>(allocate_large(context, bytes))), end_(next_ + bytes) {}

    /// What so many objects take of a buffer.
    template <typename T>
    static constexpr std::size_t bytes_of(std::size_t count) {
        return MAXALIGN(count * sizeof(T));
    }
    template <typename T>
    T* take(std::size_t count) {
        static_assert(alignof(T) <= MAXIMUM_ALIGNOF);
        if (bytes_of<T>(count) > static_cast<std::size_t>(end_ - next_)) elog(ERROR, "too little room was made");
        char* taken = next_;
        next_ += bytes_of<T>(count);
        return reinterpret_cast<T*>(taken);
    }

  private:
    char* next_;
    char* end_;
};
static_assert(std::is_trivially_destructible_v<LargeBuffer>);

/// Whether the system gives huge pages to who asks for them.
bool has_huge_pages();

/// A context for about so many bytes in small pieces, in such pages.
MemoryContext make_large_context(MemoryContext parent, std::size_t bytes);

/// An SQL array of one dimension in the current context, for `count` elements of a fixed size that are to be written to
/// ARR_DATA_PTR, with nothing between them.
ArrayType* make_array(Oid type, std::size_t count, std::size_t element_bytes);

/// A bytea with these bytes in the current context.
bytea* make_bytea(core::ByteView bytes);

/// A text with these characters in the current context. What the database's encoding cannot hold, or is no UTF-8, is
/// shown in hexadecimal: it is for people, and may come from another server.
text* make_text(core::ByteView utf8);

}  // namespace parity::backend
