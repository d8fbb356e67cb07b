#include "driver/work/resumption.h"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "driver/compare/spans.h"
#include "driver/compare/table.h"
#include "driver/planning/later_tables.h"
#include "driver/state/run_codec.h"
#include "driver/work/kept_spans.h"
#include "driver/work/unit_validity.h"

namespace parity::driver {
namespace {

bool is_same_table(const TablePlan& a, const TablePlan& b) {
    return a.oid.source == b.oid.source && a.oid.target == b.oid.target &&
           a.large_objects.has_value() == b.large_objects.has_value();
}

constexpr const char* kReadAgain = "what could not be read of it is read again";
constexpr const char* kNotDead = "not compared: --retry-dead reads only what could not be read";

class Resumer {
  public:
    Resumer(RunStore& store, const Both<ServerInfo>& servers, const ChosenTables& began_with, Plan& plan,
            std::int64_t max_divergences, FindingStore& findings, bool only_dead)
        : store_(store),
          servers_(servers),
          began_with_(began_with),
          plan_(plan),
          max_divergences_(max_divergences),
          findings_(findings),
          only_dead_(only_dead) {}

    Resumption resume() {
        for (TablePlan& table : plan_.tables) {
            ChosenNames names{table.name};
            planned_.emplace(std::move(names), std::move(table));
        }
        plan_.tables.clear();
        const std::vector<KeptTable> tables = read_kept_tables(store_);
        for (const KeptTable& table : tables) take(table);
        for (auto& [names, table] : planned_) take_new(names, std::move(table));
        for (std::size_t i = 0; i < resumed_.known.size(); ++i)
            if (resumed_.known[i]) load_findings(i);
        return std::move(resumed_);
    }

  private:
    void take(const KeptTable& kept) {
        const UnitRow& unit = kept.unit;
        next_job_ = std::max(next_job_, unit.job + 1);
        TablePlan compared = decode_plan(unit.plan);
        const auto found = planned_.find(ChosenNames{compared.name});
        if (found == planned_.end()) return take_gone(kept, std::move(compared), kGone);
        TablePlan now = std::move(found->second);
        planned_.erase(found);
        if (!is_same_table(compared, now)) return take_gone(kept, std::move(compared), kCreatedAnew);
        if (!kept.spans.empty()) return take_in_spans(kept, std::move(now));
        if (unit.state == UnitState::kPending) return add_pending(std::move(now), unit.job, &kept);
        TableResult result = decode_result(unit.result, now);
        if (unit.state == UnitState::kDone) result.position = decode_position(unit.position);
        std::optional<std::string> reason = why_void(unit, compared, now);
        if (only_dead_) {
            if (result.dead_letters.empty()) return keep(kept, std::move(compared), std::move(result), reason);
            if (!reason) reason = kReadAgain;
        }
        if (!reason) {
            ++resumed_.kept;
            return add(std::move(now), unit.job, &kept, KnownTable{std::move(result), true});
        }
        if (unit.state == UnitState::kDone) resumed_.voided.push_back({now.name, *reason});
        if (!has_evidence(result) && result.dead_letters.empty()) {
            change(unit, UnitState::kPending, {});
            return add(std::move(now), unit.job, &kept, std::nullopt);
        }
        // Findings of other columns or another key could not be told by the present plan.
        result.plan = compared;
        result.error = *reason;
        result.incomplete = true;
        change(unit, UnitState::kFailed, encode_result(result));
        std::string left_out = has_evidence(result) ? what_is_left_out(compared, now).value_or("") : std::string();
        add(std::move(now), unit.job, &kept, KnownTable{std::move(result), false, std::move(left_out)});
    }

