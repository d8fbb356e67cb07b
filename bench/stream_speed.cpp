#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "driver/commands/servers.h"
#include "driver/digests/ranges.h"
#include "driver/engine/memory.h"
#include "driver/engine/stream.h"
#include "driver/model/error.h"
#include "driver/model/inventory.h"
#include "driver/model/options.h"
#include "driver/model/plan.h"
#include "driver/model/sides.h"
#include "driver/options/request.h"
#include "driver/planning/inventories.h"
#include "driver/planning/plan.h"
#include "driver/postgres/connection/connection.h"
#include "driver/postgres/connection/session.h"
#include "driver/postgres/feed/feed.h"
#include "driver/postgres/feed/table.h"
#include "driver/postgres/queries/feed.h"

/// Reads one table as the stream engine does, in turn with every row hashed and with every message thrown away, over
/// the same connections and with the same statements. Prints one line a run: "hashed" or "discarded", connections,
/// rows, seconds.
///
///     parity_stream_speed CONNINFO TABLE ROUNDS CONNECTIONS…
namespace parity::driver {
namespace {

constexpr int kRanges = 1024;

double seconds_of(const std::function<void()>& work) {
    const auto started = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
}

struct Bench {
    Bench(const std::string& conninfo, const std::string& table) {
        options.conninfo = {conninfo, conninfo};
        options.tables = {table};
        options.allow_same_server = true;
        options.engine = Engine::kStream;
        const Request request(options);
        const auto servers = make_servers(request);
        Inventories read = read_inventories(request, {servers.source.get(), servers.target.get()});
        plan = make_plan(request, read.sides, read.pairing);
        inventories = std::move(read.sides);
        if (plan.tables.size() != 1) throw Error(ErrorKind::kUsage, "the pattern does not choose one table");
    }
    const TablePlan& table() const { return plan.tables.front(); }

    Options options;
    Both<Inventory> inventories;
    Plan plan;
};

/// What StreamedRanges does, as the comparison asks for it.
std::uint64_t hash_all(Session& session, const Bench& bench, std::vector<std::string>& bounds, int connections) {
    const DigestSettings digest{1, 64, connections};
    const auto reader = make_stream_reader(
        make_copy_feed(session, bench.table(), bench.inventories.source.server, [](std::uint64_t, std::uint64_t) {}),
        bench.table(), {digest, MemoryPlan(std::uint64_t{4} << 30, 1)});
    if (bounds.empty()) bounds = reader->split(kRanges);
    const auto ranges = reader->digest({bounds, {}});
    std::uint64_t rows = 0;
    for (RangeDigests range; ranges->next(range);) rows += range.rows;
    return rows;
}

std::uint64_t discard_all(Session& session, const Bench& bench, int connections) {
    const StreamTable stream(session, bench.table(), bench.inventories.source.server);
    std::vector<std::string> statements;
    for (const StreamItem& item : stream.items({}, static_cast<std::size_t>(connections), false))
        statements.push_back(stream.statement(stream.expressions(), item));
    const std::vector<Session*> sessions = session.share_snapshot(bench.table(), static_cast<std::size_t>(connections));
    std::atomic<std::size_t> next{0};
    std::atomic<std::uint64_t> rows{0};
    std::vector<std::thread> threads;
    for (Session* own : sessions) {
        threads.emplace_back([&, own] {
            for (std::size_t number; (number = next++) < statements.size();) {
                CopyStream copy = own->connection().copy_out(statements[number]);
                while (copy.next()) {
                }
                rows += copy.rows();
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    return rows;
}

int run(int argc, char** argv) {
    if (argc < 5) throw Error(ErrorKind::kUsage, "CONNINFO TABLE ROUNDS CONNECTIONS... are needed");
    const Bench bench(argv[1], argv[2]);
    Session session = Session::open(Side::kSource, bench.options, "bench", nullptr);
    session.begin_table(bench.table());
    std::vector<std::string> bounds;
    hash_all(session, bench, bounds, 1);
    for (int round = 0; round < std::atoi(argv[3]); ++round) {
        for (int i = 4; i < argc; ++i) {
            const int connections = std::atoi(argv[i]);
            std::uint64_t rows = 0;
            const double hashed = seconds_of([&] { rows = hash_all(session, bench, bounds, connections); });
            fmt::print("hashed {} {} {:.4f}\n", connections, rows, hashed);
            const double discarded = seconds_of([&] { rows = discard_all(session, bench, connections); });
            fmt::print("discarded {} {} {:.4f}\n", connections, rows, discarded);
        }
    }
    return EXIT_SUCCESS;
}

}  // namespace
}  // namespace parity::driver

int main(int argc, char** argv) {
    try {
        return parity::driver::run(argc, argv);
    } catch (const std::exception& error) {
        fmt::print(stderr, "parity_stream_speed: {}\n", error.what());
        return EXIT_FAILURE;
    }
}
