#include "systemd/credentials.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include "support/common.hpp"

namespace pgbakd::systemd {
namespace {

class Directory {
  public:
    Directory() {
        std::string name = (std::filesystem::temp_directory_path() / "pgbakd-credentials-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path = name;
        environment.credentials_directory = name;
    }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    ~Directory() { std::filesystem::remove_all(path); }
    void write(std::string_view name, std::string_view text) const {
        std::ofstream(path / name, std::ios::binary) << text;
    }
    std::filesystem::path path;
    Environment environment;
};

TEST_CASE("a credential is read as it is") {
    const Directory directory;
    for (const auto& text :
         {std::string("s3cret\n"), std::string(), std::string("a\0b", 3), std::string(1 << 20, 'x')}) {
        directory.write("main-password", text);
        const auto secret = credential("main-password", directory.environment);
        REQUIRE(secret);
        CHECK((secret->reveal() == text));
    }
}

TEST_CASE("what is no credential is an error that says what to do") {
    const Directory directory;
    directory.write("large", std::string((1 << 20) + 1, 'x'));
    std::filesystem::create_directory(directory.path / "directory");
    REQUIRE(::mkfifo((directory.path / "fifo").c_str(), 0600) == 0);
    struct Row {
        std::string name;
        base::ErrorCode code;
        std::string message;
    };
    using enum base::ErrorCode;
    for (const auto& row : {Row{"absent", not_found, "credential \"absent\" does not exist"},
                            Row{"large", corrupt, "credential \"large\" is larger than 1 MiB"},
                            Row{"directory", corrupt, "credential \"directory\" is not a regular file"},
                            Row{"fifo", corrupt, "credential \"fifo\" is not a regular file"},
                            Row{"", invalid_argument, "\"\" is no name of a credential"},
                            Row{"..", invalid_argument, "\"..\" is no name of a credential"},
                            Row{"../etc/passwd", invalid_argument, "\"../etc/passwd\" is no name of a credential"},
                            Row{"a:b", invalid_argument, "\"a:b\" is no name of a credential"},
                            Row{"a\nb", invalid_argument, "\"a?b\" is no name of a credential"}}) {
        const auto secret = credential(row.name, directory.environment);
        REQUIRE_FALSE(secret);
        CHECK(secret.error().message() == row.message);
        CHECK(secret.error().code() == row.code);
    }
    CHECK_FALSE(credential(std::string(256, 'x'), directory.environment));
    CHECK(credential("absent", directory.environment).error().hint().find("LoadCredential=absent:") == 4);
}

TEST_CASE("without a directory there are no credentials") {
    CHECK_FALSE(credentials_directory(Environment{}));
    Environment relative;
    relative.credentials_directory = "run/credentials";
    CHECK_FALSE(credentials_directory(relative));
    const auto secret = credential("main-password", Environment{});
    REQUIRE_FALSE(secret);
    CHECK(secret.error().message() == "credential \"main-password\": systemd handed over no credentials");
    CHECK(secret.error().code() == base::ErrorCode::not_found);
}

}  // namespace
}  // namespace pgbakd::systemd
