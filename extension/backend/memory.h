#pragma once

#include "backend/pg.h"

#include "core/bytes.h"

namespace parity::backend {

/// A core byte sink whose memory lives in `context` and grows as far as memory allows; a failure is a server error.
core::ByteSink make_sink(MemoryContext context);

/// `count` zeroed objects in `context`; over 1 GB is allowed.
template <typename T>
T* allocate_array(MemoryContext context, std::size_t count) {
    return static_cast<T*>(MemoryContextAllocExtended(context, count * sizeof(T), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO));
}

/// A bytea with these bytes in the current context.
bytea* make_bytea(core::ByteView bytes);

/// A text with these bytes in the current context.
text* make_text(core::ByteView utf8);

}  // namespace parity::backend
