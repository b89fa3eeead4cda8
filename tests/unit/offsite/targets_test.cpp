#include "offsite/targets.hpp"

#include "target/whole.hpp"
#include "unit/offsite/support.hpp"

using namespace pgbakd;
using namespace pgbakd::testing;
using base::ErrorCode;
using offsite::Targets;

namespace {

struct House : Bench {
    base::ManualClock clock{today};
    int secrets_read = 0;
    Targets targets{{.executor = io.get_executor(),
                     .pool = pool,
                     .clock = clock,
                     .random = [] { return std::uint64_t{0}; },
                     .secret = [this](const model::SecretReference&) -> base::Secret {
                         ++secrets_read;
                         throw base::Error(ErrorCode::not_found, "there is no credential r2-secret");
                     },
                     .search_path = (directory / "bin").native(),
                     .runtime_directory = directory / "run"}};

    std::map<std::string, model::TargetSpec> specs() {
        model::S3Place bucket;
        bucket.provider = "other";
        bucket.endpoint = "https://s3.example.com";
        bucket.bucket = "backups";
        bucket.access_key_id.kind = model::SecretReference::Kind::credential;
        bucket.access_key_id.name = "r2-secret";
        std::filesystem::create_directories(directory / "nas");
        return {{"nas", {"nas", model::DirectoryPlace{directory / "nas", {}, {}}}},
                {"r2", {"r2", bucket}},
                {"drive", {"drive", model::RclonePlace{"gdrive:backups", {}, {}}}}};
    }
    offsite::TargetPtr open(const std::string& name) { return run(targets.open(name)); }
};

}  // namespace

TEST_CASE("a target is opened once, until the configuration is loaded again") {
    House house;
    house.targets.configure(house.specs(), 0);
    CHECK(house.targets.has("nas"));
    CHECK_FALSE(house.targets.has("none"));
    CHECK(house.targets.meters().empty());
    const auto first = house.open("nas");
    CHECK(house.open("nas") == first);
    CHECK(house.targets.meters().size() == 1);
    house.run(target::put_text(*first, "probe", "x", {}, {}));
    CHECK(house.targets.meters().at("nas")->uploads == 1);

    house.targets.configure(house.specs(), 1 << 20U);
    const auto second = house.open("nas");
    CHECK(second != first);
    // What was under way goes on, and the meter stays with the name.
    CHECK(house.run(target::get_text(*first, "probe", 10, {})) == "x");
    CHECK(house.targets.meters().at("nas")->bytes_received == 1);
    house.targets.configure({}, 0);
    CHECK(house.targets.meters().empty());
    CHECK_FALSE(house.targets.has("nas"));
}

TEST_CASE(
    "a target that cannot be opened says why, without its name, which whoever tells it names, and is tried anew each "
    "time") {
    House house;
    house.targets.configure(house.specs(), 0);
    const auto unknown = error_of([&] { house.open("none"); });
    CHECK(unknown.code() == ErrorCode::not_found);
    CHECK(unknown.message() == "there is no target \"none\"");
    for (int attempt = 1; attempt <= 2; ++attempt) {
        const auto error = error_of([&] { house.open("r2"); });
        CHECK(error.code() == ErrorCode::not_found);
        CHECK(error.message() == "there is no credential r2-secret");
        CHECK(house.secrets_read == attempt);
    }
    const auto error = error_of([&] { house.open("drive"); });
    CHECK(error.code() == ErrorCode::client_missing);
    CHECK_FALSE(error.message().starts_with("target"));
    CHECK_FALSE(error.hint().empty());
}

TEST_CASE("one copy is sent by one at a time") {
    House house;
    auto claim = house.targets.claim("r2", "shop/20260113_000001");
    REQUIRE(claim);
    CHECK(house.targets.is_claimed("r2", "shop/20260113_000001"));
    CHECK_FALSE(house.targets.claim("r2", "shop/20260113_000001"));
    CHECK(house.targets.claim("r2", "shop/20260114_000001"));
    CHECK(house.targets.claim("nas", "shop/20260113_000001"));
    CHECK_FALSE(house.targets.is_claimed("nas", "shop/20260113_000001"));
    claim.reset();
    CHECK_FALSE(house.targets.is_claimed("r2", "shop/20260113_000001"));
    CHECK(house.targets.claim("r2", "shop/20260113_000001"));
}

TEST_CASE("nothing of a target is still being closed when the targets are gone") {
    for (int i = 0; i < 20; ++i) {
        House house;
        house.targets.configure(house.specs(), 0);
        house.open("nas");
        {
            const Targets others(house.targets.around());
            // What is configured anew is closed aside.
            house.targets.configure(house.specs(), 0);
        }
        CHECK(offsite::wait_for_closed_targets(std::chrono::milliseconds(0)));
    }
}

TEST_CASE("what is told of a target once is told again when the configuration is loaded anew") {
    House house;
    house.targets.configure(house.specs(), 0);
    CHECK(house.targets.first_to_tell("nas", "sweep"));
    CHECK_FALSE(house.targets.first_to_tell("nas", "sweep"));
    CHECK(house.targets.first_to_tell("r2", "sweep"));
    house.targets.configure(house.specs(), 0);
    CHECK(house.targets.first_to_tell("nas", "sweep"));
}
