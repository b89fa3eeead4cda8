#include <fstream>

#include "support/catch.hpp"
#include "support/temporary_directory.hpp"
#include "target/rclone_listing.hpp"
#include "target/rclone_program.hpp"

namespace base = pgbakd::base;
namespace target = pgbakd::target;
using base::ErrorCode;

TEST_CASE("what rclone's end means") {
    struct Row {
        int exit_code, signal;
        std::deque<std::string> lines;
        ErrorCode code;
        bool passing;
        std::string_view text;
    };
    for (const auto& row : {
             Row{3,
                 0,
                 {"Failed to lsjson: directory not found"},
                 ErrorCode::not_found,
                 false,
                 "x failed: exit code 3: Failed to lsjson: directory not found"},
             Row{4, 0, {}, ErrorCode::not_found, false, "x failed: exit code 4"},
             Row{5, 0, {"try again"}, ErrorCode::server_error, true, "try again"},
             Row{6, 0, {"461"}, ErrorCode::program_failed, false, "461"},
             Row{7, 0, {"account suspended"}, ErrorCode::program_failed, false, "suspended"},
             Row{8, 0, {}, ErrorCode::program_failed, false, "8"},
             Row{1, 0, {"something new"}, ErrorCode::program_failed, true, "something new"},
             Row{2, 0, {"something new"}, ErrorCode::program_failed, true, "something new"},
             Row{0, 9, {}, ErrorCode::program_failed, true, "killed by signal 9 (SIGKILL)"},
             Row{1, 0, {"Fatal error: unknown flag: --bogus"}, ErrorCode::unsupported, false, "--bogus"},
             Row{1, 0, {"open /x: Permission denied"}, ErrorCode::permission_denied, false, "Permission denied"},
             Row{1, 0, {"AccessDenied: Access Denied", "status code: 403"}, ErrorCode::permission_denied, false, ""},
             Row{1, 0, {"googleapi: Error 403: kept, retentionPolicyNotMet"}, ErrorCode::permission_denied, false, ""},
             Row{1,
                 0,
                 {"ERROR : a: Couldn't delete: googleapi: Error 403: The user does not have sufficient permissions for "
                  "this file., insufficientFilePermissions"},
                 ErrorCode::permission_denied,
                 false,
                 "insufficientFilePermissions"},
             Row{1,
                 0,
                 {"googleapi: Error 403: a@b.iam.gserviceaccount.com does not have storage.objects.delete access to "
                  "the "
                  "Google Cloud Storage object., forbidden"},
                 ErrorCode::permission_denied,
                 false,
                 ""},
             Row{1, 0, {"googleapi: Error 403: Not allowed, forbidden"}, ErrorCode::permission_denied, false, ""},
             Row{1, 0, {"ERROR CODE: AuthorizationPermissionMismatch"}, ErrorCode::permission_denied, false, ""},
             Row{1,
                 0,
                 {"googleapi: Error 403: Rate Limit Exceeded, rateLimitExceeded"},
                 ErrorCode::server_error,
                 true,
                 ""},
             Row{1, 0, {"googleapi: Error 403: userRateLimitExceeded"}, ErrorCode::server_error, true, ""},
             Row{1, 0, {"googleapi: Error 403: storageQuotaExceeded"}, ErrorCode::no_space, false, ""},
             Row{1, 0, {"oauth2: cannot fetch token: invalid_grant"}, ErrorCode::authentication_failed, false, ""},
             Row{1, 0, {"dial tcp 127.0.0.1:1: connect: connection refused"}, ErrorCode::unreachable, true, ""},
             Row{1, 0, {"write /x: no space left on device"}, ErrorCode::no_space, false, ""},
             Row{1, 0, {"x509: certificate signed by unknown authority"}, ErrorCode::unreachable, false, ""},
         }) {
        const auto error = target::rclone_error("x", {.exit_code = row.exit_code, .signal = row.signal}, row.lines);
        INFO(error.message());
        CHECK(error.code() == row.code);
        CHECK(error.is_passing() == row.passing);
        CHECK(error.message().find(row.text) != std::string::npos);
    }
    const auto last = target::rclone_error("x", {.exit_code = 1, .signal = 0},
                                           {"1", "2", "ERROR : Attempt 1/1 failed with 1 errors and: 3", "3", "4"});
    CHECK(last.message() == "x failed: exit code 1: 2; 3; 4");
}

