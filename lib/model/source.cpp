#include "model/source.hpp"

namespace pgbakd::model {
namespace {

struct Type {
    std::string_view operator()(const PgDumpSource& /*source*/) const noexcept { return "pg_dump"; }
    std::string_view operator()(const CommandSource& /*source*/) const noexcept { return "command"; }
    std::string_view operator()(const FilesSource& /*source*/) const noexcept { return "files"; }
    std::string_view operator()(const PgBasebackupSource& /*source*/) const noexcept { return "pg_basebackup"; }
    std::string_view operator()(const TaosdumpSource& /*source*/) const noexcept { return "taosdump"; }
};

struct Server {
    const std::string& operator()(const PgDumpSource& source) const noexcept { return source.server; }
    const std::string& operator()(const PgBasebackupSource& source) const noexcept { return source.server; }
    const std::string& operator()(const TaosdumpSource& source) const noexcept { return source.server; }
    template <class Other>
    const std::string& operator()(const Other& /*source*/) const noexcept {
        static const std::string none;
        return none;
    }
};

}  // namespace

std::string_view source_type(const Source& source) {
    return std::visit(Type{}, source);
}

const std::string& server_of(const Source& source) {
    return std::visit(Server{}, source);
}

}  // namespace pgbakd::model
