#include "driver/compare/sequences.h"

#include <optional>

#include <fmt/format.h>

namespace parity::driver {

namespace {

/// Holds sums and differences of next values, and log_cnt times an increment.
__extension__ typedef __int128 Wide;

using Position = SequencePosition;

/// The value after the last one, whether or not the sequence may give it: a point of a line without ends.
Wide unbounded_next_after(const SequenceDesc& sequence, const SequenceValue& value) {
    return Wide{value.last_value} + (value.is_called ? Wide{sequence.increment} : 0);
}

Wide unbounded_next(const SequenceDesc& sequence) { return unbounded_next_after(sequence, *sequence.value); }

/// Where WAL can have it: a server that replays the last record of the sequence has it there.
Wide logged_next(const SequenceDesc& sequence) {
    return unbounded_next(sequence) + Wide{sequence.value->log_cnt} * sequence.increment;
}

/// What nextval gives; nothing where it is exhausted.
std::optional<Wide> next_value(const SequenceDesc& sequence) {
    const Wide next = unbounded_next(sequence);
    const bool descends = sequence.increment < 0;
    const bool ended = descends ? next < sequence.minimum : next > sequence.maximum;
    if (!ended || !sequence.value->is_called) return next;
    if (!sequence.cycles) return std::nullopt;
    return descends ? sequence.maximum : sequence.minimum;
}

/// How far `to` is from `from` in the direction of the increment; negative against it.
Wide distance(const SequenceDesc& sequence, Wide from, Wide to) {
    return sequence.increment < 0 ? from - to : to - from;
}

/// What a sequence gives next, for people; nothing where it is exhausted, or its value is not known.
std::optional<std::string> next_text(const SequenceDesc& sequence) {
    const std::optional<Wide> next = sequence.value ? next_value(sequence) : std::nullopt;
    return next ? std::optional(fmt::format("{}", *next)) : std::nullopt;
}

std::string show_next(const SequenceDesc& sequence) { return next_text(sequence).value_or("none"); }

std::string both_next(const Both<SequenceDesc>& sequence) {
    return fmt::format("next value {} on source, {} on target", show_next(sequence.source), show_next(sequence.target));
}

// ---- a standby and its primary, or two standbys ----------------------------------------------------------------

/// Whether the primary had it this way before the standby was read and went further, in one direction, afterwards.
bool went_forward(const SequenceDesc& primary) {
    if (!primary.value_before_standby) return true;
    return distance(primary, unbounded_next_after(primary, *primary.value_before_standby), unbounded_next(primary)) >=
           0;
}

bool replayed_by(const SequenceDesc& primary, const SequenceDesc& standby) {
    const Wide there = unbounded_next(standby);
    const Wide first = unbounded_next_after(primary, primary.value_before_standby.value_or(*primary.value));
    return distance(primary, first, there) >= 0 && distance(primary, there, logged_next(primary)) >= 0;
}

bool may_be_the_same(const SequenceDesc& a, const SequenceDesc& b) {
    return distance(a, unbounded_next(a), logged_next(b)) >= 0 && distance(a, unbounded_next(b), logged_next(a)) >= 0;
}

bool equal_by_wal(const Both<SequenceDesc>& sequence, const SequenceRules& rules) {
    if (rules.standby.source && rules.standby.target) return may_be_the_same(sequence.source, sequence.target);
    if (rules.standby.target) return replayed_by(sequence.source, sequence.target);
    return rules.standby.source && replayed_by(sequence.target, sequence.source);
}

// ---- verdicts --------------------------------------------------------------------------------------------------

SequenceResult unknown(const Both<SequenceDesc>& sequence, std::string reason) {
    return {sequence, Verdict::kIncomplete, Position::kUnknown, std::move(reason)};
}

SequenceResult identical(const Both<SequenceDesc>& sequence, const SequenceRules& rules) {
    const bool same = unbounded_next(sequence.source) == unbounded_next(sequence.target) ||
                      next_value(sequence.source) == next_value(sequence.target);
    SequenceResult result{sequence, Verdict::kIdentical, same ? Position::kEqual : Position::kWal, {}};
    if (same) return result;
    const bool one = rules.standby.source != rules.standby.target;
    result.notes.push_back(fmt::format("{}: {} what WAL has of it, which is ahead by some values", both_next(sequence),
                                       one ? "the standby has" : "standbys have"));
    return result;
}

SequenceResult apart(const Both<SequenceDesc>& sequence, std::string reason) {
    return {sequence, Verdict::kDivergent, Position::kApart, std::move(reason)};
}

SequenceResult ahead(const Both<SequenceDesc>& sequence, Wide by, bool allowed) {
    const std::string how = fmt::format("ahead by {}: {}", by, both_next(sequence));
    if (allowed) return {sequence, Verdict::kIdentical, Position::kAhead, {}, {how}};
    return {sequence, Verdict::kDivergent, Position::kAhead,
            how + "; harmless, no value is given twice (--sequences-may-be-ahead accepts it)"};
}

SequenceResult behind(const Both<SequenceDesc>& sequence, Wide by, const SequenceRules& rules) {
    if (sequence.target.fed_by_subscription)
        return {
            sequence, Verdict::kIncomplete, Position::kBehind,
            fmt::format("not replicated, {} behind: {}; logical replication does not carry sequences: set it before "
                        "the target is written to (--no-sequences leaves sequences out)",
                        by, both_next(sequence))};
    const std::string_view standby = rules.lags ? "; the standby had not replayed all when it was read" : "";
    return {sequence, Verdict::kDivergent, Position::kBehind,
            fmt::format("behind by {}: {}; dangerous, the target would give values again that the source has given{}",
                        by, both_next(sequence), standby)};
}

std::string exhausted(const SequenceDesc& sequence, Side side) {
    return fmt::format("exhausted on {} at {}", side_name(side), sequence.value->last_value);
}

SequenceResult compare_next(const Both<SequenceDesc>& sequence, const SequenceRules& rules) {
    const auto& [source, target] = sequence;
    if (!next_value(target))
        return apart(sequence,
                     fmt::format("{}: {}; nextval fails there", exhausted(target, Side::kTarget), both_next(sequence)));
    if (source.cycles || target.cycles)
        return apart(sequence, both_next(sequence) + "; it cycles, so that neither side is known to be ahead");
    const Wide by = distance(source, unbounded_next(source), unbounded_next(target));
    if (by < 0) return behind(sequence, -by, rules);
    SequenceResult result = ahead(sequence, by, rules.may_be_ahead);
    if (!next_value(source)) result.notes.push_back(exhausted(source, Side::kSource));
    return result;
}

SequenceResult judge(const Both<SequenceDesc>& sequence, const SequenceRules& rules) {
    for (Side side : kSides) {
        if (sequence[side].value) continue;
        const std::string& why = sequence[side].why_unreadable;
        return unknown(
            sequence, fmt::format("its value cannot be read on {}{}{}", side_name(side), why.empty() ? "" : ": ", why));
    }
    const auto& [source, target] = sequence;
    if (source.increment != target.increment)
        return apart(sequence, fmt::format("increment {} on source, {} on target; {}", source.increment,
                                           target.increment, both_next(sequence)));
    if (!went_forward(source) || !went_forward(target))
        return unknown(sequence, "it was set back while it was read; start again");
    if (next_value(source) == next_value(target) || equal_by_wal(sequence, rules)) return identical(sequence, rules);
    if (SequenceRules as_standby = rules; rules.may_be_standby.source || rules.may_be_standby.target) {
        as_standby.standby = rules.may_be_standby;
        if (equal_by_wal(sequence, as_standby))
            return unknown(sequence,
                           both_next(sequence) +
                               "; equal if one side is a standby of the other, which cannot be told: the role "
                               "may not call pg_control_system(), or the sides are on other timelines");
    }
    return compare_next(sequence, rules);
}

}  // namespace

SequenceResult compare_sequence(const Both<SequenceDesc>& sequence, const SequenceRules& rules) {
    SequenceResult result = judge(sequence, rules);
    result.next = {next_text(sequence.source), next_text(sequence.target)};
    return result;
}

}  // namespace parity::driver
