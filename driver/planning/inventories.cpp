#include "driver/planning/inventories.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "driver/model/error.h"
#include "driver/model/plan.h"
#include "driver/planning/plan.h"
#include "driver/planning/sequences.h"
#include "driver/planning/table_settings.h"
#include "driver/waiting/both_sides.h"
#include "driver/waiting/interrupt.h"
#include "driver/waiting/patience.h"
#include "driver/waiting/retry.h"
#include "driver/waiting/shared_failure.h"
#include "driver/waiting/stopwatch.h"

namespace parity::driver {
namespace {

/// How often the catalogs are read anew when something is dropped meanwhile.
constexpr int kReadAttempts = 3;

/// Both sides' readers. What they do, they do at the same time.
class CatalogReaders {
  public:
    CatalogReaders(const Both<Server*>& servers, bool last_attempt) {
        on_both_sides([&](Side side, const SharedFailure* failure) {
            readers_[side] = servers[side]->open_catalogs(last_attempt, failure);
        });
    }
    ~CatalogReaders() {
        for (Side side : kSides) readers_[side]->close();
    }
    CatalogReaders(const CatalogReaders&) = delete;
    CatalogReaders& operator=(const CatalogReaders&) = delete;

    /// `work` takes a side's reader and the side.
    void each(const std::function<void(CatalogReader&, Side)>& work) {
        on_both_sides([&](Side side, const SharedFailure* failure) {
            CatalogReader& reader = *readers_[side];
            reader.set_failure(failure);
            try {
                work(reader, side);
            } catch (...) {
                reader.set_failure(nullptr);
                throw;
            }
            reader.set_failure(nullptr);
        });
    }

    CatalogReader& of(Side side) { return *readers_[side]; }
    Inventory& operator[](Side side) { return readers_[side]->inventory(); }

  private:
    Both<std::unique_ptr<CatalogReader>> readers_;
};

/// A primary is read before and after its standby: what the standby has of a sequence lies between. The standby has the
/// time to replay what the primary had when it was first read.
void read_around_standby(CatalogReader& primary, CatalogReader& standby) {
    primary.read_sequence_values();
    for (SequenceDesc& sequence : primary.inventory().sequences) sequence.value_before_standby = sequence.value;
    standby.inventory().replay_lags = !standby.await_replay(primary.log_end());
    standby.read_sequence_values();
    primary.read_sequence_values();
}

void read_sequence_values(CatalogReaders& readers) {
    const SequenceRules rules = standby_rules({readers[Side::kSource].server, readers[Side::kTarget].server});
    const Both<bool> standby{rules.standby.source || rules.may_be_standby.source,
                             rules.standby.target || rules.may_be_standby.target};
    if (standby.source == standby.target)
        return readers.each([](CatalogReader& reader, Side) { reader.read_sequence_values(); });
    const Side side = standby.source ? Side::kSource : Side::kTarget;
    read_around_standby(readers.of(other_side(side)), readers.of(side));
}

/// `connected` becomes true once both servers have answered.
Inventories read_once(const Request& request, const Both<Server*>& servers, bool last_attempt, bool& connected) {
    CatalogReaders readers(servers, last_attempt);
    connected = true;
    readers.each([](CatalogReader& reader, Side) { reader.read_server(); });
    check_servers(request.options, {readers[Side::kSource].server, readers[Side::kTarget].server});
    Both<std::string> marks;
    readers.each([&](CatalogReader& reader, Side side) {
        reader.list();
        if (!request.options.state.empty()) marks[side] = reader.relations_mark();
    });

    apply_table_settings(request, readers[Side::kSource]);
    const Both<Inventory> listed{readers[Side::kSource], readers[Side::kTarget]};
    Pairing pairing = pair_relations(request, listed);
    require_table_settings_used(request, pairing, listed.source);
    share_table_settings(pairing, listed.source, readers[Side::kTarget]);
    readers.each([&](CatalogReader& reader, Side side) {
        std::set<std::uint32_t> paired, without_children;
        for (const RelationPair& pair : pairing.pairs) {
            const std::uint32_t oid = listed[side].relations[pair[side]].oid;
            paired.insert(oid);
            if (pair.without_children[side]) without_children.insert(oid);
        }
        reader.describe(paired, without_children);
        if (request.options.sequences) reader.list_sequences();
    });
    require_something(request.options, pairing, {&readers[Side::kSource], &readers[Side::kTarget]});
    if (request.options.sequences) read_sequence_values(readers);
    readers.each([](CatalogReader& reader, Side) { reader.require_named_server(); });
    return {
        {std::move(readers[Side::kSource]), std::move(readers[Side::kTarget])}, std::move(pairing), std::move(marks)};
}

Inventories list_once(const Request& request, const Both<Server*>& servers, bool last_attempt, bool& connected) {
    CatalogReaders readers(servers, last_attempt);
    connected = true;
    readers.each([](CatalogReader& reader, Side) {
        reader.read_server();
        reader.list();
        reader.require_named_server();
    });
    const Both<Inventory> listed{std::move(readers[Side::kSource]), std::move(readers[Side::kTarget])};
    return {listed, pair_relations(request, listed)};
}

/// Server::explain_passing() of the catalogs. What may pass may also end the session that asks.
std::optional<Error> explain(Server& server, const Error& error, int attempts) {
    try {
        return server.explain_passing(error, "the catalogs", attempts);
    } catch (const Error& failed) {
        if (failed.kind() == ErrorKind::kCancelled) throw;
        return error;
    }
}

/// A server that never answered has most likely a wrong address; one that did may come back.
template <typename Read>
Inventories read_patiently(const Request& request, const Both<Server*>& servers, Read read) {
    Patience patience(request.options.retry_for);
    bool connected = false;
    for (int attempt = 1;;) {
        const Stopwatch watch;
        try {
            return read(request, servers, attempt == kReadAttempts, connected);
        } catch (const Error& error) {
            Server& server = *servers[error.server() == side_name(Side::kSource) ? Side::kSource : Side::kTarget];
            if (connected && remedy_for(error) == Remedy::kReconnect) {
                const auto pause = patience.pause_after(watch.elapsed());
                if (!pause) throw;
                pause_unless_interrupted(*pause);
            } else if (const std::optional<Error> explained = explain(server, error, patience.failures() + 1)) {
                const auto pause = patience.pause_after(watch.elapsed());
                if (!pause) throw *explained;
                pause_unless_interrupted(*pause);
            } else {
                if (!server.catalogs_changed(error) || attempt >= kReadAttempts) throw;
                ++attempt;
            }
        }
    }
}

}  // namespace

Inventories read_inventories(const Request& request, const Both<Server*>& servers) {
    return read_patiently(request, servers, read_once);
}

Inventories list_inventories(const Request& request, const Both<Server*>& servers) {
    return read_patiently(request, servers, list_once);
}

}  // namespace parity::driver
