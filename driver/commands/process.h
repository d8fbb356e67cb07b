#pragma once

#include <exception>

namespace parity::driver {

/// What has to be so before anything else is done, so that the process ends with a status of model/exit_codes.h
/// whatever becomes of it: descriptors 0 to 2 are open, so that no file or pipe of ours gets their numbers (where
/// standard output was closed, writing there is an error); SIGPIPE and SIGXFSZ are errors of write(); SIGINT, SIGTERM
/// and SIGHUP are watched (waiting/interrupt.h); some memory is kept for dealing with a lack of it; and what would
/// abort the process ends it with status 2.
/// Throws: Error{kResources} where the system has no more descriptors.
void prepare_process();

/// Prints "pgparity: error: …" and a hint on standard error, a shorter text where there is no memory for that one.
/// Returns: the exit status of a process that ends with this error.
int print_failure(const std::exception& error) noexcept;

}  // namespace parity::driver
