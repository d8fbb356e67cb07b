#include "driver/commands/servers.h"

#include "driver/model/options.h"
#include "driver/postgres/catalog/relations.h"
#include "driver/postgres/server.h"

namespace parity::driver {
namespace {

ExtensionUse extension_use(Engine engine) {
    switch (engine) {
        case Engine::kExtension:
            return ExtensionUse::kRequired;
        case Engine::kStream:
            return ExtensionUse::kNone;
        case Engine::kAuto:
            break;
    }
    return ExtensionUse::kWherePossible;
}

}  // namespace

Both<std::unique_ptr<Server>> make_servers(const Request& request) {
    const ExtensionUse use = extension_use(request.options.engine);
    return {make_postgres_server(Side::kSource, request, use), make_postgres_server(Side::kTarget, request, use)};
}

}  // namespace parity::driver
