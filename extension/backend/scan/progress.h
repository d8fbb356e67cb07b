#pragma once

#include "backend/pg.h"

#include "core/hash.h"

namespace parity::backend {

/// Tells the client how far a scan is, where parity.report_progress is on: an INFO message with SQLSTATE PP001 and the
/// detail "pages <done> of <total>", at most twice a second. Other clients see nothing, nor does the log.
class ProgressReporter {
  public:
    void report(core::u64 done, core::u64 total);

  private:
    TimestampTz next_ = 0;
};

}  // namespace parity::backend
