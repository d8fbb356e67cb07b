#include "driver/monitor/log.h"

#include <chrono>
#include <mutex>

#include <fmt/format.h>
#include <spdlog/sinks/base_sink.h>

#include "driver/text/display_name.h"
#include "driver/waiting/interrupt.h"

namespace parity::driver {
namespace {

std::string_view prefix_of(spdlog::level::level_enum level) {
    switch (level) {
        case spdlog::level::warn:
            return "warning: ";
        case spdlog::level::err:
        case spdlog::level::critical:
            return "error: ";
        default:
            return "";
    }
}

class TerminalSink : public spdlog::sinks::base_sink<std::mutex> {
  public:
    explicit TerminalSink(Terminal& terminal) : terminal_(terminal) {}

  protected:
    void sink_it_(const spdlog::details::log_msg& message) override {
        terminal_.print_line(fmt::format("pgparity: {}{}", prefix_of(message.level),
                                         std::string_view(message.payload.data(), message.payload.size())));
    }
    void flush_() override {}

  private:
    Terminal& terminal_;
};

}  // namespace

std::shared_ptr<spdlog::logger> make_log(Terminal& terminal, bool verbose) {
    auto log = std::make_shared<spdlog::logger>("pgparity", std::make_shared<TerminalSink>(terminal));
    log->set_error_handler([](const std::string&) {});  // only the terminal prints
    log->set_level(verbose ? spdlog::level::debug : spdlog::level::info);
    return log;
}

void LogObserver::detail(std::size_t table, const std::string& text) {
    log_->debug("{}: {}", display_name(plan_->tables[table]), text);
}

bool LogObserver::wants_details() const { return log_->should_log(spdlog::level::debug); }

void LogObserver::reopen_table(std::size_t table, const TableResult& before) {
    log_->warn("{}: {}; it is begun again", display_name(plan_->tables[table]), before.error);
}

void LogObserver::postpone_table(std::size_t table, const Error& why, std::chrono::milliseconds pause) {
    log_->warn("{}: {}; it is begun again in {:.1f} s", display_name(plan_->tables[table]), why.what(),
               std::chrono::duration<double>(pause).count());
}

void LogObserver::read_around(std::size_t table, const Error& why) {
    log_->warn("{}: {}; it is read again around what cannot be read", display_name(plan_->tables[table]), why.what());
}

void LogObserver::finish_table(std::size_t table, const TableResult& result) {
    if (!result.error.empty() && !interrupted())
        log_->error("{}: {}", display_name(plan_->tables[table]), result.error);
}

}  // namespace parity::driver
