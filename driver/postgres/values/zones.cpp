#include "driver/postgres/values/zones.h"

#include "driver/model/error.h"
#include "driver/postgres/queries/types.h"
#include "driver/postgres/values/scalars.h"
#include "driver/postgres/values/scratch.h"

namespace parity::driver {
namespace {

class ZoneDecoder final : public AppendingDecoder {
  public:
    explicit ZoneDecoder(const DecoderOptions& options)
        : AppendingDecoder(options), type_(options.cast), zone_(options.zone) {}

    std::string asked_name() const override { return form_name() + "@" + (zone_.empty() ? "zone" : zone_); }
    bool columns_only() const override { return true; }
    std::string select_expression(const std::string& column) const override {
        return zone_expression(column, type_, zone_);
    }
    void append(std::string_view wire, WireScratch& /*scratch*/, core::ByteSink& sink) const override {
        append_integer<std::int64_t, std::int64_t>(wire, sink);
    }

  private:
    std::string type_;
    std::string zone_;
};

}  // namespace

/// Abbreviations mean what a server's settings say.
DecoderPtr zone_decoder(const DecoderOptions& options) {
    if (!options.zone.empty() && options.zone != "UTC" && options.zone.find('/') == std::string_view::npos)
        throw Error(ErrorKind::kUsage, "time zone \"" + std::string(options.zone) + "\" not recognized",
                    "use UTC or a full name of pg_timezone_names that has a slash, like Europe/Berlin");
    return std::make_shared<ZoneDecoder>(options);
}

}  // namespace parity::driver
