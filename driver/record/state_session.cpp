#include "driver/record/state_session.h"

#include <vector>

#include <fmt/format.h>

#include "driver/model/error.h"
#include "driver/model/sqlstates.h"
#include "driver/postgres/connection/stall.h"
#include "driver/postgres/queries/record.h"
#include "driver/postgres/queries/session.h"
#include "driver/waiting/interrupt.h"

namespace parity::driver {
namespace {

/// How long the server has for one statement, and a little more before its connection is given up.
constexpr int kStateSeconds = 30;
constexpr std::chrono::seconds kStateAnswerTime{kStateSeconds + 5};

/// How long a session that ends may take for it, such as one whose process was killed.
constexpr std::chrono::milliseconds kLeavingTime{3000};
constexpr std::chrono::milliseconds kLeavingStep{100};

[[noreturn]] void refuse_tables(const std::string& why, const std::string& hint) {
    throw Error(ErrorKind::kUsage, fmt::format("schema \"{}\" of the {} {}", kStateSchema, kStateServer, why), hint);
}

[[noreturn]] void refuse_foreign_tables() {
    refuse_tables("holds other tables than those that pgparity makes", "keep the run in another database");
}

}  // namespace

void refuse_state_run(const std::string& run, const std::string& why, const std::string& hint) {
    throw Error(ErrorKind::kUsage, fmt::format("run \"{}\" of the {} {}", run, kStateServer, why), hint);
}

StateSession StateSession::open(const StatePlace& place, bool makes) {
    StateSession session(Connection::open(kStateServer, place.conninfo, "pgparity: state", place.connect_timeout_s));
    session.connection_.set_silence_limit(kStateAnswerTime, give_up_silent(kStateServer, {}));
    session.pin();
    session.in_transaction([&] {
        if (!session.has_tables()) {
            if (!makes)
                throw Error(ErrorKind::kUsage, fmt::format("the {} holds no run", kStateServer),
                            "pgparity compare --state begins one");
            session.make_tables();
        }
        session.require_version();
    });
    return session;
}

void StateSession::pin() {
    run(pin_session_statements());
    in_transaction([&] {
        const Result settings = ask(optional_settings_query());
        std::vector<std::string> available;
        for (int row = 0; row < settings.rows(); ++row) available.emplace_back(settings.text(row, 0));
        run(record_session_statements(available, kStateSeconds));
        run(state_session_statements());
    });
}

/// Who owns the schema or a table could have code run by whoever uses it.
bool StateSession::has_tables() {
    const Result objects = ask(state_objects_query());
    int tables = 0;
    for (int row = 0; row < objects.rows(); ++row) {
        if (!objects.is_true(row, 3))
            refuse_tables(
                fmt::format("{}belongs to role \"{}\", which is neither a superuser nor the role that connects",
                            objects.text(row, 0) == "n" ? "" : "has a table that ", objects.text(row, 2)),
                "connect as that role, or keep the run in another database");
        if (objects.text(row, 0) == "n") continue;
        if (objects.text(row, 0) != "r") refuse_foreign_tables();
        ++tables;
    }
    if (tables != 0 && tables != kStateTables) refuse_foreign_tables();
    return tables != 0;
}

/// Another session may make them at the same time.
void StateSession::make_tables() {
    ask(state_tables_turn_query());
    if (has_tables()) return;
    const bool has_schema = ask(state_objects_query()).rows() != 0;
    if (!has_schema) run(make_state_schema_statement());
    run(make_state_tables_statements());
}

void StateSession::require_version() {
    std::int32_t version = 0;
    try {
        const Result versions = ask(state_version_query());
        if (versions.rows() != 1) refuse_foreign_tables();
        version = versions.number<std::int32_t>(0, 0);
    } catch (const Error& error) {
        if (error.sqlstate() == kUndefinedColumn) refuse_foreign_tables();
        throw;
    }
    if (version > kStateTablesVersion)
        refuse_tables(fmt::format("was made by a newer pgparity: it has version {}, this one knows {}", version,
                                  kStateTablesVersion),
                      "use the pgparity that made it, or keep the run in another database");
    if (version != kStateTablesVersion) refuse_foreign_tables();
}

bool StateSession::lock(const std::string& run, std::int32_t before) {
    for (std::chrono::milliseconds waited{};; waited += kLeavingStep) {
        bool is_ours = false;
        in_transaction([&] {
            const Result taken = ask(lock_state_query(run));
            is_ours = taken.is_true(0, 0);
            backend_ = taken.number<std::int32_t>(0, 1);
            if (!is_ours && before != 0) ask(end_state_holder_query(run, before));
        });
        if (is_ours || waited >= kLeavingTime) return is_ours;
        pause_unless_interrupted(kLeavingStep);
    }
}

void StateSession::outlive_signals() { connection_.set_answer_time(kStateAnswerTime); }

void StateSession::roll_back() noexcept {
    if (!connection_.alive()) return;
    try {
        connection_.query_briefly(rollback_statement());
    } catch (const std::exception&) {
        // The connection is broken then, and the server ends the transaction.
    }
}

}  // namespace parity::driver
