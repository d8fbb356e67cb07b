#include "driver/work/span_course.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "driver/compare/spans.h"
#include "driver/digests/spans.h"
#include "driver/model/options.h"
#include "driver/model/sqlstates.h"
#include "driver/state/findings.h"
#include "driver/waiting/retry.h"
#include "driver/work/unit_validity.h"

namespace parity::driver {
namespace {

/// Bytes a second, before anything was read: of a server that reads from disks, and of rows over a network.
constexpr double kGuessedDigestRate = 200e6;
constexpr double kGuessedStreamRate = 20e6;
/// What was read in less time says little.
constexpr double kTellingSeconds = 1;

/// How often all spans may begin again before the table is read as a whole.
constexpr int kMostBeginnings = 3;

TableAttemptResult failed_attempt(TableResult result, const Error& failure) {
    set_error(result, failure);
    result.incomplete = true;
    set_verdict(result);
    return {std::move(result), failure};
}

/// The executor may read through an index, and nothing holds its rows against that.
bool is_read_by_executor(const TablePlan& table) {
    return table.manner.source.by_aggregate || table.manner.target.by_aggregate;
}

bool is_streamed(const AttemptSetting& setting, Side side) {
    return setting.servers[side].is_streamed || setting.table.manner[side].by_stream;
}

void set_position(const AttemptSetting& setting, TableAttemptResult& made) {
    for (Side side : kSides)
        made.result.position[side] = position_of(setting.servers[side], made.seen[side], made.result.lsn[side]);
}

}  // namespace

// ---- rates ---------------------------------------------------------------------------------------------------

void ReadingRate::add(double bytes, double seconds) {
    const std::lock_guard lock(mutex_);
    bytes_ += bytes;
    seconds_ += seconds;
}

double ReadingRate::seconds_for(double bytes, bool is_streamed) const {
    const std::lock_guard lock(mutex_);
    if (seconds_ >= kTellingSeconds && bytes_ > 0) return bytes * seconds_ / bytes_;
    return bytes / (is_streamed ? kGuessedStreamRate : kGuessedDigestRate);
}

// ---- spans ---------------------------------------------------------------------------------------------------

TableAttemptResult SpanCourse::compare(const AttemptSetting& setting, const TableResult* before) {
    try {
        if (!decided_) divide(setting, before);
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::kOtherServer) throw;
        return failed_attempt(fresh_result(setting.table), error);
    }
    if (spans_.empty()) return compare_whole(setting);
    if (is_read_by_executor(setting.table))
        return leave_spans(setting, Error(ErrorKind::kServer, "a server's executor reads it (aggregate)"));
    begin_lost_again(setting.servers, *setting.context.observer, setting.table_no);
    begin_others_again(setting);
    return compare_spans(setting);
}

/// Only rows of one plain table can be read in spans; whether the servers can, they are asked.
bool SpanCourse::may_be_in_spans(const Options& options, const TablePlan& table) const {
    return why_whole_.empty() && options.in_units && !table.large_objects && !table.unpopulated && table.key_proven &&
           table.where.empty() && !table.visible_rows_only && !table.key.empty() && !is_read_by_executor(table);
}

void SpanCourse::divide(const AttemptSetting& setting, const TableResult* before) {
    const TablePlan& table = setting.table;
    const Options& options = *setting.context.options;
    if (spans_.empty() && may_be_in_spans(options, table)) {
        const bool streamed = is_streamed(setting, Side::kSource) || is_streamed(setting, Side::kTarget);
        const double units =
            setting.rate.seconds_for(static_cast<double>(table.estimated_bytes), streamed) / options.unit_seconds;
        const auto by_time = static_cast<std::size_t>(std::min(std::ceil(units), double{kMostSpans}));
        if (const std::size_t wanted = std::max(by_time, least_); wanted > 1) {
            SpanDivision division = divide_table(setting.context, table, setting.table_no, wanted, setting.sessions);
            std::vector<Span> spans = spans_of_ranges(division.ranges.bounds, wanted, forms_of(table.key));
            if (division.why_not.empty() && spans.size() < 2)
                division.why_not = "too many of its rows have the same value of the key's first column";
            if (division.why_not.empty()) {
                ranges_ = std::move(division.ranges);
                ranges_wanted_ = table.ranges;
                for (Span& span : spans) {
                    SpanUnit& unit = spans_.emplace_back();
                    unit.span = std::move(span);
                    unit.number = spans_.size() - 1;
                }
            } else if (setting.context.observer->wants_details()) {
                setting.context.observer->detail(setting.table_no,
                                                 fmt::format("not read in spans: {}", division.why_not));
            }
        }
    }
    decided_ = true;
    if (!spans_.empty()) setting.context.observer->begin_spans(setting.table_no, spans_, before);
}

