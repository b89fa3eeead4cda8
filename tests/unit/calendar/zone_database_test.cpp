// Finding zones by name in a directory, and the host's own zone.
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "support.hpp"
#include "support/catch.hpp"

namespace pgbakd::calendar {
namespace {

using namespace testing;
namespace fs = std::filesystem;

class Scratch {
  public:
    Scratch() {
        std::string name = (fs::temp_directory_path() / "pgbakd-zones-XXXXXX").string();
        if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
        path_ = name;
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    ~Scratch() { fs::remove_all(path_); }
    [[nodiscard]] const fs::path& path() const { return path_; }
    void write(const fs::path& name, std::string_view text) const {
        fs::create_directories((path_ / name).parent_path());
        std::ofstream(path_ / name, std::ios::binary) << text;
    }

  private:
    fs::path path_;
};

TEST_CASE("a zone is found by its name, once", "[calendar]") {
    ZoneDatabase database(data_directory() / "zoneinfo");
    const auto berlin = database.find("Europe/Berlin").value();
    CHECK(berlin->name() == "Europe/Berlin");
    CHECK(database.find("Europe/Berlin").value() == berlin);
    database.forget();
    CHECK(database.find("Europe/Berlin").value() != berlin);
    CHECK(database.find("America/Argentina/San_Luis"));
    CHECK(database.find("Etc/GMT-14"));
}

TEST_CASE("names that are none are refused, near ones are offered", "[calendar]") {
    ZoneDatabase database(data_directory() / "zoneinfo");
    struct Row {
        std::string name;
        base::ErrorCode code;
        std::string hint;
    };
    const auto row = GENERATE(values<Row>({
        {"Europe/Berlim", base::ErrorCode::not_found, "did you mean \"Europe/Berlin\"?"},
        {"europe/berlin", base::ErrorCode::not_found, "did you mean \"Europe/Berlin\"?"},
        {"Europe", base::ErrorCode::not_found, ""},
        {"localtime", base::ErrorCode::not_found, ""},
        {"right/UTC", base::ErrorCode::not_found, ""},
        {"", base::ErrorCode::invalid_argument, "use an IANA name"},
        {"/etc/localtime", base::ErrorCode::invalid_argument, "use an IANA name"},
        {"../../etc/passwd", base::ErrorCode::invalid_argument, "use an IANA name"},
        {"Europe/../UTC", base::ErrorCode::invalid_argument, "use an IANA name"},
        {"Europe/Berlin\n", base::ErrorCode::invalid_argument, "use an IANA name"},
        {std::string("UTC\0", 4), base::ErrorCode::invalid_argument, "use an IANA name"},
        {std::string(256, 'a'), base::ErrorCode::invalid_argument, "use an IANA name"},
    }));
    INFO(row.name);
    const auto zone = database.find(row.name);
    REQUIRE_FALSE(zone);
    CHECK(zone.error().code() == row.code);
    CHECK(zone.error().hint().substr(0, row.hint.size()) == row.hint);
}

TEST_CASE("names are listed without what is no zone", "[calendar]") {
    const auto names = ZoneDatabase(data_directory() / "zoneinfo").names();
    CHECK(std::is_sorted(names.begin(), names.end()));
    CHECK(std::count(names.begin(), names.end(), "Asia/Shanghai") == 1);
    const Scratch scratch;
    scratch.write("zone.tab", "# text");
    scratch.write("posix/UTC", "TZif2");
    scratch.write("Some/Zone", "TZif2");
    scratch.write("README", "text");
    CHECK(ZoneDatabase(scratch.path()).names() == std::vector<std::string>{"Some/Zone"});
    CHECK(ZoneDatabase(scratch.path() / "nowhere").names().empty());
}

TEST_CASE("a missing directory, a damaged file and a huge one are told apart", "[calendar]") {
    const Scratch scratch;
    scratch.write("Bad/Zone", "TZif2 and nothing more");
    scratch.write("Huge/Zone", "TZif2" + std::string(std::size_t{1} << 20U, ' '));
    ZoneDatabase database(scratch.path());
    CHECK(database.find("Bad/Zone").error().code() == base::ErrorCode::corrupt);
    CHECK(database.find("Huge/Zone").error().code() == base::ErrorCode::corrupt);
    const auto missing = ZoneDatabase(scratch.path() / "nowhere").find("UTC");
    REQUIRE_FALSE(missing);
    CHECK(missing.error().hint().starts_with("install the package tzdata"));
}

TEST_CASE("the host's zone is found where hosts keep it", "[calendar]") {
    const Scratch scratch;
    HostZoneSources sources;
    sources.zoneinfo = data_directory() / "zoneinfo";
    sources.localtime = scratch.path() / "localtime";
    sources.timezone = scratch.path() / "timezone";
    CHECK(ZoneDatabase::host_zone_name(sources) == "UTC");
    scratch.write("timezone", "Asia/Shanghai\n");
    CHECK(ZoneDatabase::host_zone_name(sources) == "Asia/Shanghai");
    fs::create_symlink("/usr/share/zoneinfo/posix/Europe/Berlin", sources.localtime);
    CHECK(ZoneDatabase::host_zone_name(sources) == "Europe/Berlin");
    for (const auto* tz : {"CET-1CEST,M3.5.0,M10.5.0/3", "", "No/Where", "../UTC"}) {
        sources.tz = tz;
        CHECK(ZoneDatabase::host_zone_name(sources) == "Europe/Berlin");
    }
    for (const auto* tz : {"Asia/Tokyo", ":Asia/Tokyo", ":/usr/share/zoneinfo/Asia/Tokyo"}) {
        sources.tz = tz;
        CHECK(ZoneDatabase::host_zone_name(sources) == "Asia/Tokyo");
    }
    CHECK_FALSE(ZoneDatabase::host_zone_name().empty());
}

}  // namespace
}  // namespace pgbakd::calendar
