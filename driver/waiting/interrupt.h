#pragma once

#include <chrono>

namespace parity::driver {

/// Makes SIGINT, SIGTERM and SIGHUP set the cancel flag and wake every poll; a second signal ends the process at once
/// with status 2. A SIGHUP that is ignored stays so.
/// Throws: Error{kResources} where there is no descriptor left.
void install_interrupt_handlers();

/// Ends every wait of the process as a signal would: for a run that cannot go on.
void interrupt_run();

/// Whether a signal came in, or the run was ended.
bool interrupted();

/// Becomes readable when a signal comes in; to be polled beside a socket.
/// Requires: nobody reads from it.
int interrupt_fd();

/// Waits for that time.
/// Throws: Error{kCancelled} where a signal comes in before the time is over, or came before.
void pause_unless_interrupted(std::chrono::milliseconds time);

}  // namespace parity::driver
