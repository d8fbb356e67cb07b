# Libraries as archives, for a command that needs nothing but glibc (scripts/portable). Of fmt, spdlog and toml++ Debian has no archives:
# they are compiled from their headers.
foreach(name pgcommon pgport ssl crypto)
  find_library(PARITY_${name} ${name} HINTS ${PostgreSQL_ROOT}/lib REQUIRED)
endforeach()

find_library(PARITY_prometheus prometheus-cpp-core HINTS ${Prometheus_ROOT}/lib REQUIRED)

add_library(parity_libraries INTERFACE)
target_compile_definitions(parity_libraries INTERFACE FMT_HEADER_ONLY=1 SPDLOG_FMT_EXTERNAL TOML_HEADER_ONLY=1)
target_link_libraries(parity_libraries INTERFACE ${PostgreSQL_LIBRARIES} ${PARITY_pgcommon} ${PARITY_pgport}
                      ${PARITY_ssl} ${PARITY_crypto} ${PARITY_prometheus})
target_include_directories(parity_libraries SYSTEM INTERFACE ${PostgreSQL_INCLUDE_DIRS} ${Prometheus_ROOT}/include)
target_link_options(parity_libraries INTERFACE -static-libstdc++ -static-libgcc LINKER:--gc-sections,-z,relro,-z,now)
