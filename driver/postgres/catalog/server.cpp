#include "driver/postgres/catalog/server.h"

#include <algorithm>
#include <charconv>

#include "driver/text/lsn.h"
#include "driver/postgres/connection/connection.h"
#include "driver/postgres/queries/catalog.h"
#include "driver/postgres/queries/query.h"
#include "driver/postgres/queries/session.h"

namespace parity::driver {
namespace {

Result ask(Session& session, const Query& query) { return session.connection().query(query.sql, query.parameters); }

/// What tells whether all that was read here earlier is still so.
void read_incarnation(Session& session, ServerInfo& server) {
    const Result result = ask(session, incarnation_query());
    server.checkpointer = result.number<std::int32_t>(0, 0);
    const std::uint32_t timeline = timeline_of(server);
    if (timeline == 1) server.log_history.emplace();
    if (timeline <= 1 || !result.is_true(0, 1)) return;
    const Result history = ask(session, log_history_query(timeline));
    if (!history.is_null(0, 0)) server.log_history = parse_log_history(history.text(0, 0));
}

/// The next field of a line; fields are apart by blanks or tabs.
std::string_view take_field(std::string_view& line) {
    constexpr std::string_view kBlanks = " \t\r";
    line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
    const std::string_view field = line.substr(0, line.find_first_of(kBlanks));
    line.remove_prefix(field.size());
    return field;
}

}  // namespace

std::optional<std::vector<LogSwitch>> parse_log_history(std::string_view text) {
    std::vector<LogSwitch> switches;
    while (!text.empty()) {
        std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        const std::string_view timeline = take_field(line);
        if (timeline.empty() || timeline.front() == '#') continue;
        const std::optional<std::uint64_t> end = parse_lsn(take_field(line));
        std::uint32_t number = 0;
        const auto [rest, error] = std::from_chars(timeline.data(), timeline.data() + timeline.size(), number);
        if (!end || error != std::errc() || rest != timeline.data() + timeline.size()) return std::nullopt;
        switches.push_back({number, *end});
    }
    return switches;
}

void read_server_facts(Session& session, ServerInfo& server) {
    server.identity = session.begin_inventory();
    const Result result = ask(session, server_query());
    server.version = result.text(0, 0).substr(0, result.text(0, 0).find(' '));
    server.version_num = result.number<int>(0, 1);
    server.database = result.text(0, 2);
    server.role = result.text(0, 5);
    server.hides_damage = result.text(0, 6);
    server.host = session.connection().host();
    server.port = session.connection().port();
    server.encoding = result.text(0, 3);
    server.lsn = result.text(0, 4);
    if (server.identity.in_recovery) {
        const bool may_ask = ask(session, checkpoint_right_query()).is_true(0, 0);
        server.followed_timeline = ask(session, standby_timeline_query(may_ask)).number<std::uint32_t>(0, 0);
    }
    read_incarnation(session, server);
    const Result money = ask(session, money_query());
    server.lc_monetary = money.text(0, 0);
    server.money_digits = money.number<int>(0, 1);
    server.money_point = money.text(0, 2);
}

std::string read_relations_mark(Session& session) {
    return std::string(ask(session, relations_mark_query()).text(0, 0));
}

}  // namespace parity::driver
