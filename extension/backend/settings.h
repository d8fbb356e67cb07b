#pragma once

/// The extension's settings (GUCs), defined when the module is loaded.
namespace parity::backend {

/// parity.max_digest_memory, in kB: what all processes of one call may use for digests. 64 MB by default.
extern int max_digest_memory_kb;

/// parity.report_progress: send progress notices (SQLSTATE PP001) to the client while a relation is scanned.
extern bool report_progress;

/// parity.history_days: when parity_internal.record_trim removes the records of a run, in days after its end; 0: never.
/// Only superusers set it, because whoever trims removes what others recorded.
extern int history_days;

void define_settings();

}  // namespace parity::backend
