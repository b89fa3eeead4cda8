#include "postgres/failure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "postgres/session.hpp"

namespace pgbakd::postgres {
namespace {

using base::ErrorCode;
using enum base::Persistence;

struct Fact {
    std::string_view sqlstate;  // five characters, or a class of two
    Meaning meaning;
};

constexpr std::string_view look_at_log = "look into the server's log";
constexpr std::string_view starts_again =
    "the server is starting up or shutting down; wait until it accepts connections";

// Codes stand in front of their classes: the first row that fits is taken.
constexpr std::array facts{
    Fact{"08", {ErrorCode::unreachable, passing, "check the network between this host and the server"}},
    Fact{"0A", {ErrorCode::unsupported, lasting, {}}},
    Fact{"22021", {ErrorCode::server_error, lasting, "a name or text is not valid in the database's encoding"}},
    Fact{"25006", {ErrorCode::unsupported, lasting, "the server is a standby or read-only: use the primary for this"}},
    Fact{"25P03", {ErrorCode::unreachable, passing, {}}},
    Fact{"25P04", {ErrorCode::server_error, passing, "set transaction_timeout to 0 for role {user}"}},
    Fact{"28P01",
         {ErrorCode::authentication_failed, lasting,
          "check the password configured for user {user}, and the method in pg_hba.conf"}},
    Fact{"28",
         {ErrorCode::authentication_failed, lasting,
          "check that role {user} exists, may log in, and has a line in the server's pg_hba.conf for database "
          "{database} and this host"}},
    Fact{"3D", {ErrorCode::not_found, lasting, "check the name, or take the database out of the job"}},
    Fact{"3F", {ErrorCode::not_found, lasting, {}}},
    Fact{"40",
         {ErrorCode::server_error, passing,
          "on a standby, raise max_standby_streaming_delay or set hot_standby_feedback = on"}},
    Fact{"42501", {ErrorCode::permission_denied, lasting, "grant role {user} what it lacks"}},
    Fact{"42704", {ErrorCode::not_found, lasting, {}}},
    Fact{"42P01", {ErrorCode::not_found, lasting, {}}},
    Fact{"53100", {ErrorCode::no_space, lasting, "the disk of the server is full: free space there"}},
    Fact{"53200",
         {ErrorCode::server_error, passing,
          "the server ran out of memory; with very many tables raise max_locks_per_transaction"}},
    Fact{"53300",
         {ErrorCode::server_error, passing,
          "all connection slots are taken: raise max_connections, or the limit of role {user} or of the database"}},
    Fact{"53", {ErrorCode::server_error, passing, look_at_log}},
    Fact{"55006", {ErrorCode::conflict, passing, {}}},
    Fact{"55P03",
         {ErrorCode::conflict, passing,
          "another session holds a lock that conflicts: see pg_locks and pg_stat_activity, or raise "
          "lock_wait_timeout"}},
    Fact{"57014", {ErrorCode::server_error, passing, "somebody or a statement timeout cancelled the statement"}},
    Fact{"57P01", {ErrorCode::server_error, passing, "an administrator ended the session or stopped the server"}},
    Fact{"57P02", {ErrorCode::server_error, passing, "another backend crashed; look into the server's log"}},
    Fact{"57P03", {ErrorCode::server_error, passing, starts_again}},
    Fact{"57P04", {ErrorCode::not_found, lasting, "the database was dropped meanwhile"}},
    Fact{"57P05", {ErrorCode::unreachable, passing, {}}},
    Fact{"58", {ErrorCode::server_error, lasting, look_at_log}},
    Fact{"XX001",
         {ErrorCode::corrupt, lasting,
          "the server's data is damaged: keep the older backups, run pg_amcheck, and look into the server's log"}},
    Fact{"XX002", {ErrorCode::corrupt, lasting, "an index is damaged: run pg_amcheck, then REINDEX"}},
    Fact{"XX", {ErrorCode::server_error, lasting, look_at_log}},
};

std::string fill(std::string_view hint, const Place& place) {
    std::string text(hint);
    const auto replace = [&text](std::string_view mark, const std::string& value) {
        for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + value.size()))
            text.replace(at, mark.size(), value);
    };
    replace("{user}", place.user.empty() ? "of the daemon's own user" : place.user);
    replace("{database}", place.database);
    return text;
}

constexpr bool is_sqlstate(std::string_view text) noexcept {
    return text.size() == 5 &&
           std::ranges::all_of(text, [](char c) { return base::is_digit(c) || (c >= 'A' && c <= 'Z'); });
}

// "…FATAL:  28P01: password authentication failed": where the SQLSTATE stands. The word in front may be translated.
std::size_t find_sqlstate(std::string_view line) noexcept {
    for (auto at = line.find(":  "); at != std::string_view::npos; at = line.find(":  ", at + 1)) {
        const auto rest = line.substr(at + 3);
        if (rest.size() > 6 && is_sqlstate(rest.substr(0, 5)) && rest[5] == ':') return at + 3;
    }
    return std::string_view::npos;
}