    /// The spans were planned together, and are of one table as it was then.
    void take_in_spans(const KeptTable& kept, TablePlan now) {
        const UnitRow& unit = kept.unit;
        const TablePlan compared = decode_plan(kept.spans.front().plan);
        KnownTable known{evidence_of(kept, compared, max_divergences_), false};
        if (const std::optional<std::string> reason = why_changed(compared, now)) {
            resumed_.voided.push_back({now.name, *reason});
            known.result.error = *reason;
            known.result.incomplete = true;
            known.left_out = what_is_left_out(compared, now).value_or("");
            const bool differed = has_evidence(known.result);
            if (only_dead_) return keep(kept, compared, std::move(known.result), reason);
            for (const UnitRow& row : kept.spans)
                if (row.state == UnitState::kDone) void_span(row, decode_result(row.result, compared), *reason);
            change(unit, differed ? UnitState::kFailed : UnitState::kPending, encode_result(known.result));
            return add(std::move(now), unit.job, &kept, differed ? std::optional(std::move(known)) : std::nullopt);
        }
        known.spans = spans_of(kept, now);
        const std::size_t void_before = resumed_.voided.size();
        for (std::size_t i = 0; i < known.spans.size(); ++i) void_if_lost(now, kept, known.spans, i);
        known.done = unit.state == UnitState::kDone && all_done(known.spans);
        if (only_dead_ && !known.done) {
            const std::optional<std::string> reason =
                resumed_.voided.size() > void_before ? std::optional(resumed_.voided.back().reason) : std::nullopt;
            return keep(kept, std::move(now), std::move(known.result), reason);
        }
        if (known.done) {
            known.result = decode_result(unit.result, now);
            ++resumed_.kept;
        } else {
            change(unit, has_evidence(known.result) ? UnitState::kFailed : UnitState::kPending,
                   encode_result(known.result));
            if (known.result.error.empty()) known.result.error = "it is compared again";
            known.result.incomplete = true;
        }
        add(std::move(now), unit.job, &kept, std::move(known));
    }

    void void_span(const UnitRow& row, TableResult result, const std::string& reason) {
        result.error = reason;
        change(row, UnitState::kFailed, encode_result(result));
    }

    void void_if_lost(const TablePlan& table, const KeptTable& kept, std::vector<SpanUnit>& spans, std::size_t number) {
        SpanUnit& span = spans[number];
        if (!span.done) return;
        const std::optional<std::string> reason = why_lost(table, span.result->position, servers_);
        if (!reason) return;
        span.done = false;
        span.result->error = *reason;
        if (!only_dead_) void_span(kept.spans[number], *span.result, *reason);
        resumed_.voided.push_back({table.name, fmt::format("span {} of {}: {}", number + 1, spans.size(), *reason)});
    }

    /// A table that nothing is known of yet.
    void add_pending(TablePlan table, std::int64_t job, const KeptTable* kept) {
        if (!only_dead_) return add(std::move(table), job, kept, std::nullopt);
        TableResult result = failed_table(table, kNotDead);
        result.begun = false;
        add(std::move(table), job, kept, KnownTable{std::move(result), true});
    }

    /// A table that is not compared now, whatever becomes of it later.
    void keep(const KeptTable& kept, TablePlan compared, TableResult result, const std::optional<std::string>& reason) {
        const UnitRow& unit = kept.unit;
        TablePlan plan = compared;
        result.plan = std::move(compared);
        if (reason && unit.state == UnitState::kDone) {
            result.error = *reason;
            result.incomplete = true;
            if (!has_evidence(result)) result.verdict = Verdict::kError;
            change(unit, UnitState::kFailed, encode_result(result));
        }
        if (!reason) ++resumed_.kept;
        add(std::move(plan), unit.job, &kept, KnownTable{std::move(result), true});
    }

    /// A table that was not among the units: it came later, or could not be compared when the run began.
    void take_new(const ChosenNames& names, TablePlan table) {
        const auto before = began_with_.find(names);
        const bool was_there = before != began_with_.end() && before->second.source == table.oid.source &&
                               before->second.target == table.oid.target;
        if (!was_there && !table.large_objects) return skip(table, kCreatedLater);
        UnitRow unit;
        unit.job = next_job_++;
        unit.plan = encode_plan(table);
        resumed_.changed.push_back(unit);
        add_pending(std::move(table), unit.job, nullptr);
    }