TEST_CASE("what rclone lists becomes entries") {
    const auto entry = target::parse_rclone_item(
        R"({"Path":"a b/ü.x","Name":"ü.x","Size":6,"ModTime":"2026-11-21T11:45:33.526190839+01:00","IsDir":false,)"
        R"("Hashes":{"SHA-1":"F572","md5":"b194","sha256":""}})",
        "job/");
    REQUIRE(entry.has_value());
    REQUIRE(entry->has_value());
    CHECK((*entry)->key == "job/a b/ü.x");
    CHECK((*entry)->size == 6);
    CHECK((*entry)->modified.time_since_epoch() == std::chrono::milliseconds(1795257933526));
    CHECK((*entry)->checksums == std::vector<target::Checksum>{{"sha-1", "f572"}, {"md5", "b194"}});
    const auto directory = target::parse_rclone_item(R"({"Path":"a","Size":-1,"IsDir":true})", "");
    REQUIRE(directory.has_value());
    CHECK_FALSE(directory->has_value());
    for (const auto* text :
         {"", "[]", "{}", R"({"Path":1,"Size":1})", R"({"Path":"a","Size":"1"})", R"({"Path":"a")"}) {
        INFO(text);
        const auto found = target::parse_rclone_item(text, "");
        REQUIRE_FALSE(found.has_value());
        CHECK(found.error().code() == ErrorCode::corrupt);
    }
}

TEST_CASE("when an item came is read of directories too") {
    CHECK(target::parse_rclone_time(
              R"({"Path":"a","Size":-1,"ModTime":"2026-11-21T11:45:33.526190839+01:00","IsDir":true})")
              .time_since_epoch() == std::chrono::milliseconds(1795257933526));
    for (const auto* text : {"", "[]", "{}", R"({"ModTime":""})", R"({"ModTime":1})"})
        CHECK(target::parse_rclone_time(text) == base::Timestamp{});
}

TEST_CASE("what a remote can do is read from rclone's features") {
    const auto all = target::parse_rclone_features(
        R"({"Hashes":["md5"],"Features":{"Move":false,"Copy":true,"CanHaveEmptyDirectories":true}})");
    REQUIRE(all.has_value());
    CHECK(all->moves);
    CHECK(all->directories);
    CHECK(all->checksums);
    const auto none = target::parse_rclone_features(R"({"Hashes":[],"Features":{"Move":false}})");
    REQUIRE(none.has_value());
    CHECK_FALSE(none->moves);
    CHECK_FALSE(none->directories);
    CHECK_FALSE(none->checksums);
    CHECK_FALSE(target::parse_rclone_features("[]").has_value());
}

TEST_CASE("the room of a remote is what rclone tells to be free") {
    const auto about = [](const char* text) { return target::parse_rclone_about(text).value(); };
    const auto room = about(R"({"total":1000,"used":900,"free":90})");
    REQUIRE(room);
    CHECK(room->total == 1000);
    CHECK(room->available == 90);
    const auto without_total = about(R"({"used":900,"free":90})");
    REQUIRE(without_total);
    CHECK(without_total->total == 0);
    for (const auto* text : {"{}", R"({"total":1000,"used":900})", R"({"free":-1})", R"({"free":"9"})"}) {
        INFO(text);
        CHECK_FALSE(about(text));
    }
    CHECK_FALSE(target::parse_rclone_about("[]").has_value());
}

TEST_CASE("copies of rclone's configuration that no process holds are removed, and nothing else is") {
    const support::TemporaryDirectory directory;
    const auto file = directory / "rclone.conf";
    const auto run = directory / "run";
    const std::string digits = "0123456789abcdef0123456789abcdef";
    std::ofstream(file) << "[a]\ntype = local\n";
    const auto make = [&](const std::string& name) {
        std::filesystem::create_directories(run / name);
        std::ofstream(run / name / "rclone.conf") << "pass = S3cretWord\n";
        return run / name;
    };
    const auto left = make("rclone-" + digits);
    const std::vector<std::filesystem::path> others{make("rclone-mine"), make("rclone-" + digits + "0"),
                                                    make("x-rclone-" + digits), make("elsewhere")};
    const auto link = run / ("rclone-1" + digits.substr(1));
    std::filesystem::create_directory_symlink(run / "elsewhere", link);
    std::filesystem::path first, second;
    {
        target::RcloneConfigCopy one(file, run);
        first = one.refresh();
        CHECK_FALSE(std::filesystem::exists(left));
        target::RcloneConfigCopy two(file, run);
        second = two.refresh();
        CHECK(first != second);
        CHECK(std::filesystem::exists(first));
        CHECK(std::filesystem::exists(second));
        CHECK(one.refresh() == first);
    }
    CHECK_FALSE(std::filesystem::exists(first.parent_path()));
    CHECK_FALSE(std::filesystem::exists(second.parent_path()));
    for (const auto& other : others) CHECK(std::filesystem::exists(other / "rclone.conf"));
    CHECK(std::filesystem::is_symlink(link));
}
