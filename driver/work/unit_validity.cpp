#include "driver/work/unit_validity.h"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "driver/text/lsn.h"

namespace parity::driver {
namespace {

/// Processes are the same if they began at the same time. A server process that crashes takes all others along, and the
/// next checkpointer is another one; what a role may not see is never the same.
bool is_same_process(const SidePosition& read, const ServerInfo& now) {
    return read.started_us == now.identity.started_us && read.checkpointer != 0 &&
           read.checkpointer == now.checkpointer && read.in_recovery == now.identity.in_recovery &&
           read.timeline == timeline_of(now);
}

/// Where the present timeline of a server began; 0: not known, or it is the first one.
std::uint64_t beginning_of_timeline(const ServerInfo& server) {
    return server.log_history && !server.log_history->empty() ? server.log_history->back().end : 0;
}

/// A primary that ran when another one was read has never had what that one wrote on the same timeline.
bool is_another_primary(const SidePosition& read, const ServerInfo& now) {
    const bool ran_beside = is_another_server(read, now);
    const std::uint64_t began = beginning_of_timeline(now);
    const bool parted = read.timeline_began != 0 && began != 0 && read.timeline_began != began;
    return !read.in_recovery && !now.identity.in_recovery && (ran_beside || parted);
}

std::string why_unsure(const SidePosition& read, const ServerInfo& now, std::string_view name) {
    if (read.started_us != now.identity.started_us) return fmt::format("the {} was restarted", name);
    if (read.checkpointer == 0 || now.checkpointer == 0)
        return fmt::format("this role may not see whether the {} crashed (pg_read_all_stats)", name);
    return fmt::format("the {} crashed or was promoted", name);
}

/// The log of another timeline counts up to where the present one left it.
std::optional<std::string> why_off_history(Side side, const SidePosition& read, const ServerInfo& now) {
    const std::uint32_t timeline = timeline_of(now);
    const std::string_view name = side_name(side);
    if (read.timeline == 0 || timeline == 0)
        return fmt::format("{}, and this role may not see on which timeline it is", why_unsure(read, now, name));
    if (read.timeline == timeline) {
        if (is_another_primary(read, now))
            return fmt::format("the {} is another server now, which ran beside the one where the table was read", name);
        const std::uint64_t end = std::max(now.identity.log_end, parse_lsn(now.lsn).value_or(0));
        if (read.lsn <= end) return std::nullopt;
        return fmt::format("the log of the {} ends at {} now, before {}, where the table was read", name, show_lsn(end),
                           show_lsn(read.lsn));
    }
    if (!now.log_history)
        return fmt::format("the {} is on timeline {} now, and this role may not read where it left timeline {}", name,
                           timeline, read.timeline);
    const auto left = std::find_if(now.log_history->begin(), now.log_history->end(),
                                   [&](const LogSwitch& end) { return end.timeline == read.timeline; });
    if (left == now.log_history->end())
        return fmt::format("the {} is on timeline {} now, which did not come from timeline {}", name, timeline,
                           read.timeline);
    if (read.lsn <= left->end) return std::nullopt;
    return fmt::format("the {} left timeline {} at {}, before {}, where the table was read", name, read.timeline,
                       show_lsn(left->end), show_lsn(read.lsn));
}

bool are_same(const ColumnPlan& a, const ColumnPlan& b, Side side) {
    return a.name[side] == b.name[side] && a.form == b.form && asked_form(a, side) == asked_form(b, side) &&
           a.type[side] == b.type[side];
}

bool are_same(const std::vector<ColumnPlan>& a, const std::vector<ColumnPlan>& b, Side side) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [side](const ColumnPlan& left, const ColumnPlan& right) { return are_same(left, right, side); });
}

/// "16385=16390 16400": without the files.
std::vector<std::string_view> members_of(std::string_view files) {
    std::vector<std::string_view> members;
    while (!files.empty()) {
        const std::string_view member = files.substr(0, files.find(' '));
        members.push_back(member.substr(0, member.find('=')));
        files.remove_prefix(std::min(member.size() + 1, files.size()));
    }
    return members;
}

std::optional<std::string> why_changed_on(Side side, const TablePlan& compared, const TablePlan& now) {
    const std::string_view name = side_name(side);
    if (compared.relkind[side] != now.relkind[side]) return fmt::format("it is another kind of table on {}", name);
    if (compared.columns_text[side] != now.columns_text[side]) return fmt::format("its columns changed on {}", name);
    const RelationStorage &then = compared.storage[side], &today = now.storage[side];
    if (members_of(then.files) != members_of(today.files))
        return fmt::format("its partitions or children changed on {}", name);
    if (then.files != today.files)
        return fmt::format("it was truncated or rewritten on {} (TRUNCATE, VACUUM FULL, CLUSTER, ALTER TABLE)", name);
    if (then.collations != today.collations)
        return fmt::format("a collation of its columns has another version on {}", name);
    return std::nullopt;
}

