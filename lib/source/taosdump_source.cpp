#include "source/taosdump_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "async/child.hpp"
#include "async/timer.hpp"
#include "base/text.hpp"
#include "os/file.hpp"
#include "os/find_program.hpp"
#include "os/private_directory.hpp"
#include "source/client_failure.hpp"
#include "source/database_commands.hpp"
#include "source/reach.hpp"
#include "source/taosdump_stream.hpp"
#include "source/taosdump_stream_there.hpp"
#include "source/taosdump_there.hpp"

namespace pgbakd::source {
namespace {

namespace fs = std::filesystem;

// Where TDengine's own packages put their programs; the links to them in /usr/bin may be missing.
constexpr const char* own_directory = "/usr/local/taos/bin";
constexpr std::size_t longest_answer = std::size_t{4} << 20U;
constexpr std::chrono::seconds question_patience{60};

constexpr std::string_view install_hint =
    "install TDengine's client and taosTools, of the server's version (docs.tdengine.com), or name their directory in "
    "servers.NAME.client.bin";

template <class StreamOfDump>
class TaosdumpPart final : public OpenPart {
  public:
    template <class... Arguments>
    explicit TaosdumpPart(Arguments&&... arguments) : stream_(std::forward<Arguments>(arguments)...) {}
    [[nodiscard]] Stream& stream() noexcept override { return stream_; }
    [[nodiscard]] std::optional<model::DatabaseFacts> facts() const override {
        model::DatabaseFacts facts;
        facts.rows = stream_.rows();
        return facts;
    }

