#include "backend/settings.h"

#include "backend/pg.h"
#include "backend/pg_compat.h"

namespace parity::backend {

int max_digest_memory_kb = 64 * 1024;
bool report_progress = false;
int history_days = 90;

void define_settings() {
    DefineCustomIntVariable("parity.max_digest_memory", "Memory that all processes of one call may use for digests.",
                            nullptr, &max_digest_memory_kb, 64 * 1024, 64, MAX_KILOBYTES, PGC_USERSET, GUC_UNIT_KB,
                            nullptr, nullptr, nullptr);
    DefineCustomBoolVariable("parity.report_progress", "Sends progress notices to the client while a relation is read.",
                             nullptr, &report_progress, false, PGC_USERSET, 0, nullptr, nullptr, nullptr);
    DefineCustomIntVariable("parity.history_days", "How many days records of runs are kept; 0 keeps them for ever.",
                            nullptr, &history_days, 90, 0, 36500, PGC_SUSET, 0, nullptr, nullptr, nullptr);
    MarkGUCPrefixReserved("parity");
}

}  // namespace parity::backend
