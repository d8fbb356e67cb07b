#include "backend/scan/progress.h"

#include "backend/settings.h"

namespace parity::backend {
namespace {

constexpr int kIntervalMs = 500;

}  // namespace

void ProgressReporter::report(core::u64 done, core::u64 total) {
    if (!report_progress) return;
    TimestampTz now = GetCurrentTimestamp();
    if (now < next_) return;
    bool first = next_ == 0;
    next_ = TimestampTzPlusMilliseconds(now, kIntervalMs);
    if (first) return;
    ereport(INFO, (errcode(MAKE_SQLSTATE('P', 'P', '0', '0', '1')), errmsg_internal("progress"),
                   errdetail_internal("pages %llu of %llu", static_cast<unsigned long long>(done),
                                      static_cast<unsigned long long>(total))));
}

}  // namespace parity::backend
