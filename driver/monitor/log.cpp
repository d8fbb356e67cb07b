#include "driver/monitor/log.h"

#include <mutex>

#include <fmt/format.h>
#include <spdlog/sinks/base_sink.h>

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

}  // namespace parity::driver
