#include "run/cipher.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "async/timer.hpp"
#include "base/text.hpp"
#include "model/recipients.hpp"
#include "os/file.hpp"
#include "os/find_program.hpp"
#include "source/database_commands.hpp"

namespace pgbakd::run {
namespace {

constexpr std::size_t longest_file = std::size_t{256} << 10U;
constexpr std::chrono::seconds patience{30};  // gpg may have to look through a large keyring
constexpr std::string_view probe = "pgbakd";

std::vector<std::string> arguments(const model::Encryption& encryption, const std::string& program,
                                   const std::vector<std::string>& recipients) {
    const bool gpg = encryption.method() == "gpg";
    std::vector<std::string> argv{program};
    // What is compressed already is not compressed again; the key is meant, whoever has signed it.
    if (gpg)
        argv.insert(argv.end(), {"--batch", "--no-tty", "--quiet", "--trust-model", "always", "--compress-algo", "none",
                                 "--no-encrypt-to", "--encrypt"});
    for (const auto& recipient : recipients) {
        argv.emplace_back("--recipient");
        argv.push_back(recipient);
    }
    return argv;
}

// Blocks.
std::vector<std::string> recipients_of(const model::Encryption& encryption) {
    if (!encryption.gpg.empty()) return encryption.gpg;
    if (encryption.age_recipients_file.empty()) return encryption.age;
    const auto& path = encryption.age_recipients_file;
    auto recipients = model::parse_recipients_file(os::read_file(path, longest_file));
    if (!recipients) throw recipients.error().during(path.string());
    return std::move(recipients).value();
}

asio::awaitable<void> try_out(asio::any_io_executor executor, Cipher cipher, async::StopToken stop) {
    const async::Deadline deadline(executor, stop, patience, "trying the encryption");
    const auto until = deadline.token();
    const auto encryptor = encrypting_stage(executor, cipher);
    std::exception_ptr failure;
    try {
        std::vector<std::byte> bytes(probe.size());
        std::transform(probe.begin(), probe.end(), bytes.begin(), [](char c) { return static_cast<std::byte>(c); });
        encryptor->push(std::make_shared<const std::vector<std::byte>>(std::move(bytes)));
        encryptor->close();
        co_await encryptor->feed(until);
        std::vector<std::byte> into(65536);  // less than a pipe holds comes of it
        while (co_await encryptor->read(into, until) > 0) continue;
        co_await encryptor->finish(until);
    } catch (...) {
        failure = std::current_exception();
    }
    co_await encryptor->abort();
    stop.check();
    if (!failure) co_return;
    const auto error = base::to_error(failure);
    const std::string hint = cipher.method == "gpg"
                                 ? "the keys must be in the keyring of the daemon's account: gpg --import"
                                 : "look at the recipients of the job";
    throw base::Error(base::ErrorCode::invalid_configuration, error.message(), hint);
}

}  // namespace

asio::awaitable<std::optional<Cipher>> prepare_cipher(Services& services, std::shared_ptr<const model::JobSpec> job,
                                                      async::StopToken stop) {
    const auto& encryption = job->encryption;
    if (!encryption.is_on()) co_return std::nullopt;
    const auto look = [encryption, directories = services.programs.plain] {
        Cipher found;
        found.method = encryption.method();
        const auto program = os::find_program(found.method, directories);
        if (!program)
            throw base::Error(base::ErrorCode::client_missing, fmt::format("the program {} is not there", found.method),
                              fmt::format("install it: apt install {}", found.method == "gpg" ? "gnupg" : "age"));
        found.recipients = recipients_of(encryption);
        found.command.argv = arguments(encryption, program->string(), found.recipients);
        found.command.feed_input = true;
        return found;
    };
    auto cipher = co_await async::run_blocking(services.pool, look);
    cipher.command.nice = services.limits.nice;
    co_await try_out(services.executor, cipher, stop);
    co_return cipher;
}

std::unique_ptr<cipher::Stage> encrypting_stage(const asio::any_io_executor& executor, const Cipher& cipher) {
    const cipher::Explain explain = [method = cipher.method](const os::Child::Ending& ending,
                                                             const std::string& words) {
        return base::Error(base::ErrorCode::program_failed,
                           fmt::format("{} failed: {}{}{}", method, ending.text(), words.empty() ? "" : ": ", words),
                           {}, ending.signal != 0 ? base::Persistence::passing : base::Persistence::lasting);
    };
    return std::make_unique<cipher::Stage>(executor, cipher.command, explain);
}

std::vector<std::string> decrypting_commands(
    const model::BackupSet& set, const std::function<std::vector<std::string>(const model::BackupSet&)>& commands) {
    auto plain = set;
    std::vector<std::string> all;
    for (auto& artifact : plain.artifacts) {
        if (artifact.encryption.empty()) continue;
        const auto encrypted = artifact.file;
        artifact.file.resize(artifact.file.size() - artifact.encryption.size() - 1);
        const auto output = source::shell_word(artifact.file);
        const auto input = source::shell_word(encrypted);
        all.push_back(artifact.encryption == "gpg"
                          ? fmt::format("gpg --output {} --decrypt {}", output, input)
                          : fmt::format("age --decrypt --identity KEYFILE --output {} {}", output, input));
    }
    for (auto& command : commands(plain)) all.push_back(std::move(command));
    return all;
}

}  // namespace pgbakd::run
