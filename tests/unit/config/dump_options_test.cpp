// Which options an administrator may hand to pg_dump.
#include "config/pg_dump_options.hpp"
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
    for (const auto* list : {"", "--exclude-table-data=audit_log", "--exclude-table-data, audit_log", "-T, audit.*",
                             "-Taudit", "-vxO", "-vnpublic", "-v, -n, file", "--no-own", "--role=backup",
                             "--exclude-table-and-children=x", "-X", "--filter=/etc/pgbakd/filter", "-t, --file=x"}) {
        CAPTURE(list);
        CHECK(problems_of_options(list) == "");
    }
    CHECK(dump_of(*config_of(with_job("", ", options: [-t, a]"))->jobs[0]).options ==
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

TEST_CASE("options that make the database itself are refused where the text would do it, and idle in an archive") {
    const std::string hint = "remove it: a set's commands make the database themselves, with all its properties";
    for (const std::string word : {"--create", "-C", "--clean", "-c", "--if-exists", "--cle", "--cr"}) {
        CAPTURE(word);
        const auto plain = load_text(with_job("", ", format: plain, options: [" + word + "]"));
        REQUIRE(plain.problems.size() == 1);
        CHECK(plain.problems[0].severity == Problem::Severity::error);
        CHECK(
            problem_text(plain.problems[0]).find(word + " makes SQL that a set is not restored by\n  hint: " + hint) !=
            std::string::npos);
        CHECK(problems_of_options(word) == "warning: options[0]: " + word +
                                               " does nothing in this format\n  hint: remove it: pg_restore has such "
                                               "options of its own\n");
    }
    CHECK(problems_of_options("-n, -c, -tC") == "");
}

TEST_CASE("what an option does to the choice of data is known in every spelling") {
    using Words = std::vector<std::string>;
    const auto chooses = [](const Words& words) { return dump_traits(words).chooses_data; };
    for (const auto& words : std::vector<Words>{{"-t", "a"},
                                                {"-ta"},
                                                {"-Ot", "a"},
                                                {"-OTa"},
                                                {"--tab=a"},
                                                {"--table", "a"},
                                                {"-e", "x"},
                                                {"-Os"},
                                                {"-ON", "public"},
                                                {"-n", "a"},
                                                {"--sec=pre-data"},
                                                {"--exclude-table=x"},
                                                {"--exclude-table-data=x"},
                                                {"--exclude-extension=x"},
                                                {"--no-unlogged-table-data"},
                                                {"--no-un"},
                                                {"--filter=/f"},
                                                {"--no-data"},
                                                {"--statistics-only"},
                                                {"--of-a-later-version"}}) {
        CAPTURE(words);
        CHECK(chooses(words));
    }
    // Values are no options, whatever they look like.
    for (const auto& words : std::vector<Words>{{},
                                                {"-O"},
                                                {"-vxO"},
                                                {"-S", "-t"},
                                                {"-E", "--table=a"},
                                                {"--role", "--schema-only"},
                                                {"--superuser=-t"},
                                                {"-a"},
                                                {"--no-owner", "--no-sync", "--inserts"}}) {
        CAPTURE(words);
        CHECK_FALSE(chooses(words));
    }
}

TEST_CASE("what else pgbakd must know of the options is read off them as getopt_long does") {
    using Words = std::vector<std::string>;
    struct Row {
        Words words;
        std::string role;
    };
    for (const auto& row : std::vector<Row>{{{}, ""},
                                            {{"--role=backup"}, "backup"},
                                            {{"--role", "backup"}, "backup"},
                                            {{"--rol=a b"}, "a b"},
                                            {{"--role=a=b"}, "a=b"},
                                            {{"--role=first", "--no-owner", "--role", "last"}, "last"},
                                            {{"-t", "--role=x"}, ""},
                                            {{"--rows-per-insert=5", "--ro=x", "--roles=x", "-O"}, ""},
                                            {{"--role"}, ""}}) {
        CAPTURE(row.words);
        CHECK(dump_traits(row.words).role == row.role);
    }
    CHECK(dump_traits(Words{"--enable-row"}).row_security);
    CHECK_FALSE(dump_traits(Words{"--role=x"}).row_security);
    CHECK_FALSE(dump_traits(Words{"-xO"}).with_owner);
    CHECK_FALSE(dump_traits(Words{"-Ox"}).with_privileges);
    CHECK_FALSE(dump_traits(Words{"--no-acl"}).with_privileges);
    CHECK_FALSE(dump_traits(Words{"--no-comm"}).with_comments);
    CHECK_FALSE(dump_traits(Words{"--no-tablespaces"}).with_tablespaces);
    CHECK(dump_traits(Words{"-Ov"}).verbose);
}

}  // namespace pgbakd::config
