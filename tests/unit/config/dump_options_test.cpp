// Which options an administrator may hand to pg_dump.
#include "support/catch.hpp"
#include "unit/config/support.hpp"

namespace pgbakd::config {

using namespace testing;

namespace {

// The problems of a list of options, without file and path.
std::string problems_of_options(const std::string& list) {
    const auto result = load_text(with_job("", ", options: [" + list + "]"));
    std::string all;
    for (const auto& problem : result.problems) {
        const auto text = problem_text(problem);
        const auto at = text.find("jobs.j.source.options");
        const bool warning = problem.severity == Problem::Severity::warning;
        all += (warning ? "warning: " : "") + text.substr(at + std::string_view("jobs.j.source.").size()) + "\n";
    }
    return all;
}

}  // namespace

TEST_CASE("options that leave the dump whole are taken as they are") {
    for (const auto* list :
         {"", "--exclude-table-data=audit_log", "--exclude-table-data, audit_log", "-T, audit.*", "-Taudit", "-vxO",
          "-vnpublic", "-v, -n, file", "--no-own", "--create, --clean, --if-exists", "--role=backup",
          "--exclude-table-and-children=x", "-X", "--filter=/etc/pgbakd/filter", "-t, --file=x"}) {
        CAPTURE(list);
        CHECK(problems_of_options(list) == "");
    }
    CHECK(config_of(with_job("", ", options: [-t, a]"))->jobs[0]->source.options ==
          std::vector<std::string>{"-t", "a"});
}

TEST_CASE("options that pgbakd sets itself are refused in every spelling") {
    const std::string own = " is not the administrator's to set\n  hint: pgbakd sets it itself: remove it\n";
    CHECK(problems_of_options("--file=/tmp/x") == "options[0]: --file" + own);
    CHECK(problems_of_options("--file, /tmp/x") == "options[0]: --file" + own);
    CHECK(problems_of_options("--fil=/tmp/x") == "options[0]: --fil (short for --file)" + own);
    CHECK(problems_of_options("-f, /tmp/x") == "options[0]: -f" + own);
    CHECK(problems_of_options("-vf/tmp/x") == "options[0]: -f" + own);
    CHECK(problems_of_options("--snapshot=1") == "options[0]: --snapshot" + own);
    CHECK(problems_of_options("-vFp") ==
          "options[0]: -F is not the administrator's to set\n  hint: use the key format\n");
    for (const auto* list :
         {"--format=p", "-Fp",        "--compress=9", "-Z9",           "--jobs=4", "-j4",    "--dbname=x",
          "-dx",        "--db=x",     "--host=x",     "-hx",           "--port=1", "-p1",    "--username=x",
          "-Ux",        "--password", "-W",           "--no-password", "-w",       "--no-p", "--lock-wait-timeout=1",
          "--lock=1",   "--version",  "-V",           "--help",        "-?",       "--he",   "-vOW"}) {
        CAPTURE(list);
        CHECK(problems_of_options("\"" + std::string(list) + "\"").find("is not the administrator's to set") !=
              std::string::npos);
    }
}

TEST_CASE("what is no option is refused") {
    CHECK(problems_of_options("shop") ==
          "options[0]: \"shop\" is not an option\n  hint: options begin with \"-\"; databases are named by the key "
          "databases\n");
    CHECK(problems_of_options("-v, shop").find("options[1]: \"shop\" is not an option") == 0);
    CHECK(problems_of_options("--").find("options[0]: \"--\" is not an option") == 0);
    CHECK(problems_of_options("-").find("options[0]: \"-\" is not an option") == 0);
    CHECK(problems_of_options("-v, -n") ==
          "options[1]: -n needs a value\n  hint: write it into the same element: "
          "[\"--exclude-table-data=audit_log\"]\n");
    CHECK(problems_of_options("-vq") ==
          "options[0]: \"-q\" is no option of pg_dump\n  hint: long options begin with two dashes\n");
    CHECK(problems_of_options("''") == "options[0]: must be an option (got \"\")\n  hint: the default is []\n");
}

TEST_CASE("options that make a partial set are a warning, unknown ones too") {
    CHECK(problems_of_options("--schema-only") ==
          "warning: options[0]: --schema-only leaves a part out: such a set cannot restore a database alone\n  hint: "
          "keep another job that dumps all of it\n");
    for (const auto* list : {"-s", "-a", "--data-only", "--section=data", "--no-data"}) {
        CAPTURE(list);
        CHECK(problems_of_options(list).find("leaves a part out") != std::string::npos);
    }
    CHECK(problems_of_options("--no-ownre") ==
          "warning: options[0]: --no-ownre is no option of pg_dump known to pgbakd\n  hint: did you mean "
          "\"--no-owner\"?\n");
    CHECK(problems_of_options("--qqq=1") ==
          "warning: options[0]: --qqq is no option of pg_dump known to pgbakd\n  hint: pg_dump itself decides when the "
          "job runs\n");
    CHECK(load_text(with_job("", ", options: [--schema-only]")).config);
}

TEST_CASE("a password in an option is refused") {
    for (const auto* list : {"-v, 'postgres://u:pw@h/d'", "'--role=x password=pw'", "-t, 'PASSWORD=pw'"}) {
        CAPTURE(list);
        CHECK(problems_of_options(list).find("a password in an option: everybody on the host can see options") !=
              std::string::npos);
    }
}

}  // namespace pgbakd::config
