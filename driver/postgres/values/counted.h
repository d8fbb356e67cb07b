#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "core/bytes.h"
#include "driver/model/error.h"
#include "driver/model/sqlstates.h"

/// Canonical bytes that stand behind their length, which is known only when they are written.
namespace parity::driver {

/// Checks that every append() so far found memory.
/// Requires: it is called before written bytes are looked at.
/// Throws: Error{kInternal} where an earlier append() found no memory.
inline void require_memory(const core::ByteSink& sink) {
    if (sink.failed) throw Error(ErrorKind::kInternal, "not enough memory for a value");
}

/// Checks a length.
/// Throws: Error{kServer} with 54000 where the length is more than a u32 tells.
inline void require_countable(std::size_t length) {
    if (length > std::numeric_limits<std::uint32_t>::max())
        throw Error(ErrorKind::kServer, "a value of " + std::to_string(length) + " bytes is too long to be digested",
                    {}, {}, std::string(kProgramLimitExceeded));
}

/// Keeps room for a u32 length before what is appended next; end_counted() fills it in.
/// Throws: nothing by itself; end_counted() throws as require_memory() and require_countable() do.
inline std::size_t begin_counted(core::ByteSink& sink) {
    core::append_le(sink, std::uint32_t{0});
    return sink.size;
}

inline void end_counted(core::ByteSink& sink, std::size_t start) {
    require_memory(sink);
    const std::size_t length = sink.size - start;
    require_countable(length);
    core::store_le(sink.data + start - sizeof(std::uint32_t), static_cast<std::uint32_t>(length));
}

/// Bytes that are there already, behind their length.
inline void append_counted(core::ByteSink& sink, std::string_view bytes) {
    require_countable(bytes.size());
    std::uint8_t* room = sink.extend(sizeof(std::uint32_t) + bytes.size());
    require_memory(sink);
    core::store_le(room, static_cast<std::uint32_t>(bytes.size()));
    bytes.copy(reinterpret_cast<char*>(room) + sizeof(std::uint32_t), bytes.size());
}

}  // namespace parity::driver
