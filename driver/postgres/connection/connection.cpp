#include "driver/postgres/connection/connection.h"

#include <array>
#include <utility>

#include "driver/model/error.h"
#include "driver/postgres/connection/conninfo.h"
#include "driver/postgres/connection/exchange.h"
#include "driver/postgres/connection/stall.h"
#include "driver/postgres/queries/session.h"

namespace parity::driver {

namespace {

/// How long a server may take for a statement that does nothing.
constexpr std::chrono::seconds kFirstAnswerTime{30};

std::uint64_t read_big_endian(std::string_view bytes) {
    std::uint64_t value = 0;
    for (char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
    return value;
}

}  // namespace

// ---- results -------------------------------------------------------------------------------------------------

Result::Result(std::shared_ptr<pg_result> result) : result_(std::move(result)) {}
int Result::rows() const { return PQntuples(result_.get()); }
int Result::columns() const { return PQnfields(result_.get()); }
bool Result::is_null(int row, int column) const { return PQgetisnull(result_.get(), row, column) != 0; }

std::string_view Result::text(int row, int column) const {
    return {PQgetvalue(result_.get(), row, column), static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

std::optional<std::string> Result::optional_text(int row, int column) const {
    if (is_null(row, column)) return std::nullopt;
    return std::string(text(row, column));
}

bool Row::is_null(int column) const { return PQgetisnull(result_, 0, column) != 0; }

std::string_view Row::bytes(int column) const {
    return {PQgetvalue(result_, 0, column), static_cast<std::size_t>(PQgetlength(result_, 0, column))};
}

std::int32_t Row::int32(int column) const { return static_cast<std::int32_t>(read_big_endian(bytes(column))); }
std::int64_t Row::int64(int column) const { return static_cast<std::int64_t>(read_big_endian(bytes(column))); }

// ---- Connection ----------------------------------------------------------------------------------------------

Connection::Connection(std::unique_ptr<State> state) : state_(std::move(state)) {}
Connection::Connection(Connection&&) noexcept = default;
Connection& Connection::operator=(Connection&&) noexcept = default;
Connection::~Connection() = default;

Connection Connection::open(std::string_view server, const std::string& conninfo, const std::string& application_name,
                            int connect_timeout_s, const SharedFailure* failure) {
    check_conninfo(server, conninfo);
    // What stands before dbname is a default that the connection string may override; what stands after it is not.
    const std::array<const char*, 8> keywords = {
        "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout",
        "dbname",          "application_name",    "client_encoding",  nullptr};
    const std::array<const char*, 8> values = {"30",   "10",   "6", "90000", conninfo.c_str(), application_name.c_str(),
                                               "UTF8", nullptr};
    PGconn* conn = PQconnectStartParams(keywords.data(), values.data(), 1);
    if (!conn) throw std::bad_alloc();
    auto state = std::make_unique<State>(server, conn);
    state->failure = failure;
    PQsetNoticeReceiver(
        conn, [](void* self, const PGresult* notice) { static_cast<State*>(self)->handle_notice(notice); },
        state.get());
    state->connect(connect_timeout_s);
    PQsetnonblocking(conn, 1);
    Connection connection(std::move(state));
    // Such a server converts nothing, but refuses to send bytes that are not valid in the client's encoding.
    const char* encoding = PQparameterStatus(conn, "server_encoding");
    if (encoding && std::string_view(encoding) == "SQL_ASCII") {
        connection.set_silence_limit(kFirstAnswerTime, give_up_silent(server, {}));
        connection.query(raw_encoding_statement());
        connection.set_silence_limit(std::chrono::milliseconds(0), nullptr);
    }
    return connection;
}

int Connection::server_version() const { return PQserverVersion(state_->conn); }
std::string Connection::host() const { return PQhost(state_->conn); }
std::string Connection::port() const { return PQport(state_->conn); }
bool Connection::alive() const { return !state_->broken && PQstatus(state_->conn) == CONNECTION_OK; }

Result Connection::query(const std::string& sql, const std::vector<Parameter>& parameters) {
    state_->send(sql, parameters, false);
    ResultPtr last;
    while (ResultPtr result = state_->take_result()) {
        if (PQresultStatus(result.get()) == PGRES_FATAL_ERROR) {
            state_->drain();
            state_->fail(result);
        }
        last = std::move(result);
    }
    if (!last) state_->fail_broken();
    return Result(last);
}

void Connection::query_briefly(const std::string& sql) {
    state_->send(sql, {}, false);
    state_->drain(Clock::now() + kBriefTime);
}

RowStream Connection::stream(const std::string& sql, const std::vector<Parameter>& parameters) {
    state_->send(sql, parameters, true);
    state_->streaming = true;
    state_->answered_at.reset();
    return RowStream(*this);
}

CopyStream Connection::copy_out(const std::string& sql) {
    state_->send(sql, {}, false);
    const ResultPtr result = state_->take_result();
    if (!result) state_->fail_broken();
    if (PQresultStatus(result.get()) == PGRES_FATAL_ERROR) {
        state_->drain();
        state_->fail(result);
    }
    if (PQresultStatus(result.get()) != PGRES_COPY_OUT) throw Error(ErrorKind::kInternal, "a COPY sent no data");
    return CopyStream(*this);
}

void Connection::set_peer(Connection* peer) {
    if (state_->peer) state_->peer->watched_by = nullptr;
    state_->peer = peer ? peer->state_.get() : nullptr;
    if (peer) peer->state_->watched_by = state_.get();
}

void Connection::replace(Connection fresh) {
    State &old = *state_, &made = *fresh.state_;
    made.on_progress = std::move(old.on_progress);
    made.on_notice = std::move(old.on_notice);
    made.failure = old.failure;
    made.answer_time = old.answer_time;
    made.peer = std::exchange(old.peer, nullptr);
    made.watched_by = std::exchange(old.watched_by, nullptr);
    if (made.peer) made.peer->watched_by = &made;
    if (made.watched_by) made.watched_by->peer = &made;
    state_ = std::move(fresh.state_);
}

void Connection::close() noexcept { state_->close(); }
void Connection::set_failure(const SharedFailure* failure) { state_->failure = failure; }
void Connection::wait_for(int fd) { state_->wait_for(fd); }
void Connection::set_silence_limit(std::chrono::milliseconds limit, SilenceExaminer examine) {
    state_->silence_limit = limit;
    state_->examine = std::move(examine);
    state_->heard_at = Clock::now();
}
void Connection::set_statement_limit(std::chrono::milliseconds limit) { state_->statement_limit = limit; }
void Connection::set_answer_time(std::chrono::seconds limit) { state_->answer_time = limit; }

void Connection::set_progress_handler(std::function<void(std::uint64_t, std::uint64_t)> handler) {
    state_->on_progress = std::move(handler);
}

void Connection::set_notice_handler(std::function<void(std::string_view, std::string_view)> handler) {
    state_->on_notice = std::move(handler);
}

// ---- RowStream -----------------------------------------------------------------------------------------------

RowStream::RowStream(Connection& connection) : connection_(&connection) {}

RowStream::RowStream(RowStream&& other) noexcept
    : connection_(std::exchange(other.connection_, nullptr)),
      finished_(other.finished_),
      complete_(other.complete_),
      current_(std::move(other.current_)) {}

RowStream::~RowStream() {
    if (connection_ && !finished_) connection_->state_->cancel_and_drain();
}

Clock::time_point RowStream::answered_at() const { return connection_->state_->answered_at.value_or(Clock::now()); }

std::optional<Row> RowStream::next() {
    current_.reset();
    if (finished_) return std::nullopt;
    Connection::State& state = *connection_->state_;
    state.require_alive();
    while (ResultPtr result = state.take_result()) {
        switch (PQresultStatus(result.get())) {
            case PGRES_SINGLE_TUPLE:
                current_ = std::move(result);
                return Row(current_.get());
            case PGRES_FATAL_ERROR:
                finished_ = true;
                state.drain();
                state.fail(result);
            case PGRES_TUPLES_OK:
                complete_ = true;
                break;
            default:
                break;
        }
    }
    finished_ = true;
    state.streaming = false;
    if (!complete_) state.fail_broken();  // libpq had no memory for what came
    return std::nullopt;
}

// ---- CopyStream ----------------------------------------------------------------------------------------------

CopyStream::CopyStream(CopyStream&& other) noexcept
    : connection_(std::exchange(other.connection_, nullptr)),
      message_(std::exchange(other.message_, nullptr)),
      finished_(other.finished_),
      rows_(other.rows_) {}

CopyStream::~CopyStream() {
    PQfreemem(message_);
    if (connection_ && !finished_) connection_->state_->cancel_and_drain();
}

std::optional<std::string_view> CopyStream::next() {
    PQfreemem(std::exchange(message_, nullptr));
    if (finished_) return std::nullopt;
    Connection::State& state = *connection_->state_;
    state.require_alive();
    int length = PQgetCopyData(state.conn, &message_, 1);
    if (length == 0) state.heard_at = Clock::now();  // only now it is waited for
    for (; length == 0; length = PQgetCopyData(state.conn, &message_, 1)) {
        state.wait(POLLIN);
        state.consume();
    }
    if (length > 0) return std::string_view(message_, static_cast<std::size_t>(length));
    if (length < -1) state.fail_broken();  // libpq had no memory for it, and gives it again and again
    finish();
    return std::nullopt;
}

/// The server's last word: how many rows it sent, or why it stopped.
void CopyStream::finish() {
    finished_ = true;
    Connection::State& state = *connection_->state_;
    bool complete = false;
    while (ResultPtr result = state.take_result()) {
        if (PQresultStatus(result.get()) == PGRES_FATAL_ERROR) {
            state.drain();
            state.fail(result);
        }
        complete = PQresultStatus(result.get()) == PGRES_COMMAND_OK;
        std::string_view rows = PQcmdTuples(result.get());
        rows_ = take_number(rows).value_or(0);
    }
    if (!complete) state.fail_broken();
}

}  // namespace parity::driver