TableAttemptResult SpanCourse::compare_whole(const AttemptSetting& setting) const {
    TableAttemptResult made = compare_table(setting.context, setting.table, setting.table_no, setting.sessions);
    set_position(setting, made);
    if (!why_whole_.empty()) made.result.notes.push_back(why_whole_);
    if (!made.failure)
        setting.rate.add(static_cast<double>(setting.table.estimated_bytes), made.result.elapsed_seconds);
    return made;
}

TableAttemptResult SpanCourse::compare_spans(const AttemptSetting& setting) {
    const TablePlan plan = plan_of_span(setting.table, spans_.size());
    std::optional<Error> failure;
    try {
        // Of spans that an earlier part of the run made, and where the table is to have fewer, they are drawn anew.
        if (ranges_wanted_ != setting.table.ranges) ranges_.reset();
        ranges_wanted_ = setting.table.ranges;
        if (!ranges_ && spans_done() < spans_.size()) {
            SpanDivision division =
                divide_table(setting.context, setting.table, setting.table_no, spans_.size(), setting.sessions);
            if (!division.why_not.empty()) return leave_spans(setting, Error(ErrorKind::kServer, division.why_not));
            ranges_ = std::move(division.ranges);
        }
        for (std::size_t span = 0; span < spans_.size() && !failure; ++span)
            if (!spans_[span].done) failure = compare_span(setting, plan, span);
        if (!failure)
            check_other_blocks(setting.context, setting.table, setting.table_no, blocks_read(), setting.sessions);
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::kOtherServer) throw;
        failure = error;
    }
    if (failure && begin_all_again(*failure)) return compare_spans(setting);
    // Around what cannot be read a table is read as a whole.
    if (failure && (is_span_failure(*failure) || remedy_for(*failure) == Remedy::kDeadLetter))
        return leave_spans(setting, *failure);
    TableResult joined = join(setting);
    if (!why_again_.empty()) joined.notes.push_back(why_again_);
    if (failure) {
        joined.notes.push_back(fmt::format("{} of {} spans are compared", spans_done(), spans_.size()));
        return failed_attempt(std::move(joined), *failure);
    }
    return {std::move(joined), std::nullopt};
}

/// What an earlier attempt has shown of what differs stays until one that does not fail shows otherwise.
std::optional<Error> SpanCourse::compare_span(const AttemptSetting& setting, const TablePlan& plan, std::size_t span) {
    SpanUnit& unit = spans_[span];
    const int findings_no = span_findings_no(setting.table_no, unit.number);
    const SpanPart part{unit.span,     span,
                        spans_.size(), {bounds_inside(ranges_->bounds, unit.span, forms_of(plan.key)), ranges_->by},
                        findings_no,   blocks_read()};
    TableAttemptResult made = compare_table(setting.context, plan, setting.table_no, setting.sessions, &part);
    set_position(setting, made);
    if (made.failure && unit.result && is_milder(made.result, *unit.result)) {
        setting.context.findings->restore_attempt(findings_no);
        return made.failure;
    }
    unit.result = std::move(made.result);
    unit.done = !made.failure;
    unit.blocks_read = std::move(made.blocks_read);
    if (unit.done || has_evidence(*unit.result)) setting.context.observer->finish_span(setting.table_no, span, unit);
    if (made.failure) return made.failure;
    got_on_ = true;
    setting.rate.add(static_cast<double>(plan.estimated_bytes), unit.result->elapsed_seconds);
    return std::nullopt;
}

std::optional<std::string> SpanCourse::halve(const RunContext& context, const TablePlan& table, std::size_t table_no) {
    if (!may_be_in_spans(*context.options, table)) return std::nullopt;
    if (spans_.empty()) {
        if (least_ > 1) return std::nullopt;  // it was to be divided, and could not be
        least_ = 2;
        decided_ = false;
        return "read in spans, if it can be";
    }
    if (!ranges_) return std::nullopt;
    const std::size_t before = spans_.size();
    const std::vector<SpanUnit> halves = halve_units(table);
    if (halves.empty()) return std::nullopt;
    context.observer->halve_spans(table_no, halves, spans_.size() - before);
    return fmt::format("read in {} instead of {} spans", spans_.size(), before);
}