    /// What the state has of the unit becomes this.
    void change(UnitRow unit, UnitState state, std::string result) {
        unit.state = state;
        unit.position.clear();
        unit.result = std::move(result);
        resumed_.changed.push_back(std::move(unit));
    }

    std::optional<std::string> why_void(const UnitRow& unit, const TablePlan& compared, const TablePlan& now) const {
        if (unit.state == UnitState::kFailed) return decode_result(unit.result, compared).error;
        if (std::optional<std::string> reason = why_changed(compared, now)) return reason;
        return why_lost(compared, decode_position(unit.position), servers_);
    }

    /// What was seen to differ in a table that is not there any more, or cannot be compared any more, stays in the
    /// report.
    void take_gone(const KeptTable& kept, TablePlan compared, const char* gone) {
        const UnitRow& unit = kept.unit;
        const auto why_skipped =
            std::find_if(plan_.skipped_tables.begin(), plan_.skipped_tables.end(), [&](const auto& skipped) {
                return skipped.first.source == compared.name.source && skipped.first.target == compared.name.target;
            });
        const bool is_told = why_skipped != plan_.skipped_tables.end();
        const std::string reason = is_told ? why_skipped->second : gone;
        TableResult result;
        if (!kept.spans.empty())
            result = evidence_of(kept, compared, max_divergences_);
        else if (unit.state != UnitState::kPending)
            result = decode_result(unit.result, compared);
        // What could not be read of a table that is gone cannot be read any more, and nobody wants to.
        const bool stays_unread = is_told && !result.dead_letters.empty();
        if (!has_evidence(result) && !stays_unread) {
            resumed_.gone_jobs.push_back(unit.job);
            if (!is_told) skip(compared, gone);
            return;
        }
        if (is_told) plan_.skipped_tables.erase(why_skipped);
        result.error = reason;
        result.incomplete = true;
        change(unit, UnitState::kFailed, encode_result(result));
        add(std::move(compared), unit.job, &kept, KnownTable{std::move(result), true});
    }

    /// `kept`: what the state has of it; none: it is new.
    void add(TablePlan table, std::int64_t job, const KeptTable* kept, std::optional<KnownTable> known) {
        plan_.tables.push_back(std::move(table));
        resumed_.jobs.push_back(job);
        kept_.push_back(kept);
        resumed_.known.push_back(std::move(known));
    }

    void skip(const TablePlan& table, const char* reason) { plan_.skipped_tables.emplace_back(table.name, reason); }

    void load_findings(std::size_t table_no) {
        const KnownTable& known = *resumed_.known[table_no];
        if (!kept_[table_no]) return;
        const KeptTable& kept = *kept_[table_no];
        for (std::size_t span = 0; span < known.spans.size(); ++span) {
            const int number = span_findings_no(table_no, known.spans[span].number);
            store_.for_each_finding(kept.spans[span].job, kept.spans[span].unit,
                                    [&](const StoredFinding& finding) { findings_.add(number, finding); });
            findings_.commit(number);
        }
        load_listed_findings(store_, kept, known.result, findings_, static_cast<int>(table_no));
    }

    RunStore& store_;
    const Both<ServerInfo>& servers_;
    const ChosenTables& began_with_;
    Plan& plan_;
    const std::int64_t max_divergences_;
    FindingStore& findings_;
    const bool only_dead_;
    std::map<ChosenNames, TablePlan> planned_;
    std::int64_t next_job_ = 0;
    std::vector<const KeptTable*> kept_;  ///< parallel to the plan's tables
    Resumption resumed_;
};

}  // namespace

Resumption resume_run(RunStore& store, const Both<ServerInfo>& servers, const ChosenTables& began_with, Plan& plan,
                      std::int64_t max_divergences, FindingStore& findings, bool only_dead) {
    return Resumer(store, servers, began_with, plan, max_divergences, findings, only_dead).resume();
}

Resumption begin_run(const Plan& plan) {
    Resumption resumed;
    resumed.known.resize(plan.tables.size());
    for (std::size_t i = 0; i < plan.tables.size(); ++i) resumed.jobs.push_back(static_cast<std::int64_t>(i));
    return resumed;
}

}  // namespace parity::driver
