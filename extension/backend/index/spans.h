#pragma once

#include "backend/pg.h"

#include "backend/scan/scan.h"
#include "backend/task/task.h"

/// Reading a part of a relation, a span of its keys, in as little time as its share of the relation. The index of the
/// key tells which blocks have rows of the span. Those are read whole, and every visible row on them that belongs to
/// the span is taken, so a row is only missed if the index lists no row of the span on its block.
///
/// An index may lack rows. Each visible row of the span on these blocks must be listed by the index, and each row of
/// another span too, on a block that was not read for a span before. What then remains, the blocks that no span has
/// read, check_other_blocks() (other_blocks.h) looks at.
///
/// What passes of one transaction know of each other is in span_reading.h.
namespace parity::backend {

/// Checks that the kept ranges of a task can be read so.
/// Errors: 0A000 with the reason where they cannot.
void require_readable_by_blocks(const DigestTask& task);

/// Digests the kept ranges so. As digest_by_scan() else.
/// Requires: is_reading_by_blocks().
/// Errors: PP004 where the index lacks rows; PP005 where it is not the one through which other spans were read; 54000
/// where the blocks are too scattered to be told, and where too many rows share a value of the key's first column.
ScanEffort digest_by_blocks(const DigestTask& task, int workers, const DigestMatrix& matrix);

/// Reads the rows of kept ranges so. As read_hashes_by_scan() else.
/// Requires: is_reading_by_blocks().
ScanEffort read_hashes_by_blocks(const DigestTask& task, int workers, const HashedRowConsumer& consumer);

}  // namespace parity::backend