std::optional<std::string> why_compared_otherwise(Side side, const TablePlan& compared, const TablePlan& now) {
    if (compared.key_proven != now.key_proven || !are_same(compared.key, now.key, side)) return "its key changed";
    if (!are_same(compared.columns, now.columns, side)) return "other columns of it are compared, or in other forms";
    return std::nullopt;
}

}  // namespace

bool is_another_server(const SidePosition& read, const ServerInfo& now) {
    return read.started_us != now.identity.started_us && now.identity.started_us <= read.seen_us;
}

SidePosition position_of(const ServerInfo& server, const ServerIdentity& seen, const std::string& lsn) {
    SidePosition position;
    position.lsn = parse_lsn(lsn).value_or(UINT64_MAX);
    position.timeline = seen.in_recovery ? server.followed_timeline : seen.timeline;
    position.timeline_began = beginning_of_timeline(server);
    position.in_recovery = seen.in_recovery;
    position.started_us = seen.started_us;
    position.checkpointer = server.checkpointer;
    position.seen_us = seen.read_us;
    position.on_disk = seen.log_end;
    return position;
}

bool is_same_incarnation(const ServerInfo& before, const ServerInfo& now) {
    return before.identity.started_us == now.identity.started_us && before.checkpointer != 0 &&
           before.checkpointer == now.checkpointer && before.identity.in_recovery == now.identity.in_recovery &&
           timeline_of(before) == timeline_of(now);
}

std::optional<std::string> why_lost(Side side, const SidePosition& read, bool has_unlogged, const ServerInfo& now) {
    if (is_same_process(read, now)) return std::nullopt;
    const std::string_view name = side_name(side);
    if (std::optional<std::string> reason = why_off_history(side, read, now)) return reason;
    if (has_unlogged) return fmt::format("rows of it are unlogged, and {}", why_unsure(read, now, name));
    if (read.lsn <= read.on_disk) return std::nullopt;
    return fmt::format("{}, and what was read last may not have been on its disk", why_unsure(read, now, name));
}

std::optional<std::string> why_lost(const TablePlan& table, const Both<SidePosition>& read,
                                    const Both<ServerInfo>& now) {
    for (Side side : kSides)
        if (std::optional<std::string> reason = why_lost(side, read[side], table.storage[side].has_unlogged, now[side]))
            return reason;
    return std::nullopt;
}

std::optional<std::string> why_changed(const TablePlan& compared, const TablePlan& now) {
    for (Side side : kSides)
        if (std::optional<std::string> reason = why_changed_on(side, compared, now)) return reason;
    for (Side side : kSides)
        if (std::optional<std::string> reason = why_compared_otherwise(side, compared, now)) return reason;
    if (compared.where != now.where) return "its condition changed";
    if (compared.without_children.source != now.without_children.source ||
        compared.without_children.target != now.without_children.target)
        return "its children are compared in another way";
    if (compared.visible_rows_only != now.visible_rows_only) return "row security applies in another way";
    if (compared.skipped != now.skipped) return "other parts of it cannot be compared now";
    if (compared.large_objects && compared.large_objects->why_unread != now.large_objects->why_unread)
        return "other parts of them cannot be compared now";
    return std::nullopt;
}

std::optional<std::string> what_is_left_out(const TablePlan& compared, const TablePlan& now) {
    for (const ColumnPlan& column : compared.columns) {
        const auto has = [&](const std::vector<ColumnPlan>& columns) {
            return std::any_of(columns.begin(), columns.end(), [&](const ColumnPlan& other) {
                return other.name.source == column.name.source && other.name.target == column.name.target;
            });
        };
        if (!has(now.columns) && !has(now.key)) return fmt::format("its column {}", column.name.source);
    }
    if (now.visible_rows_only && !compared.visible_rows_only) return "rows that row security hides now";
    for (Side side : kSides)
        for (std::string_view member : members_of(compared.storage[side].files)) {
            const std::vector<std::string_view> members = members_of(now.storage[side].files);
            if (std::find(members.begin(), members.end(), member) == members.end())
                return fmt::format("a partition or child that it had on {}", side_name(side));
        }
    if (compared.large_objects && compared.large_objects->why_unread.empty() && !now.large_objects->why_unread.empty())
        return "the contents of large objects";
    return std::nullopt;
}

}  // namespace parity::driver
