#include "config/domain_types.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/units.hpp"
#include "config/dump_options.hpp"

namespace pgbakd::config {
namespace {

using base::Result;

constexpr std::string_view catch_up_words = "skip, once, once within a duration, or all";

Result<model::CatchUp> parse_catch_up(std::string_view text) {
    using Policy = model::CatchUp::Policy;
    if (text == "skip") return model::CatchUp{Policy::skip, {}};
    if (text == "once") return model::CatchUp{Policy::once, {}};
    if (text == "all") return model::CatchUp{Policy::all, {}};
    constexpr std::string_view within = "once within ";
    if (!text.starts_with(within))
        return wrong(fmt::format("must be {} (got \"{}\")", catch_up_words, excerpt(text)),
                     "as in catch_up: once within 12h; the default is once");
    const auto window = base::parse_duration(text.substr(within.size()));
    if (!window) return window.error();
    if (*window < std::chrono::minutes(1)) return wrong("the window must be at least 1m");
    return model::CatchUp{Policy::once, *window};
}

std::string print_catch_up(const model::CatchUp& catch_up) {
    switch (catch_up.policy) {
        case model::CatchUp::Policy::skip: return "skip";
        case model::CatchUp::Policy::all: return "all";
        case model::CatchUp::Policy::once: break;
    }
    return catch_up.within ? "once within " + base::canonical_duration(*catch_up.within) : "once";
}

Result<std::string> parse_host(std::string_view text) {
    // A connection string would smuggle a password past `password`.
    if (text.find_first_of(" =") != std::string_view::npos || text.find("://") != std::string_view::npos)
        return wrong("must be a host name, an address or a directory, not a connection string",
                     "give host, port, user and password as keys of their own");
    if (text.size() > 1024) return wrong("must be at most 1,024 bytes long");
    return std::string(text);
}

bool is_variable_name(std::string_view name) {
    const auto fits = [](char c) { return base::is_letter(c) || base::is_digit(c) || c == '_'; };
    return !base::is_digit(name.front()) && std::all_of(name.begin(), name.end(), fits);
}

bool is_credential_name(std::string_view name) {
    return name.size() <= 255 && name.find('/') == std::string_view::npos && name != "." && name != "..";
}

constexpr std::string_view secret_words = "{env: NAME}, {file: PATH}, {credential: NAME} or a text";

struct SecretForm {
    std::string_view key;
    model::SecretReference::Kind kind;
    bool (*accepts)(std::string_view);
    std::string_view fault;
};
constexpr std::array secret_forms{
    SecretForm{"env", model::SecretReference::Kind::environment, is_variable_name,
               "must be the name of an environment variable: letters, digits and \"_\""},
    SecretForm{"file", model::SecretReference::Kind::file, [](std::string_view path) { return path.starts_with('/'); },
               "must be an absolute path"},
    SecretForm{"credential", model::SecretReference::Kind::credential, is_credential_name,
               "must be the name of a credential: a file name without \"/\""},
};

void read_secret_form(Problems& problems, const Node& entry, model::SecretReference& secret) {
    if (entry.refused) return;
    const auto form = std::find_if(secret_forms.begin(), secret_forms.end(),
                                   [&entry](const SecretForm& each) { return each.key == entry.key; });
    if (form == secret_forms.end())
        return problems.error_at_key(entry, "unknown key", "keys here: env, file, credential");
    // Never the value itself: somebody may have put the secret here.
    if (entry.kind != Node::Kind::scalar || entry.text.empty() || !form->accepts(entry.text))
        return problems.error(entry, std::string(form->fault));
    const auto name = read_text(problems, entry, form->fault);
    if (!name) return;
    secret.kind = form->kind;
    secret.name = *name;
}

void read_secret(Problems& problems, const Node& node, model::SecretReference& secret) {
    secret.location = fmt::format("{}: {}", problems.where(node, node.place), node.path());
    if (node.kind == Node::Kind::map) {
        if (node.children.size() != 1)
            return problems.error(node, "must have one of the keys env, file and credential",
                                  "as in {credential: db-password}");
        return read_secret_form(problems, node.children.front(), secret);
    }
    if (node.kind != Node::Kind::scalar || node.text.empty())
        return wrong_type(problems, node, secret_words, "leave the key out if there is no password");
    if (node.text.find('\0') != std::string::npos) return problems.error(node, "has a zero byte");
    const auto& document = problems.document(node);
    if (document.readable_by_others)
        return problems.error(node, "a secret in a file that group or others can read",
                              fmt::format("chmod 600 {}, or move the secret out: {{env: NAME}}, {{file: PATH}} or "
                                          "{{credential: NAME}}",
                                          document.file));
    secret.kind = model::SecretReference::Kind::literal;
    secret.literal = base::Secret(node.text);
}

std::string print_secret(const model::SecretReference& secret) {
    if (secret.kind == model::SecretReference::Kind::none) return {};
    for (const auto& form : secret_forms)
        if (form.kind == secret.kind) return fmt::format("{{{}: {}}}", form.key, yaml_scalar(secret.name));
    return "\"***\"";
}

Result<std::string> parse_tdengine_database(std::string_view text) {
    // TSDB_DB_NAME_LEN of TDengine's include/util/tdef.h, with the zero at its end.
    constexpr std::size_t longest = 64;
    if (text.size() > longest)
        return wrong(fmt::format("must be at most {} bytes long (got {})", longest, text.size()));
    // taosdump takes a list with commas, and a word that begins with "-" for an option; "." ends a database's name.
    if (text.starts_with('-') || text.find_first_of(",.`") != std::string_view::npos)
        return wrong(fmt::format("must be the name of a database (got \"{}\")", excerpt(text)),
                     "as `show databases` prints it, each an element of its own");
    return std::string(text);
}

// `all`, or names, as two members of a source.
template <class Source>
Type<Source> all_or_named(const Type<std::vector<std::string>>& names) {
    auto read = [names](Problems& problems, const Node& node, Source& source) {
        if (node.kind == Node::Kind::scalar && node.text == "all") {
            source.all_databases = true;
            return;
        }
        names.read(problems, node, source.databases);
        if (node.kind == Node::Kind::list && node.children.empty())
            problems.error(node, "an empty list: there is nothing to back up",
                           "write databases: all, or a list as in [shop, crm]");
        const auto& named = source.databases;
        if (std::find(named.begin(), named.end(), "all") != named.end())
            problems.warning(node, "this is a database of the name \"all\"",
                             "for all databases write databases: all, without brackets");
    };
    auto write = [names](const Source& source) {
        return source.all_databases ? std::string("all") : names.write(source.databases);
    };
    return {"`all` or a list of database names", std::move(read), std::move(write)};
}

}  // namespace

Type<calendar::Schedule> schedule() {
    return text_form<calendar::Schedule>("a schedule", calendar::Schedule::parse,
                                         [](const calendar::Schedule& value) { return value.canonical(); });
}

Type<std::string> time_zone() {
    return text("the name of a time zone (`Europe/Berlin`)", 255);
}

Type<model::CatchUp> catch_up() {
    return text_form<model::CatchUp>("`skip`, `once`, `once within` a duration, or `all`", parse_catch_up,
                                     print_catch_up);
}

Type<codec::Compression> compression() {
    return text_form<codec::Compression>("`none`, `gzip`, `gzip:1` to `gzip:12`, `zstd`, or `zstd:1` to `zstd:19`",
                                         codec::parse_compression, codec::compression_text);
}

Type<model::SecretReference> secret() {
    return {"`{env: NAME}`, `{file: PATH}`, `{credential: NAME}` or a text", read_secret, print_secret};
}

Type<std::string> host_name() {
    return text_form<std::string>("a host name, an address or a directory", parse_host,
                                  [](const std::string& value) { return value; });
}

Type<std::vector<std::string>> database_names(std::string words) {
    return set_of(text("the name of a database", 63), std::move(words));
}

Type<model::PgDumpSource> databases() {
    return all_or_named<model::PgDumpSource>(database_names("all or a list of database names"));
}

Type<model::TaosdumpSource> tdengine_databases() {
    const auto name = text_form<std::string>("the name of a database", parse_tdengine_database,
                                             [](const std::string& value) { return value; });
    return all_or_named<model::TaosdumpSource>(set_of(name, "all or a list of database names"));
}

Type<std::vector<std::string>> dump_options() {
    auto type = list_of(text("an option", 4096), "a list of options");
    type.read = [read = type.read](Problems& problems, const Node& node, std::vector<std::string>& options) {
        read(problems, node, options);
        if (node.kind == Node::Kind::list) check_dump_options(problems, node);
    };
    return type;
}

Type<std::filesystem::path> socket_path() {
    // sockaddr_un.sun_path has 108 bytes, the last of them a zero.
    static constexpr std::size_t longest = 107;
    auto type = absolute_path();
    type.read = [read = type.read](Problems& problems, const Node& node, std::filesystem::path& path) {
        read(problems, node, path);
        if (!node.refused && !path.has_filename())
            problems.error(node, "must name a file, not a directory", "as /run/pgbakd/control.sock");
        if (!node.refused && path.native().size() > longest)
            problems.error(node, fmt::format("must be at most {} bytes long (got {})", longest, path.native().size()),
                           "Unix sockets have short paths, as /run/pgbakd/control.sock");
    };
    return type;
}

Type<std::filesystem::path> own_directory() {
    auto type = absolute_path();
    type.read = [read = type.read](Problems& problems, const Node& node, std::filesystem::path& path) {
        read(problems, node, path);
        if (!node.refused && path == path.root_path())
            problems.error(node, "must not be the root directory", "give it a directory of its own");
    };
    return type;
}

}  // namespace pgbakd::config
