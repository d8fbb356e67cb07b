#pragma once

#include "backend/pg.h"

#include <cstdint>

#include "backend/task/task.h"
#include "core/bytes.h"

/// The blocks of a relation that no span of it has read (spans.h).
namespace parity::backend {

/// What check_other_blocks() looked at.
struct OtherBlocks {
    std::int64_t blocks;
    std::int64_t rows;
};

/// Reads the blocks that are not in a set, and looks each visible row up in the index of the key. Rows that came after
/// the spans were read are in it.
/// Requires: require_by_blocks() has been called.
/// Errors: PP004 where the index lacks one; PP005 where it is not the one through which the spans were read.
OtherBlocks check_other_blocks(const DigestTask& task, core::ByteView read_before);

}  // namespace parity::backend