// With sslmode "prefer" a refusal is followed by a second attempt without TLS, whose refusal ("no pg_hba.conf entry …
// no encryption") hides the cause.
int weight(std::string_view sqlstate) noexcept {
    if (sqlstate.empty()) return 0;
    return sqlstate == "28000" ? 1 : 2;
}

bool has(std::string_view text, std::string_view part) noexcept {
    return text.find(part) != std::string_view::npos;
}

// "Peer authentication failed for user …" has the SQLSTATE of many a refusal. The word stands in every translation, but
// roles and databases may bear it too.
bool is_peer_refusal(const Place& place, const ServerAnswer& answer) {
    if (answer.sqlstate != "28000") return false;
    auto text = answer.message;
    for (const auto& name : {place.user, place.database})
        for (auto at = text.find(name); !name.empty() && at != std::string::npos; at = text.find(name, at))
            text.erase(at, name.size());
    return has(base::to_lower(text), "peer");
}

std::string peer_hint(const Place& place) {
    const auto ours = place.system_user.empty() ? std::string("the daemon's own user") : place.system_user;
    if (place.user.empty() || place.user == ours)
        return fmt::format(
            "the operating-system user is {}: create the role {}, or map that user to one in pg_ident.conf", ours,
            ours);
    return fmt::format(
        "the operating-system user is {0}, and peer lets it in as role {0} only: run as user {1}, or map {0} to {1} in "
        "pg_ident.conf and name that map in pg_hba.conf (peer map=…), or set user: {0} if there is such a role",
        ours, place.user);
}

// "from host "192.0.2.7"": where the server sees us; empty where it does not say.
std::string_view client_address(std::string_view message) noexcept {
    constexpr std::string_view before = "from host \"";
    const auto begin = message.find(before);
    if (begin == std::string_view::npos) return {};
    const auto rest = message.substr(begin + before.size());
    const auto end = rest.find('"');
    return end == std::string_view::npos ? std::string_view{} : rest.substr(0, end);
}

// The line of pg_hba.conf that lets us in for replication (its manual, "The pg_hba.conf File").
std::string replication_line(const Place& place, const ServerAnswer& answer) {
    const auto user = quote_identifier(place.user.empty() ? place.system_user : place.user);
    const auto address = client_address(answer.message);
    const bool local = address.empty() ? place.host.empty() || place.host.starts_with('/') : address == "[local]";
    if (local) return fmt::format("local replication {} scram-sha-256 (or peer)", user);
    if (address.empty()) return fmt::format("host replication {} ADDRESS/32 scram-sha-256", user);
    return fmt::format("host replication {} {}/{} scram-sha-256", user, address, has(address, ":") ? 128 : 32);
}

// Of a walsender that was refused; empty: what holds for a backend holds for it too.
std::string hint_for_replication(const Place& place, const ServerAnswer& answer) {
    const auto user = quote_identifier(place.user.empty() ? place.system_user : place.user);
    if (answer.sqlstate == "42501") return fmt::format("ALTER ROLE {} REPLICATION", user);
    if (answer.sqlstate == "53300")
        return "raise max_wal_senders on the server (which wants a restart), or end what else it sends WAL or backups "
               "to";
    if (answer.sqlstate == "28000" && !is_peer_refusal(place, answer))
        return fmt::format(
            "pg_hba.conf needs a line of its own for replication, which \"all\" does not stand for: {}; then reload "
            "the "
            "server",
            replication_line(place, answer));
    return {};
}

std::string hint_for(const Place& place, const ServerAnswer& answer, const Meaning& meaning) {
    if (place.replication)
        if (auto hint = hint_for_replication(place, answer); !hint.empty()) return hint;
    // The same code at the door means the privilege to come in.
    if (answer.sqlstate == "42501" && !place.user.empty())
        return fmt::format("GRANT CONNECT ON DATABASE {} TO {}", quote_identifier(place.database),
                           quote_identifier(place.user));
    if (is_peer_refusal(place, answer)) return peer_hint(place);
    if (answer.sqlstate.starts_with("3D") && !place.database_key.empty())
        return fmt::format(
            "{} names the database to connect to first, to ask what there is (postgres if not given): "
            "name one that the server has, as template1",
            place.database_key);
    return fill(meaning.hint, place);
}

std::string hint_for_missing_password(const RefusedConnection& refused) {
    if (refused.password_empty)
        return "a password is configured, but what it names is empty: look into that file, variable or credential";
    if (refused.passfile.empty())
        return "give the server's entry one, as in password: {file: PATH}, or a passfile: PATH";
    return fmt::format("{} needs a line for this host, port, database and user, and mode 0600", refused.passfile);
}