/// Those that are done stay, and so does what has shown that something differs: which half that is in is not known.
/// Returns: the halves.
std::vector<SpanUnit> SpanCourse::halve_units(const TablePlan& table) {
    std::vector<SpanUnit> units, changed;
    std::size_t next = 0;
    for (const SpanUnit& unit : spans_) next = std::max(next, unit.number + 1);
    for (SpanUnit& unit : spans_) {
        std::vector<Span> halves{unit.span};
        if (!unit.done && !(unit.result && has_evidence(*unit.result)) && next < kMostSpans)
            halves = halves_of_span(unit.span, ranges_->bounds, forms_of(table.key));
        if (halves.size() < 2) {
            units.push_back(std::move(unit));
            continue;
        }
        for (std::size_t half = 0; half < halves.size(); ++half) {
            SpanUnit& made = units.emplace_back();
            made.span = std::move(halves[half]);
            made.number = half == 0 ? unit.number : next++;
            changed.push_back(made);
        }
    }
    spans_ = std::move(units);
    return changed;
}

/// The table is compared as a whole. What its spans have shown to differ stays until that has been.
TableAttemptResult SpanCourse::leave_spans(const AttemptSetting& setting, const Error& why) {
    TableResult before = join(setting);
    before.spans.clear();
    before.spans_planned = 0;
    set_error(before, why);
    setting.context.observer->leave_spans(setting.table_no, spans_, before);
    spans_.clear();
    why_whole_ = fmt::format("read as a whole and not in spans: {}", why.what());
    TableAttemptResult made = compare_whole(setting);
    if (made.failure && is_milder(made.result, before)) {
        setting.context.findings->restore_attempt(static_cast<int>(setting.table_no));
        set_error(before, *made.failure);
        made.result = std::move(before);
    } else if (!made.failure && was_not_cleared(before, made.result, {})) {
        setting.context.findings->restore_attempt(static_cast<int>(setting.table_no));
        keep_uncleared(before, made.result, {});
        made.result = std::move(before);
    }
    return made;
}

TableResult SpanCourse::join(const AttemptSetting& setting) const {
    TableResult joined = join_spans(setting.table, spans_, setting.context.options->max_divergences);
    if (has_evidence(joined)) join_findings(*setting.context.findings, setting.table_no, spans_, joined);
    return joined;
}

Both<std::string> SpanCourse::blocks_read() const {
    Both<std::string> all;
    for (const SpanUnit& unit : spans_)
        if (unit.done)
            for (Side side : kSides) all[side] += unit.blocks_read[side];
    return all;
}

std::optional<std::string> SpanCourse::begin_lost_again(const Both<ServerInfo>& servers, Observer& observer,
                                                        std::size_t table_no) {
    std::optional<std::string> first;
    for (std::size_t span = 0; span < spans_.size(); ++span) {
        SpanUnit& unit = spans_[span];
        if (!unit.done) continue;
        const std::optional<std::string> reason = why_lost(unit.result->plan, unit.result->position, servers);
        if (!reason) continue;
        unit.done = false;
        unit.result->error = *reason;
        observer.finish_span(table_no, span, unit);
        if (!first) first = reason;
    }
    return first;
}

void SpanCourse::remove_lost_claims(TableResult& result) const {
    std::erase_if(result.spans, [&](const SpanClaim& claim) {
        return std::any_of(spans_.begin(), spans_.end(),
                           [&](const SpanUnit& unit) { return !unit.done && unit.span == claim.span; });
    });
}

/// An extension and a stream hold spans against the index in ways that do not add up. What was held against the index
/// of one server says nothing about that of another one, which may be broken, or in another order; a stream counts
/// anew.
void SpanCourse::begin_others_again(const AttemptSetting& setting) {
    for (SpanUnit& unit : spans_)
        for (Side side : kSides) {
            if (!unit.done) continue;
            if ((unit.result->path[side] == "stream") != is_streamed(setting, side))
                begin_again(unit, fmt::format("the {} is read in another way now", side_name(side)));
            else if (!is_another_server(unit.result->position[side], setting.servers[side]))
                continue;
            else if (is_streamed(setting, side))
                unit.blocks_read[side].clear();
            else
                begin_again(unit, fmt::format("the {} is another server now", side_name(side)));
        }
}

/// What an index lacked when spans were read through it is in none of them, and only that index tells.
bool SpanCourse::begin_all_again(const Error& why) {
    if (why.sqlstate() != kIndexChanged || begun_again_ == kMostBeginnings) return false;
    ++begun_again_;
    for (SpanUnit& unit : spans_)
        if (unit.done) begin_again(unit, why.what());
    return true;
}

void SpanCourse::begin_again(SpanUnit& unit, const std::string& why) {
    unit.done = false;
    unit.result->error = why;
    why_again_ = fmt::format("spans of it were compared again: {}", why);
}

std::size_t SpanCourse::spans_done() const {
    return static_cast<std::size_t>(
        std::count_if(spans_.begin(), spans_.end(), [](const SpanUnit& unit) { return unit.done; }));
}

}  // namespace parity::driver
