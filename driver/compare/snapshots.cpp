#include "driver/compare/snapshots.h"

#include <optional>

#include <fmt/format.h>

#include "driver/model/error.h"
#include "driver/model/sqlstates.h"
#include "driver/text/display_name.h"
#include "driver/waiting/interrupt.h"
#include "driver/waiting/pauses.h"

namespace parity::driver {
namespace {

/// What the server that a failure is of has to say about it, where it passes by itself.
std::optional<Error> explain_passing(const Both<ServerSession*>& sessions, const Error& error, const std::string& what,
                                     int attempts) {
    const Side side = error.server() == side_name(Side::kSource) ? Side::kSource : Side::kTarget;
    std::optional<Error> explained = sessions[side]->explain_passing(error, what, attempts);
    // What ended a connection of one side may have ended one of the other's, too.
    if (explained) sessions[side == Side::kSource ? Side::kTarget : Side::kSource]->revive();
    return explained;
}

}  // namespace

void with_table_snapshots(const Both<ServerSession*>& sessions, const TablePlan& table,
                          const std::function<void(const Both<TableSnapshot>&)>& work) {
    const auto end_both = [&] {
        sessions.source->end();
        sessions.target->end();
    };
    for (int attempts = 1, passing = 1;;) {
        try {
            Both<TableSnapshot> snapshots{sessions.source->begin_table(table), sessions.target->begin_table(table)};
            work(snapshots);
            for (Side side : kSides) sessions[side]->require_named_server();
            end_both();
            return;
        } catch (const Error& error) {
            end_both();
            const std::string what = fmt::format("table \"{}\"", display_name(table.name.source));
            if (const std::optional<Error> explained = explain_passing(sessions, error, what, passing)) {
                if (passing >= kPassingAttempts) throw *explained;
                pause_unless_interrupted(pause_after(passing++));
                continue;
            }
            if (!is_snapshot_failure(error)) throw;
            if (attempts >= kSnapshotAttempts)
                throw Error(error.kind(),
                            fmt::format("gave {} up after {} snapshots: {}", what, attempts, error.what()),
                            error.hint(), error.server(), error.sqlstate());
            ++attempts;
        } catch (...) {
            end_both();
            throw;
        }
    }
}

}  // namespace parity::driver
