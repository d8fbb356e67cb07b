#pragma once

#include <chrono>
#include <string_view>

#include "driver/model/error.h"

namespace parity::driver {

/// Why a run ends before everything is compared.
enum class RunEnd {
    kNone,      ///< it does not
    kSignal,    ///< somebody asked for it
    kRunTime,   ///< --run-time is over
    kFailures,  ///< more failed than --fail-above allows
    kHopeless,  ///< it has no answer, or nobody to give it to
};

/// Makes SIGINT, SIGTERM and SIGHUP set the cancel flag and wake every poll; a second signal ends the process at once
/// with status 2. A SIGHUP that is ignored stays so.
/// Throws: Error{kResources} where there is no descriptor left.
void install_interrupt_handlers();

/// Ends every wait of the process as a signal would. The first reason counts. A signal that comes later does not end
/// the process at once; a second one does.
void interrupt_run(RunEnd why);

/// Why the run was ended.
RunEnd run_end();

/// As reports name it: "signal", "run-time", "fail-above"; empty for the others. And the reverse.
std::string_view run_end_name(RunEnd end);
RunEnd run_end_named(std::string_view name);

/// What is told of it, and of what was not compared for it: "the run was interrupted", "the run time is over
/// (--run-time)", "too much has failed (--fail-above)".
std::string_view run_end_words(RunEnd end);
/// The same of this run.
std::string_view run_end_words();

/// What a wait that was ended throws.
/// Requires: interrupted().
Error interruption();

/// Whether a signal came in, or the run was ended.
bool interrupted();

/// Becomes readable when a signal comes in; to be polled beside a socket.
/// Requires: nobody reads from it.
int interrupt_fd();

/// Waits for that time.
/// Throws: Error{kCancelled} where a signal comes in before the time is over, or came before.
void pause_unless_interrupted(std::chrono::milliseconds time);

}  // namespace parity::driver