// libpq's own texts; they are English as long as the program does not call setlocale() for messages.
Meaning meaning_of_client_text(std::string_view text) noexcept {
    if (has(text, "server does not support SSL"))
        return {ErrorCode::invalid_configuration, lasting, "turn on ssl at the server, or relax sslmode"};
    if (has(text, "certificate"))
        return {ErrorCode::authentication_failed, lasting,
                "check sslmode and sslrootcert, and the name in the server's certificate"};
    if (has(text, "Permission denied"))
        return {ErrorCode::permission_denied, lasting,
                "the daemon's user may not use the server's socket directory: check its mode"};
    if (text.starts_with("invalid ") || has(text, "invalid value for parameter"))
        return {ErrorCode::invalid_argument, lasting, "check the server's entry in the configuration"};
    if (has(text, "authentication") || has(text, "channel binding") || has(text, "SCRAM"))
        return {ErrorCode::authentication_failed, lasting, "check the authentication method in pg_hba.conf"};
    return {ErrorCode::unreachable, passing,
            "check that PostgreSQL runs there and listens (listen_addresses, port, unix_socket_directories), and the "
            "firewall"};
}

// What of the server was spoken to.
std::string inside(const Place& place) {
    return place.replication ? "for replication" : fmt::format("database \"{}\"", place.database);
}

std::string connecting(const Place& place) {
    if (place.replication)
        return fmt::format("cannot connect to {}{} for replication", place.text(),
                           place.user.empty() ? "" : " as " + place.user);
    return fmt::format("cannot connect to database \"{}\" on {}{}", place.database, place.text(),
                       place.user.empty() ? "" : " as " + place.user);
}

}  // namespace

std::string Place::text() const {
    std::string where = host.empty() ? "local socket" : host;
    if (where.find(':') != std::string::npos) where = "[" + where + "]";
    if (port != 0) where += ":" + std::to_string(port);
    return server.empty() ? "the server at " + where : fmt::format("server {} ({})", server, where);
}

Meaning meaning_of(std::string_view sqlstate) noexcept {
    for (const auto& fact : facts)
        if (sqlstate.starts_with(fact.sqlstate)) return fact.meaning;
    return {};
}

base::Error statement_failed(const Place& place, const ServerAnswer& answer) {
    if (answer.sqlstate.empty()) return connection_lost(place, answer.message);
    const auto meaning = meaning_of(answer.sqlstate);
    return {meaning.code,
            base::printable(fmt::format("{}, {}: {}{} (SQLSTATE {})", place.text(), inside(place), answer.message,
                                        answer.detail.empty() ? "" : " (" + answer.detail + ")", answer.sqlstate)),
            fill(meaning.hint, place), meaning.persistence};
}

base::Error connection_lost(const Place& place, std::string_view why) {
    const auto line = base::trim(why.substr(0, why.find('\n')));
    return {ErrorCode::unreachable,
            base::printable(fmt::format("the connection to {}, {}, was lost{}{}", place.text(), inside(place),
                                        line.empty() ? "" : ": ", line)),
            "look into the server's log, and check the network between this host and the server", passing};
}

ServerAnswer parse_connect_text(std::string_view text) {
    ServerAnswer best;
    bool in_best = false;
    for (const auto line : base::split(text, '\n')) {
        // "connection to server at "db1" (192.0.2.7), port 5432 failed: …": said in front of the message anyway.
        auto said = base::trim(line);
        if (const auto failed = said.find(" failed: ");
            failed != std::string_view::npos && said.starts_with("connection to "))
            said.remove_prefix(failed + 9);
        if (const auto at = find_sqlstate(said); at != std::string_view::npos) {
            const auto sqlstate = said.substr(at, 5);
            in_best = weight(sqlstate) > weight(best.sqlstate);
            if (in_best) best = {std::string(sqlstate), std::string(base::trim(said.substr(at + 6))), {}};
        } else if (in_best && said.starts_with("DETAIL:  ")) {
            best.detail = said.substr(9);
        } else if (best.message.empty() && !said.empty()) {
            best.message = said;
        }
    }
    return best;
}

base::Error connection_failed(const Place& place, const RefusedConnection& refused) {
    if (refused.password_missing) {
        const auto* fact = refused.password_empty ? ": the server wants a password and the one configured is empty"
                                                  : ": the server wants a password and none is configured";
        return {ErrorCode::authentication_failed, base::printable(connecting(place) + fact),
                hint_for_missing_password(refused)};
    }
    const auto answer = parse_connect_text(refused.text);
    const auto meaning = answer.sqlstate.empty() ? meaning_of_client_text(answer.message) : meaning_of(answer.sqlstate);
    auto message =
        fmt::format("{}: {}", connecting(place), answer.message.empty() ? "no reason given" : answer.message);
    if (!answer.detail.empty()) message += " (" + answer.detail + ")";
    if (!answer.sqlstate.empty()) message += fmt::format(" (SQLSTATE {})", answer.sqlstate);
    return {meaning.code, base::printable(message), hint_for(place, answer, meaning), meaning.persistence};
}

base::Error connection_timed_out(const Place& place, std::string_view within) {
    return {ErrorCode::timed_out, base::printable(fmt::format("{}: no answer within {}", connecting(place), within)),
            "check the host and the port, and that no firewall drops the packets", passing};
}

}  // namespace pgbakd::postgres
