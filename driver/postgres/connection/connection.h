#pragma once

#include <charconv>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "driver/model/error.h"
#include "driver/postgres/queries/query.h"
#include "driver/waiting/shared_failure.h"

struct pg_conn;
struct pg_result;

namespace parity::driver {

/// A text of the server's that is a number, and 0 where it is none.
template <typename Number>
Number to_number(std::string_view text) {
    Number number{};
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

/// A whole, small result in text format.
class Result {
  public:
    explicit Result(std::shared_ptr<pg_result> result);
    int rows() const;
    int columns() const;
    bool is_null(int row, int column) const;
    /// The value as text. The view lives as long as the Result.
    /// Returns: the empty string for NULL.
    std::string_view text(int row, int column) const;
    std::optional<std::string> optional_text(int row, int column) const;
    /// The value as a number.
    /// Returns: 0 for NULL and for what is no number.
    template <typename Number>
    Number number(int row, int column) const {
        return to_number<Number>(text(row, column));
    }
    /// Whether the value is the boolean true.
    bool is_true(int row, int column) const { return text(row, column) == "t"; }

  private:
    std::shared_ptr<pg_result> result_;
};

/// One row of a RowStream, binary format. Views live until the next call of RowStream::next().
class Row {
  public:
    explicit Row(const pg_result* result) : result_(result) {}
    bool is_null(int column) const;
    std::string_view bytes(int column) const;
    std::int32_t int32(int column) const;
    std::int64_t int64(int column) const;

  private:
    const pg_result* result_;
};

/// Looks at a server that has sent nothing for so long; `has_input` tells whether something came meanwhile.
/// Returns: what ends the wait for it; nothing: it is waited for.
using SilenceExaminer =
    std::function<std::optional<Error>(std::chrono::milliseconds silent, const std::function<bool()>& has_input)>;

class Connection;

/// The rows of one query as they arrive; never holds more than one row.
/// Requires: it is read to its end, or cancelled by destroying the stream, before the connection takes another query or
/// is moved.
class RowStream {
  public:
    RowStream(RowStream&&) noexcept;
    ~RowStream();

    /// The next row.
    /// Returns: nothing at the end.
    /// Throws: Error as Connection does.
    std::optional<Row> next();

    /// When the first part of the answer had come, whether anybody had asked for it by then or not: a wait for the peer
    /// takes it too.
    /// Requires: next() has returned.
    std::chrono::steady_clock::time_point answered_at() const;

  private:
    friend class Connection;
    explicit RowStream(Connection& connection);
    Connection* connection_;
    bool finished_ = false;
    bool complete_ = false;  ///< the server said that these were all
    std::shared_ptr<pg_result> current_;
};

/// The messages of one COPY … TO STDOUT as they arrive; never holds more than one.
/// Requires: it is read to its end, or cancelled by destroying the stream, before the connection takes another query or
/// is moved.
class CopyStream {
  public:
    CopyStream(CopyStream&&) noexcept;
    ~CopyStream();

    /// The next message (of a binary COPY: a row, the first one with the header before it). The view lives until the
    /// next call.
    /// Returns: nothing at the end.
    /// Throws: Error as Connection does.
    std::optional<std::string_view> next();

    /// How many rows the server says it sent.
    /// Requires: next() has reached the end.
    std::uint64_t rows() const { return rows_; }

  private:
    friend class Connection;
    explicit CopyStream(Connection& connection) : connection_(&connection) {}
    void finish();
    Connection* connection_;
    char* message_ = nullptr;
    bool finished_ = false;
    std::uint64_t rows_ = 0;
};

/// One libpq connection, owned by one thread. Every wait polls the socket and the process's cancel flag
/// (waiting/interrupt.h), so that SIGINT ends any wait: the running query is cancelled on the server first, then
/// Error{kCancelled} is thrown. A server that does not answer to that within the times of ending.h is given up.
/// Messages name the server and never hold a password or the connection string.
/// Throws: Error{kConnection} when the server cannot be reached or the connection breaks (with the sqlstate that the
/// server gave for that; empty: it gave none); Error{kServer} with the sqlstate otherwise; Error{kCancelled} after a
/// signal.
class Connection {
  public:
    /// Connects to what messages call `server` ("source", "target") with libpq's rules (connection string, URI,
    /// service, PG*, .pgpass). `application_name` shows in pg_stat_activity. Also sets client_encoding to UTF8, or to
    /// SQL_ASCII where the server's is. `failure`: see set_failure(); it holds while connecting, too.
    static Connection open(std::string_view server, const std::string& conninfo, const std::string& application_name,
                           int connect_timeout_s, const SharedFailure* failure = nullptr);
    Connection(Connection&&) noexcept;
    Connection& operator=(Connection&&) noexcept;
    ~Connection();

    /// The server's version as a number (150018).
    int server_version() const;

    /// Where it is, as libpq has it: the name, the address, or the directory of the socket; and the port.
    std::string host() const;
    std::string port() const;

    /// Runs one statement; without parameters also several statements separated by semicolons.
    /// Returns: the whole result, of several statements that of the last one.
    Result query(const std::string& sql, const std::vector<Parameter>& parameters = {});

    /// Runs a statement that takes a server no time and whose result does not matter, such as ROLLBACK. A server that
    /// does not answer within kBriefTime is given up.
    void query_briefly(const std::string& sql);

    /// Sends one statement and returns at once; its rows are read from the stream. Both sides' queries run at the
    /// same time this way. While one connection waits, for rows or for anything else, the rows of its `peer` are
    /// watched too, so that its progress notices arrive and its failure ends the wait.
    RowStream stream(const std::string& sql, const std::vector<Parameter>& parameters = {});
    void set_peer(Connection* peer);

    /// Takes the place of one that broke: `fresh` gets its handlers, its peer and its limits.
    void replace(Connection fresh);

    /// Sends COPY … TO STDOUT and returns once the server begins to send.
    CopyStream copy_out(const std::string& sql);

    /// From now on a failure that others raise ends every wait on this connection: what runs is cancelled on the
    /// server, and the failure is thrown. None: nullptr.
    void set_failure(const SharedFailure* failure);

    /// From now on no signal ends what this connection waits for; instead each statement has `limit` to be answered,
    /// and then the connection is given up.
    void set_answer_time(std::chrono::seconds limit);

    /// From now on, where the server has sent nothing for `limit` while it is waited for, `examine` is called with how
    /// long. What it returns ends the wait, and the connection is given up; nothing: the wait goes on. The server is
    /// waited for while this connection waits, or as the peer of one that does. A limit of 0: there is none.
    void set_silence_limit(std::chrono::milliseconds limit, SilenceExaminer examine);

    /// Tells how long we have the server let a statement run. Errors about a statement that was cancelled then say
    /// whether it was that (ErrorCause::kOwnTimeout). 0: for ever.
    void set_statement_limit(std::chrono::milliseconds limit);

    /// Waits until `fd` is readable. Ends as any other wait does, and with the connection.
    /// Requires: no query is under way.
    void wait_for(int fd);

    /// Called with (done, total) pages whenever the extension reports progress (SQLSTATE PP001, GUC
    /// parity.report_progress), from within a wait on this connection.
    void set_progress_handler(std::function<void(std::uint64_t, std::uint64_t)> handler);
    /// Called with every other notice's severity and message.
    void set_notice_handler(std::function<void(std::string_view severity, std::string_view message)> handler);

    /// False once the connection broke.
    bool alive() const;

    /// Closes the connection but does not wait until the server has ended the session; that the destructor does. So
    /// several sessions can end at the same time.
    void close() noexcept;

  private:
    friend class RowStream;
    friend class CopyStream;
    struct State;
    explicit Connection(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

/// Connection::set_failure() as long as this lives, and none afterwards.
class WatchFailure {
  public:
    WatchFailure(Connection& connection, const SharedFailure* failure) : connection_(connection) {
        connection_.set_failure(failure);
    }
    ~WatchFailure() { connection_.set_failure(nullptr); }
    WatchFailure(const WatchFailure&) = delete;
    WatchFailure& operator=(const WatchFailure&) = delete;

  private:
    Connection& connection_;
};

}  // namespace parity::driver
