#include "driver/postgres/catalog/sequences.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <unordered_map>

#include "driver/model/sides.h"
#include "driver/model/sqlstates.h"
#include "driver/postgres/catalog/batches.h"
#include "driver/postgres/connection/connection.h"
#include "driver/postgres/connection/locked.h"
#include "driver/postgres/queries/catalog.h"
#include "driver/postgres/queries/query.h"
#include "driver/waiting/interrupt.h"

namespace parity::driver {

namespace {

/// How long a standby may take to replay what its primary has written of sequences.
constexpr std::chrono::seconds kReplayTime{5};
constexpr std::chrono::milliseconds kReplayPause{50};
/// How often values are read when a lock was waited for in vain that nobody holds afterwards.
constexpr int kLockAttempts = 3;

Result run(Session& session, const Query& query) { return session.connection().query(query.sql, query.parameters); }

SequenceDesc sequence_of(const Result& result, int row) {
    SequenceDesc sequence;
    sequence.oid = result.number<std::uint32_t>(row, 0);
    sequence.name = {std::string(result.text(row, 1)), std::string(result.text(row, 2))};
    sequence.definition = result.text(row, 3);
    sequence.lacks_rights = !result.is_true(row, 4);
    if (sequence.lacks_rights) sequence.why_unreadable = "permission denied";
    sequence.selected = result.is_true(row, 5);
    sequence.increment = result.number<std::int64_t>(row, 6);
    sequence.minimum = result.number<std::int64_t>(row, 7);
    sequence.maximum = result.number<std::int64_t>(row, 8);
    sequence.cycles = result.is_true(row, 9);
    sequence.left_out = result.is_true(row, 10);
    return sequence;
}

/// What an enabled subscription of this database feeds.
std::set<std::uint32_t> subscribed_relations(Session& session) {
    std::set<std::uint32_t> oids;
    const Result result = run(session, subscribed_relations_query());
    for (int row = 0; row < result.rows(); ++row) oids.insert(result.number<std::uint32_t>(row, 0));
    return oids;
}

/// A sequence that no table uses may be meant for any.
bool is_fed(const SequenceDesc& sequence, const std::set<std::uint32_t>& subscribed) {
    if (subscribed.empty() || subscribed.contains(sequence.oid)) return false;
    return sequence.users.empty() || std::any_of(sequence.users.begin(), sequence.users.end(),
                                                 [&](std::uint32_t oid) { return subscribed.contains(oid); });
}

void read_uses(Session& session, std::vector<SequenceDesc>& sequences) {
    std::unordered_map<std::uint32_t, SequenceDesc*> by_oid;
    std::vector<std::uint32_t> oids;
    for (SequenceDesc& sequence : sequences) {
        by_oid[sequence.oid] = &sequence;
        oids.push_back(sequence.oid);
    }
    for_each_batch(oids, [&](const std::vector<std::uint32_t>& batch) {
        const Result result = run(session, sequence_uses_query(batch));
        for (int row = 0; row < result.rows(); ++row) {
            SequenceDesc& sequence = *by_oid.at(result.number<std::uint32_t>(row, 0));
            sequence.users.push_back(result.number<std::uint32_t>(row, 1));
            if (!result.is_true(row, 2)) continue;
            sequence.owner = {std::string(result.text(row, 3)), std::string(result.text(row, 4))};
        }
    });
}

void read_values(Session& session, const std::vector<SequenceDesc*>& sequences) {
    std::vector<QualifiedName> names;
    for (const SequenceDesc* sequence : sequences) names.push_back(sequence->name);
    const Result result = run(session, sequence_values_query(names));
    for (int row = 0; row < result.rows(); ++row) {
        SequenceDesc& sequence = *sequences.at(result.number<std::size_t>(row, 0));
        sequence.value = {result.number<std::int64_t>(row, 1), result.is_true(row, 2),
                          result.number<std::int64_t>(row, 3)};
    }
}

/// A sequence that is locked would be waited for again with each that is read after it: takes those out.
bool take_out_locked(Session& session, std::vector<SequenceDesc*>& sequences) {
    std::vector<std::uint32_t> oids;
    for (const SequenceDesc* sequence : sequences) oids.push_back(sequence->oid);
    const std::vector<LockedRelation> locked = read_locked(session.connection(), oids);
    for (const LockedRelation& each : locked) {
        std::erase_if(sequences, [&](SequenceDesc* sequence) {
            const bool is_locked = sequence->oid == each.oid;
            if (is_locked)
                sequence->why_unreadable =
                    fmt::format("another session holds it in ACCESS EXCLUSIVE mode: {}", each.locker);
            return is_locked;
        });
    }
    return !locked.empty();
}

}  // namespace

std::vector<SequenceDesc> list_sequences(Session& session, const Selection& selection, const NameMap& maps) {
    std::vector<SequenceDesc> sequences;
    const Result result = run(session, sequences_query(selection, maps, session.side()));
    for (int row = 0; row < result.rows(); ++row) sequences.push_back(sequence_of(result, row));
    read_uses(session, sequences);
    const std::set<std::uint32_t> subscribed = subscribed_relations(session);
    for (SequenceDesc& sequence : sequences) sequence.fed_by_subscription = is_fed(sequence, subscribed);
    return sequences;
}

void read_sequence_values(Session& session, std::vector<SequenceDesc>& sequences,
                          const std::function<void(const Error&)>& check) {
    std::vector<SequenceDesc*> readable;
    for (SequenceDesc& sequence : sequences)
        if (sequence.why_unreadable.empty() && !sequence.left_out) readable.push_back(&sequence);
    const auto read_all = [&] {
        read_batches(
            session.connection(), readable,
            [&](const std::vector<SequenceDesc*>& batch) { read_values(session, batch); },
            [&](SequenceDesc* sequence, const Error& error) {
                check(error);
                sequence->value.reset();
                sequence->why_unreadable = error.what();
                sequence->lacks_rights = error.sqlstate() == kInsufficientPrivilege;
            });
    };
    for (int attempt = 1;; ++attempt) {
        try {
            return read_all();
        } catch (const Error& error) {
            if (error.sqlstate() != kLockNotAvailable) throw;
            session.begin_inventory();
            if (!take_out_locked(session, readable) && attempt >= kLockAttempts) throw;
        }
    }
}

std::string wal_end(Session& session) { return std::string(run(session, wal_end_query()).text(0, 0)); }

bool await_replay(Session& session, const std::string& lsn) {
    session.require_named_server();
    session.end();
    const auto deadline = std::chrono::steady_clock::now() + kReplayTime;
    bool replayed = false;
    while (!(replayed = run(session, has_replayed_query(lsn)).is_true(0, 0)) &&
           std::chrono::steady_clock::now() < deadline)
        pause_unless_interrupted(kReplayPause);
    session.begin_inventory();
    return replayed;
}

}  // namespace parity::driver
