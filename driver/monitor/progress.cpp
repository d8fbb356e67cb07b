#include "driver/monitor/progress.h"

#include <algorithm>
#include <cmath>
#include <new>
#include <system_error>

#include <fmt/format.h>

#include "driver/text/display_name.h"

namespace parity::driver {
namespace {

constexpr std::chrono::milliseconds kBarInterval{100};
constexpr std::chrono::seconds kLineInterval{60};
constexpr std::chrono::seconds kBarHeartbeat{1};  // of the time that has passed, where nothing else changes
constexpr double kTellingShare = 0.01;            // no forecast before
constexpr double kTellingSeconds = 1;
constexpr double kShortestForecast = 0.5;  // seconds; "0:00 left" would be wrong while rows that differ are looked for
constexpr std::size_t kBarCells = 20;
constexpr std::size_t kNamesShown = 3;
constexpr double kSideBehind = 0.1;      // of the table
constexpr double kMinTableBytes = 8192;  // an empty table takes its time too

/// "999", "12.3 k", "1.2 M".
std::string short_number(double value) {
    if (value < 1e4) return fmt::format("{:.0f}", value);
    if (value < 1e6) return fmt::format("{:.1f} k", value / 1e3);
    if (value < 1e9) return fmt::format("{:.1f} M", value / 1e6);
    return fmt::format("{:.1f} G", value / 1e9);
}

std::string clock_time(double seconds) {
    const auto whole = static_cast<std::uint64_t>(seconds + 0.5);
    if (whole < 3600) return fmt::format("{}:{:02}", whole / 60, whole % 60);
    return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

/// The first `columns` characters of UTF-8.
std::string cut(const std::string& text, std::size_t columns) {
    std::size_t seen = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool starts_character = (static_cast<unsigned char>(text[i]) & 0xC0) != 0x80;
        if (starts_character && ++seen > columns) return text.substr(0, i);
    }
    return text;
}

}  // namespace

std::string progress_line(const ProgressState& state) {
    std::string line = fmt::format("{:.0f} %", 100 * state.share);
    const std::size_t shown = std::min(state.current.size(), kNamesShown);
    for (std::size_t i = 0; i < shown; ++i) line += ", " + state.current[i];
    if (shown < state.current.size()) line += fmt::format(", {} more", state.current.size() - shown);
    line += ", " + clock_time(state.seconds);
    double left = state.share > 0 ? state.seconds * (1 - state.share) / state.share : 0;
    if (state.seconds_of_values) left = std::max(left, *state.seconds_of_values);
    if (state.share >= kTellingShare && state.seconds >= kTellingSeconds && left >= kShortestForecast)
        line += fmt::format(", {} left", clock_time(left));
    line += fmt::format(", {} of {} tables, {} rows", state.tables_done, state.tables, short_number(state.rows));
    if (state.seconds > 0) line += fmt::format(", {} rows/s", short_number(state.rows / state.seconds));
    return line;
}

std::string describe_progress(const TableProgress& table) {
    if (!table.differing) {
        if (std::abs(table.share.source - table.share.target) < kSideBehind) return table.name;
        return fmt::format("{} (source {:.0f} %, target {:.0f} %)", table.name, 100 * table.share.source,
                           100 * table.share.target);
    }
    std::string text =
        fmt::format("{}: {} differing rows", table.name, short_number(static_cast<double>(*table.differing)));
    if (table.wanted > 0) text += fmt::format(", {} % of their values", 100 * table.fetched / table.wanted);
    return text;
}

std::string progress_bar(const ProgressState& state, std::size_t width) {
    const auto full = static_cast<std::size_t>(std::clamp(state.share, 0.0, 1.0) * kBarCells);
    const std::string bar = "[" + std::string(full, '#') + std::string(kBarCells - full, '.') + "] ";
    return cut(bar + progress_line(state), width > 0 ? width - 1 : 0);
}

Progress::Progress(Terminal& terminal, bool enabled) : terminal_(terminal), enabled_(enabled) {}

Progress::~Progress() { finish_run(); }

/// A run goes on without it where there is no room for a thread.
void Progress::tick() {
    if (!enabled_ || clock_.joinable()) return;
    try {
        clock_ = std::thread([this] {
            const Clock::duration interval = terminal_.is_tty() ? kBarHeartbeat : kLineInterval;
            std::unique_lock lock(mutex_);
            while (!end_.wait_until(lock, last_shown_ + interval, [this] { return ended_; }))
                if (Clock::now() - last_shown_ >= interval) draw();
        });
    } catch (const std::system_error&) {
    }
}

void Progress::stop_clock() {
    {
        const std::lock_guard lock(mutex_);
        ended_ = true;
    }
    end_.notify_all();
    if (clock_.joinable()) clock_.join();
}

void Progress::begin_run(const Plan& run) {
    const std::lock_guard lock(mutex_);
    for (const TablePlan& plan : run.tables) {
        Table table;
        table.name = display_name(plan);
        table.rows = std::max(plan.estimated_rows, 0.0);
        table.bytes = std::max(static_cast<double>(plan.estimated_bytes), kMinTableBytes);
        tables_.push_back(std::move(table));
    }
    started_ = last_shown_ = Clock::now();
    if (terminal_.is_tty()) draw();
    tick();
}

void Progress::begin_snapshots(std::size_t table) {
    const std::lock_guard lock(mutex_);
    current_ = table;
    tables_[table].begun = true;
    if (terminal_.is_tty())
        draw();  // it may be the last that is heard for long
    else
        show();
}

void Progress::restart_progress(std::size_t table) {
    const std::lock_guard lock(mutex_);
    tables_[table].share = {0, 0};
}

void Progress::progress(std::size_t table, Side side, std::uint64_t done, std::uint64_t total) {
    const std::lock_guard lock(mutex_);
    const double share = total == 0 ? 0 : std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
    tables_[table].share[side] = std::max(tables_[table].share[side], share);
    current_ = table;
    show();
}

void Progress::found(std::size_t table, std::uint64_t differing) {
    const std::lock_guard lock(mutex_);
    tables_[table].share = {1, 1};
    tables_[table].differing = differing;
    current_ = table;
    show();
}

void Progress::fetched(std::size_t table, std::uint64_t fetched, std::uint64_t wanted) {
    const std::lock_guard lock(mutex_);
    if (tables_[table].wanted == 0) tables_[table].fetching_since = Clock::now();
    tables_[table].fetched = fetched;
    tables_[table].wanted = wanted;
    current_ = table;
    show();
}

void Progress::finish_table(std::size_t table, const TableResult& result) {
    const std::lock_guard lock(mutex_);
    tables_[table].done = true;
    tables_[table].rows = static_cast<double>(std::max(result.rows.source, result.rows.target));
    show();
}

void Progress::finish_run() {
    stop_clock();
    const std::lock_guard lock(mutex_);
    terminal_.set_bar({});
}

ProgressState Progress::state() const {
    ProgressState state;
    double bytes = 0;
    double bytes_done = 0;
    for (const Table& table : tables_) {
        const double share = table.done ? 1 : (table.share.source + table.share.target) / 2;
        state.rows += share * table.rows;
        state.tables_done += table.done;
        bytes += table.bytes;
        bytes_done += share * table.bytes;
    }
    state.tables = tables_.size();
    state.share = bytes > 0 ? bytes_done / bytes : 0;
    state.seconds = std::chrono::duration<double>(Clock::now() - started_).count();
    state.current = under_way();
    state.seconds_of_values = seconds_of_values();
    return state;
}

/// The tables that are being compared, first the one that was heard of last.
std::vector<std::string> Progress::under_way() const {
    std::vector<std::string> names;
    const auto add = [&](std::size_t table) {
        if (tables_[table].begun && !tables_[table].done) names.push_back(describe_progress(tables_[table]));
    };
    if (current_ < tables_.size()) add(current_);
    for (std::size_t table = 0; table < tables_.size(); ++table)
        if (table != current_) add(table);
    return names;
}

/// Until the values of the table are there that needs longest, if they come as fast as so far.
std::optional<double> Progress::seconds_of_values() const {
    std::optional<double> longest;
    for (const Table& table : tables_) {
        if (table.done || table.fetched == 0 || table.fetched >= table.wanted) continue;
        const double seconds = std::chrono::duration<double>(Clock::now() - table.fetching_since).count();
        const double left =
            seconds * static_cast<double>(table.wanted - table.fetched) / static_cast<double>(table.fetched);
        longest = std::max(longest.value_or(0), left);
    }
    return longest;
}

void Progress::show() noexcept {
    const auto interval =
        terminal_.is_tty() ? std::chrono::duration_cast<Clock::duration>(kBarInterval) : kLineInterval;
    if (Clock::now() - last_shown_ >= interval) draw();
}

/// What cannot be shown for want of memory is left out.
void Progress::draw() noexcept {
    if (!enabled_) return;
    last_shown_ = Clock::now();
    try {
        if (terminal_.is_tty())
            terminal_.set_bar(progress_bar(state(), terminal_.width()));
        else
            terminal_.print_line("pgparity: " + progress_line(state()));
    } catch (const std::bad_alloc&) {
    }
}

}  // namespace parity::driver