  private:
    StreamOfDump stream_;
};

// Reads what the shell prints, after it got the password.
asio::awaitable<async::Captured> converse(async::Child& child, base::Secret password, async::StopToken stop) {
    const base::Secret line(std::string(password.reveal()) + "\n");
    if (!password.empty()) co_await child.write(std::as_bytes(std::span(line.reveal())), stop);
    child.close_input();
    async::Captured captured;
    std::vector<std::byte> buffer(64 << 10);
    for (;;) {
        const auto count = co_await child.read(buffer, stop);
        if (count == 0) break;
        captured.output.append(reinterpret_cast<const char*>(buffer.data()), count);
        if (captured.output.size() > longest_answer)
            throw base::Error(base::ErrorCode::program_failed, "taos printed too much");
    }
    captured.ending = co_await child.finish(stop);
    captured.errors = child.error_text();
    co_return captured;
}

asio::awaitable<async::Captured> run_shell(os::Command command, base::Secret password, async::StopToken stop) {
    async::Child child(co_await asio::this_coro::executor, command);
    async::Captured captured;
    std::exception_ptr failure;
    try {
        captured = co_await converse(child, std::move(password), stop);
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure) {
        co_await child.abort();
        std::rethrow_exception(failure);
    }
    co_return captured;
}

}  // namespace

TaosdumpSource::TaosdumpSource(asio::any_io_executor executor, async::Pool& pool, Settings settings)
    : executor_(std::move(executor)), pool_(pool), settings_(std::move(settings)) {}

os::Command TaosdumpSource::command_of(const fs::path& program) const {
    const auto& server = settings_.server;
    os::Command command;
    command.argv = {program.string(), "-h", server.host, "-P", std::to_string(server.port), "-u", server.user};
    // Bare: the password comes by standard input, and never stands here.
    if (!settings_.password.empty()) command.argv.emplace_back("-p");
    const bool has_password = !settings_.password.empty();
    command.feed_input = has_password && !is_there();
    if (has_password && is_there()) command.first_input = base::Secret(std::string(settings_.password.reveal()) + "\n");
    command.environment.push_back(settings_.mark);
    // Messages in English, and UTF-8 as the charset of the client's nchar.
    command.environment.push_back({"LC_ALL", base::Secret("C.UTF-8")});
    command.nice = settings_.nice;
    return command;
}

bool TaosdumpSource::is_there() const noexcept {
    return settings_.server.client.where != model::ClientSpec::Where::here;
}

asio::awaitable<void> TaosdumpSource::find_programs_there(async::StopToken stop) {
    way_ = co_await find_client_way(pool_, settings_.server, settings_.search_path, stop);
    os::Command question;
    question.argv = taos_programs_question(way_.client);
    question.environment.push_back(settings_.mark);
    const auto command = command_there(way_, question);
    const auto what = "looking for taosdump " + located_text(way_.client);
    const auto answer = co_await ask_client(way_, command, what, stop);
    const auto found = parse_taos_programs(way_.client, answer);
    if (!found) throw base::Error(found.error());
    taosdump_ = found->taosdump;
    taos_ = found->taos;
    version_ = found->version;
}

asio::awaitable<void> TaosdumpSource::find_programs(async::StopToken stop) {
    if (is_there()) {
        co_await find_programs_there(stop);
        co_return;
    }
    const auto& bin = settings_.server.client.directory;
    auto directories = bin.empty() ? settings_.search_path : std::vector<fs::path>{bin};
    if (bin.empty()) directories.emplace_back(own_directory);
    const auto find = [directories] {
        return std::pair(os::find_program("taosdump", directories), os::find_program("taos", directories));
    };
    const auto found = co_await async::run_blocking(pool_, find);
    if (!found.first) {
        const auto where =
            bin.empty() ? "in the PATH of the daemon, nor in " + std::string(own_directory) : "in " + bin.string();
        throw base::Error(base::ErrorCode::client_missing, "there is no program taosdump " + where,
                          std::string(install_hint));
    }
    taosdump_ = *found.first;
    taos_ = found.second.value_or(fs::path());
    os::Command command;
    command.argv = {taosdump_.string(), "-V"};
    command.environment.push_back(settings_.mark);
    const auto captured = co_await async::capture(command, longest_answer, stop);
    version_ = taosdump_version(captured.output);
    if (version_.empty())
        throw base::Error(base::ErrorCode::client_missing,
                          fmt::format("{} -V names no version: {}", taosdump_.string(), captured.ending.text()),
                          std::string(install_hint));
}

asio::awaitable<std::optional<TaosAnswer>> TaosdumpSource::ask_server(async::StopToken stop) {
    const bool all = settings_.source.all_databases;
    if (taos_.empty() || !fits_taos_shell(settings_.password)) {
        if (!all) co_return std::nullopt;
        if (taos_.empty())
            throw base::Error(base::ErrorCode::client_missing,
                              "there is no program taos, which tells what databases the server has",
                              "install TDengine's client beside taosdump, or name the databases");
        throw base::Error(base::ErrorCode::invalid_configuration,
                          "the password is longer than the 128 bytes that taos reads",
                          "give the user another one, or name the databases");
    }
    const async::Deadline deadline(executor_, stop, question_patience, "asking server " + settings_.server.name);
    const auto command = question();
    async::Captured captured;
    if (is_there())
        captured = co_await ask_there(command, deadline.token());
    else
        captured = co_await ask_here(command, deadline.token());
    auto answer = parse_taos_answer(captured.output, captured.ending.text(), captured.errors);
    if (!answer) throw base::Error(answer.error().during("server " + settings_.server.name));
    co_return std::move(*answer);
}

os::Command TaosdumpSource::question() const {
    auto command = command_of(taos_);
    command.argv.insert(command.argv.end(), {"-s", taos_question()});
    return command;
}

asio::awaitable<async::Captured> TaosdumpSource::ask_here(os::Command command, async::StopToken stop) {
    const auto make_scratch = [] {
        return std::make_shared<os::PrivateDirectory>(os::PrivateDirectory::make("pgbakd-taos-"));
    };
    const auto scratch = co_await async::run_blocking(pool_, make_scratch);
    command.feed_input = true;
    // Its history and its log; both need a place that can be written to (source/util/src/tenv.c of TDengine).
    command.environment.push_back({"HOME", base::Secret(scratch->path().native())});
    command.environment.push_back({"TAOS_LOG_DIR", base::Secret(scratch->path().native())});
    command.working_directory = scratch->path();
    auto captured = co_await run_shell(command, settings_.password, stop);
    const auto remove_tree = [path = scratch->path()] { os::remove_tree(path); };
    co_await async::run_blocking(pool_, remove_tree);
    co_return captured;
}

asio::awaitable<async::Captured> TaosdumpSource::ask_there(os::Command command, async::StopToken stop) {
    const auto there = command_there(way_, taos_there(std::move(command)));
    auto captured = co_await async::capture(there, longest_answer, stop);
    captured.ending = ending_there(way_.client, captured.ending);
    const auto what = "asking server " + settings_.server.name;
    const auto failure = client_failure(way_.client, what, captured.ending, captured.errors);
    if (failure) throw base::Error(*failure);
    co_return captured;
}

void TaosdumpSource::choose_databases(const std::optional<TaosAnswer>& answer, Prepared& prepared) const {
    auto& chosen = prepared.origin.databases;
    chosen = settings_.source.all_databases ? answer->databases : settings_.source.databases;
    for (const auto& name : chosen) {
        if (!answer || std::find(answer->databases.begin(), answer->databases.end(), name) != answer->databases.end()) {
            prepared.parts.push_back(part_of(name));
            continue;
        }
        const auto near = base::closest(name, answer->databases);
        base::Error error(base::ErrorCode::not_found, fmt::format("database \"{}\" does not exist", name),
                          near ? fmt::format("did you mean \"{}\"?", *near) : "remove it from the job, or create it");
        prepared.refused.push_back({name, std::move(error)});
    }
}

asio::awaitable<Prepared> TaosdumpSource::prepare(async::StopToken stop) {
    const auto& server = settings_.server;
    const auto about = "server " + server.name;
    const auto usable = check_taos_password(settings_.password);
    if (!usable) throw base::Error(usable.error().during(about));
    co_await find_programs(stop);
    // Where they run elsewhere, so is the server, maybe out of reach from here.
    if (!is_there()) co_await reach(server.host, server.port, server.connect_timeout, about, stop);
    const auto answer = co_await ask_server(stop);
    Prepared prepared;
    prepared.origin.type = "taosdump";
    prepared.origin.server = server.name;
    prepared.origin.client_version = version_;
    if (answer) prepared.origin.server_version = answer->server_version;
    choose_databases(answer, prepared);
    const auto place = fmt::format("{}:{}", server.host, server.port);
    prepared.facts.push_back(answer ? fmt::format("server {} answers at {}: TDengine {}, as user {}", server.name,
                                                  place, answer->server_version, server.user)
                                    : fmt::format("server {} answers at {}", server.name, place));
    prepared.facts.push_back(fmt::format("client programs: {} in {}{}{}", version_, taosdump_.parent_path().string(),
                                         is_there() ? ", " : "", located_text(settings_.server.client)));
    prepared.summary = answer ? fmt::format("server {}, {}", answer->server_version, version_) : version_;
    co_return prepared;
}

Part TaosdumpSource::part_of(const std::string& database) const {
    Part part;
    part.kind = "database";
    part.database = database;
    part.format = "taosdump";
    part.stem = "taos_" + model::file_name_of_database(database);
    part.program = fmt::format("taosdump of \"{}\"", database);
    part.content = codec::Content::taosdump;
    part.outer = settings_.compression;
    part.compression = settings_.compression;
    part.extension = fmt::format(".tar{}", codec::file_extension(settings_.compression.method));
    return part;
}

std::unique_ptr<OpenPart> TaosdumpSource::open_there(const Part& part) const {
    auto command = command_of(taosdump_);
    if (needs_quotes(part.database)) command.argv.emplace_back("-e");
    command.argv.insert(command.argv.end(),
                        {"-D", part.database, "-o", TaosdumpStream::output_name, "-r", TaosdumpStream::result_name});
    TaosdumpStreamThere::Settings settings;
    settings.command = command_there(way_, taosdump_there(std::move(command), settings_.scratch + "-" + part.stem));
    settings.client = way_.client;
    settings.password = settings_.password;
    settings.database = part.database;
    settings.what = part.program;
    return std::make_unique<TaosdumpPart<TaosdumpStreamThere>>(executor_, std::move(settings));
}

asio::awaitable<std::unique_ptr<OpenPart>> TaosdumpSource::open(Part part, fs::path work, async::StopToken stop) {
    stop.check();
    if (is_there()) co_return open_there(part);
    // It refuses a directory with anything of a dump in it: what a failed attempt could not remove must not be there.
    const auto make_directories = [work] {
        os::remove_tree(work);
        for (const auto& directory : {work, work / TaosdumpStream::output_name, work / TaosdumpStream::log_name})
            if (!os::make_directory(directory))
                throw base::Error(base::ErrorCode::conflict, directory.string() + " is there already");
    };
    co_await async::run_blocking(pool_, make_directories);
    TaosdumpStream::Settings settings;
    settings.password = settings_.password;
    settings.database = part.database;
    settings.what = part.program;
    auto& command = settings.command;
    command = command_of(taosdump_);
    if (needs_quotes(part.database)) command.argv.emplace_back("-e");
    command.argv.insert(command.argv.end(),
                        {"-D", part.database, "-o", TaosdumpStream::output_name, "-r", TaosdumpStream::result_name});
    // The client logs to /var/log/taos, which the daemon may not write, and some versions do not go on then.
    command.environment.push_back({"TAOS_LOG_DIR", base::Secret((work / TaosdumpStream::log_name).native())});
    command.working_directory = work;
    command.capture_output = false;  // its progress; what matters goes to standard error
    std::exception_ptr failure;
    std::unique_ptr<OpenPart> opened;
    try {
        opened = std::make_unique<TaosdumpPart<TaosdumpStream>>(executor_, pool_, std::move(settings));
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure) {
        const auto remove_tree = [work] { os::remove_tree(work); };
        co_await async::run_blocking(pool_, remove_tree);
        std::rethrow_exception(failure);
    }
    co_return opened;
}

asio::awaitable<std::size_t> TaosdumpSource::end_leftovers(async::StopToken /*stop*/) {
    co_return 0;
}

std::vector<std::string> TaosdumpSource::stock_restore(const model::BackupSet& set) const {
    const auto& server = settings_.server;
    std::vector<std::string> commands;
    for (const auto& artifact : set.artifacts) {
        const auto directory = shell_word(artifact.file.substr(0, artifact.file.rfind(".tar")));
        commands.push_back("mkdir " + directory);
        commands.push_back(fmt::format("tar --extract --file={} --directory={}", shell_word(artifact.file), directory));
        // It asks for the password; the comment is for who wants the database beside the one that is there.
        commands.push_back(fmt::format("taosdump -h {} -P {} -u {} -p {}-i {}  # another name: -W {}=NEW",
                                       shell_word(server.host), server.port, shell_word(server.user),
                                       needs_quotes(artifact.database) ? "-e " : "", directory,
                                       shell_word(artifact.database)));
    }
    return commands;
}

}  // namespace pgbakd::source
