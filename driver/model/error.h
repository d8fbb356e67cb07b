#pragma once

#include <cstdint>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace parity::driver {

/// What went wrong, as far as the program's course depends on it.
enum class ErrorKind {
    kUsage,          ///< an option, pattern, name or file that the user gave is wrong; nothing was compared
    kConnection,     ///< a server cannot be reached, refuses us, or the connection broke
    kServer,         ///< a server answered with an error; sqlstate tells which
    kCancelled,      ///< a signal, or interrupt_run()
    kOtherServer,    ///< a connection leads to another server than the one that was named: the run cannot go on
    kChangedServer,  ///< the server is not in the state it was named in, such as after a restart: what was read is void
    kOutput,         ///< a file cannot be written
    kResources,      ///< memory, descriptors or threads are used up; what was found before stays true
    kInternal,       ///< an answer that contradicts itself; never to be read as "identical"
};

/// What made a server's failure, where its SQLSTATE alone does not tell.
enum class ErrorCause {
    kUnknown,
    kOwnTimeout,        ///< 57014: the statement had run for --statement-timeout
    kSharedMemory,      ///< 53100: what is full is the memory that parallel workers share
    kRecoveryConflict,  ///< 40001: replay on a standby had to go past the snapshot
    kNamedLocker,       ///< 40P01, 55P03: of others' locks, and the message names who has them
};

/// The base of the driver's exceptions. what() is one line in PostgreSQL's manner (lower case, no full stop).
class Error : public std::runtime_error {
  public:
    Error(ErrorKind kind, const std::string& message, std::string hint = {})
        : std::runtime_error(message), kind_(kind), hint_(std::move(hint)) {}

    /// The same with what a server said: `server` is "source" or "target", `sqlstate` is empty for a broken connection
    /// of which the server did not say why it ended it. `by_server_itself`: the error arose in the server's own
    /// code, not in the extension's or here.
    Error(ErrorKind kind, const std::string& message, std::string hint, std::string server, std::string sqlstate,
          bool by_server_itself = false)
        : std::runtime_error(message),
          kind_(kind),
          hint_(std::move(hint)),
          server_(std::move(server)),
          sqlstate_(std::move(sqlstate)),
          by_server_itself_(by_server_itself) {}

    /// The same failure with what made it.
    Error because(ErrorCause cause) const {
        Error error = *this;
        error.cause_ = cause;
        return error;
    }

    /// The same deadlock with the processes that are in it.
    Error between(std::vector<std::int32_t> processes) const {
        Error error = *this;
        error.processes_ = std::move(processes);
        return error;
    }

    ErrorKind kind() const { return kind_; }
    ErrorCause cause() const { return cause_; }
    const std::string& hint() const { return hint_; }
    const std::string& server() const { return server_; }
    const std::string& sqlstate() const { return sqlstate_; }
    bool by_server_itself() const { return by_server_itself_; }
    const std::vector<std::int32_t>& processes() const { return processes_; }

  private:
    ErrorKind kind_;
    std::string hint_;
    std::string server_;
    std::string sqlstate_;
    bool by_server_itself_ = false;
    ErrorCause cause_ = ErrorCause::kUnknown;
    std::vector<std::int32_t> processes_;
};

/// Any exception as one of ours.
inline Error as_error(const std::exception& error) {
    if (const auto* ours = dynamic_cast<const Error*>(&error)) return *ours;
    if (dynamic_cast<const std::bad_alloc*>(&error)) return {ErrorKind::kResources, "out of memory"};
    return {ErrorKind::kInternal, error.what()};
}

/// For an answer that contradicts itself, or another one.
/// Throws: Error{kInternal}.
[[noreturn]] inline void throw_contradiction(const std::string& message) { throw Error(ErrorKind::kInternal, message); }

}  // namespace parity::driver
