// The verbs that speak to the daemon, against one that is scripted: good answers, refusals, and broken ones.
#include "admin/client.hpp"
#include "fake_daemon.hpp"
#include "support.hpp"

using namespace pgbakd;
using namespace pgbakd::admin;
using namespace pgbakd::admin::testing;

namespace {

const std::string run_id = "01KF9QG4000000000000000000";

std::string run_json(const std::string& status, const std::string& more = {}) {
    return R"({"run":")" + run_id + R"(","job":"shop-daily","status":")" + status +
           R"(","duration_seconds":4.1,"set":"shop-daily/20260119_010000","size_bytes":430080,)"
           R"("artifacts":[{"file":"shop.dump","database":"shop","bytes":430080,"raw_bytes":13000000,"verified":"decoded"}],)"
           R"("notes":["database \"new\" is new"],"error":null)" +
           more + "}";
}

std::string failed_json(const std::string& status, const std::string& code, const std::string& message) {
    return R"({"run":")" + run_id + R"(","job":"shop-daily","status":")" + status +
           R"(","duration_seconds":1,"set":null,"error":{"code":")" + code + R"(","message":")" + message +
           R"(","hint":"do this"}})";
}

std::string event(const std::string& name, const std::string& data) {
    return chunk("event: " + name + "\ndata: " + data + "\n\n");
}

Scripted stream(const std::vector<std::string>& events, bool well_ended = true) {
    std::string text = stream_head();
    for (const auto& each : events) text += each;
    return {text + (well_ended ? "0\r\n\r\n" : "")};
}

const std::string progress =
    R"({"run":"x","job":"shop-daily","stage":"dump","part":"shop","parts_done":0,"parts":1,"bytes":10,"expected_bytes":100})";

Scripted accepted() {
    return json_answer(202, R"({"run":")" + run_id + R"(","job":"shop-daily"})");
}

}  // namespace

TEST_CASE("no daemon: exit 5, where it was looked for, and how it is started") {
    Machine machine;
    for (const auto& arguments : {std::vector<std::string>{"status"},
                                  {"run", "shop-daily"},
                                  {"run", "shop-daily", "--wait"},
                                  {"cancel", run_id},
                                  {"reload"}}) {
        const auto ran = machine.run(arguments);
        CHECK(ran.exit == 5);
        CHECK(contains(ran.err, "pgbakctl: the daemon is not reachable at " + machine.socket().string() + ": "));
        CHECK(contains(ran.err, "hint: start it: systemctl start pgbakd"));
    }
    write(machine.socket(), "");  // a file that is no socket: nobody listens
    CHECK(text(machine.run({"--json", "status"}).json().at("error").at("code")) == "unreachable");
}

TEST_CASE("no daemon where a broken configuration left only the default to ask: exit 3, with what is broken") {
    Machine machine;
    write(machine.config_file(), "jobs: [");
    for (const auto& arguments : {std::vector<std::string>{"status"}, {"run", "shop-daily"}, {"reload"}}) {
        const auto ran = machine.run(arguments);
        CHECK(ran.exit == 3);
        CHECK(contains(ran.err, machine.config_file().string() + ":1:"));
    }
}

TEST_CASE("run prints the id of the run") {
    Machine machine;
    FakeDaemon daemon(machine.socket(), {accepted(), accepted()});
    const auto ran = machine.run({"run", "shop-daily"});
    CHECK(ran.exit == 0);
    CHECK(ran.out == run_id + "\n");
    CHECK(text(machine.run({"--json", "run", "a b"}).json().at("run")) == run_id);
    CHECK(daemon.requests() ==
          std::vector<std::string>{"POST /v1/jobs/shop-daily/runs HTTP/1.1", "POST /v1/jobs/a%20b/runs HTTP/1.1"});
}

TEST_CASE("milestone asks for a run by name") {
    Machine machine;
    FakeDaemon daemon(machine.socket(), {accepted()});
    CHECK(machine.run({"milestone", "shop-daily", "phase2_complete"}).out == run_id + "\n");
    CHECK(daemon.requests() ==
          std::vector<std::string>{"POST /v1/jobs/shop-daily/milestones/phase2_complete HTTP/1.1"});
    const auto wrong = machine.run({"milestone", "shop-daily", "a b"});
    CHECK(wrong.exit == 2);
    CHECK(contains(wrong.err, "milestone name \"a b\" has a character that names cannot have"));
    CHECK(machine.run({"milestone", "shop-daily"}).exit == 2);
}

TEST_CASE("refusals keep the daemon's words and have their exit codes") {
    struct Row {
        int status;
        std::string code;
        int exit;
    };
    for (const auto& row : {Row{404, "not_found", 6}, Row{409, "conflict", 75}, Row{400, "invalid_argument", 2},
                            Row{403, "permission_denied", 1}, Row{500, "internal", 1}}) {
        Machine machine;
        FakeDaemon daemon(machine.socket(),
                          {json_answer(row.status, R"({"error":{"code":")" + row.code +
                                                       R"(","message":"the fact","hint":"the advice"}})")});
        const auto ran = machine.run({"--json", "run", "shop-daily"});
        CHECK(ran.exit == row.exit);
        CHECK(ran.err == "pgbakctl: the fact\n  hint: the advice\n");
        CHECK(text(ran.json().at("error").at("code")) == row.code);
    }
}

TEST_CASE("run --wait exits with the outcome") {
    struct Row {
        std::string finished;
        int exit;
        std::string out, err;
    };
    const std::vector<Row> rows{
        {run_json("SUCCESS"), 0, "shop-daily succeeded in 4.1 s: shop-daily/20260119_010000 (420 KiB)", ""},
        {run_json("WARNING"), 0, "shop-daily succeeded, but a copy is owed, in 4.1 s", ""},
        {failed_json("FAILED", "authentication_failed", "wrong password"), 1, "shop-daily failed in 1.0 s",
         "pgbakctl: wrong password\n  hint: do this\n"},
        {failed_json("SKIPPED", "conflict", "another run holds this job"), 75, "shop-daily was skipped", "another run"},
        {failed_json("SKIPPED", "not_found", "no slot"), 1, "shop-daily was skipped", ""},
        {failed_json("CANCELLED", "cancelled", "somebody asked"), 1, "shop-daily was cancelled", ""},
        {failed_json("INTERRUPTED", "interrupted", "it stopped"), 1, "shop-daily was interrupted", ""},
    };
    for (const auto& row : rows) {
        Machine machine;
        FakeDaemon daemon(machine.socket(),
                          {accepted(), stream({event("progress", progress), event("finished", row.finished)})});
        const auto ran = machine.run({"run", "shop-daily", "--wait"});
        INFO(ran.out + ran.err);
        CHECK(ran.exit == row.exit);
        CHECK(contains(ran.out, row.out));
        CHECK(contains(ran.err, row.err));
        CHECK(daemon.requests().back() == "GET /v1/runs/" + run_id + "/events HTTP/1.1");
    }
}

TEST_CASE("run --wait --json prints the run as the daemon told it") {
    Machine machine;
    FakeDaemon daemon(machine.socket(), {accepted(), stream({event("finished", run_json("SUCCESS"))})});
    const auto ran = machine.run({"--json", "run", "shop-daily", "--wait"});
    CHECK(ran.exit == 0);
    CHECK(ran.json() == model::parse_json(run_json("SUCCESS"), 10000).value());
}

TEST_CASE("run --wait: a stream that ends without the outcome is asked about") {
    Machine machine;
    SECTION("the run had ended") {
        FakeDaemon daemon(machine.socket(),
                          {accepted(), stream({event("progress", progress)}), json_answer(200, run_json("SUCCESS"))});
        CHECK(machine.run({"run", "shop-daily", "--wait"}).exit == 0);
    }
    SECTION("the run had ended before we came to listen") {
        FakeDaemon daemon(machine.socket(), {accepted(), json_answer(404, R"({"error":{"message":"not running"}})"),
                                             json_answer(200, run_json("SUCCESS"))});
        CHECK(machine.run({"run", "shop-daily", "--wait"}).exit == 0);
    }
    SECTION("the daemon is gone") {
        FakeDaemon daemon(machine.socket(), {accepted(), stream({event("progress", progress)}, false)});
        const auto ran = machine.run({"run", "shop-daily", "--wait"});
        CHECK(ran.exit == 5);
        CHECK(contains(ran.err, "the connection to the daemon broke while run " + run_id + " went on"));
        CHECK(contains(ran.err, "hint: pgbakctl runs shows how it ended"));
    }
    SECTION("the run goes on, but nobody tells us") {
        FakeDaemon daemon(machine.socket(), {accepted(), stream({}), json_answer(200, run_json("RUNNING"))});
        CHECK(machine.run({"run", "shop-daily", "--wait"}).exit == 5);
    }
    SECTION("events that are no JSON are passed over") {
        FakeDaemon daemon(machine.socket(), {accepted(), stream({event("progress", "nonsense"), chunk(": alive\n\n"),
                                                                 event("finished", run_json("SUCCESS"))})});
        CHECK(machine.run({"run", "shop-daily", "--wait"}).exit == 0);
    }
}

TEST_CASE("answers that are none: exit 5, and no crash") {
    const std::vector<Scripted> broken{
        {""},
        {"HTTP/1.1 200 OK\r\nContent-Le"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"a\""},
        {"SSH-2.0-OpenSSH_9.2\r\n\r\n"},
        {"HTTP/1.1 200 OK\r\n" + std::string(40000, 'a') + ": b\r\n\r\n"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"},
        json_answer(200, "not json"),
        json_answer(200, "[1]"),
        json_answer(200, std::string(100, '[')),
        json_answer(200, ""),
    };
    for (const auto& answer : broken) {
        Machine machine;
        FakeDaemon daemon(machine.socket(), {answer});
        const auto ran = machine.run({"status"});
        INFO(answer.answer.substr(0, 60) + " -> " + ran.err);
        CHECK(ran.exit == 5);
        CHECK(contains(ran.err, "the daemon is not reachable at "));
    }
}

TEST_CASE("an answer that is strange but well-formed does no harm") {
    for (const std::string body :
         {"{}", R"({"daemon":7,"running":{},"jobs":[1,"x",{"job":3}],"next":[{"at":"never"}]})"}) {
        Machine machine;
        FakeDaemon daemon(machine.socket(), {json_answer(200, body), json_answer(202, body)});
        CHECK(machine.run({"status"}).exit == 0);
        CHECK(machine.run({"run", "shop-daily"}).exit == 1);
    }
}

TEST_CASE("a daemon that is silent is not waited for for ever") {
    Machine machine;
    Client::Limits limits;
    limits.answer = limits.silence = std::chrono::milliseconds(500);
    const Client client(machine.socket(), limits);
    SECTION("an answer has its time") {
        FakeDaemon daemon(machine.socket(), {{"", true}});
        try {
            (void)client.get("/v1/status");
            FAIL("no failure");
        } catch (const Failure& failure) {
            CHECK(failure.exit() == ExitCode::unreachable);
            CHECK(contains(failure.error().message(), "no answer within 500 ms"));
        }
    }
    SECTION("a wait without end goes on while the daemon lives") {
        FakeDaemon daemon(machine.socket(), {{"", true}, json_answer(200, "{}"), json_answer(200, "{}"), {"", true}});
        CHECK_THROWS_AS((void)client.remove("/v1/runs/x"), Failure);
        CHECK(daemon.requests() == std::vector<std::string>{"DELETE /v1/runs/x HTTP/1.1", "GET /v1/status HTTP/1.1",
                                                            "GET /v1/status HTTP/1.1", "GET /v1/status HTTP/1.1"});
    }
    SECTION("an answer may not grow without end") {
        limits.body = 1000;
        FakeDaemon daemon(machine.socket(), {json_answer(200, "{\"a\":\"" + std::string(2000, 'x') + "\"}")});
        CHECK_THROWS_AS((void)Client(machine.socket(), limits).get("/v1/status"), Failure);
    }
}

TEST_CASE("cancel waits for the end of the run; a job's name stands for its run") {
    const auto cancelled = failed_json("CANCELLED", "cancelled", "somebody asked");
    Machine machine;
    SECTION("by id") {
        FakeDaemon daemon(machine.socket(), {json_answer(200, cancelled)});
        const auto ran = machine.run({"cancel", run_id});
        CHECK(ran.exit == 0);
        CHECK(ran.out == "shop-daily was cancelled in 1.0 s\n");
        CHECK(ran.err.empty());
        CHECK(daemon.requests() == std::vector<std::string>{"DELETE /v1/runs/" + run_id + " HTTP/1.1"});
    }
    SECTION("by job") {
        FakeDaemon daemon(machine.socket(),
                          {json_answer(200, R"({"running":[{"run":")" + run_id + R"(","job":"shop-daily"}]})"),
                           json_answer(200, cancelled)});
        CHECK(machine.run({"cancel", "shop-daily"}).exit == 0);
        CHECK(daemon.requests().back() == "DELETE /v1/runs/" + run_id + " HTTP/1.1");
    }
    SECTION("a job that does not run") {
        FakeDaemon daemon(machine.socket(), {json_answer(200, R"({"running":[]})")});
        const auto ran = machine.run({"cancel", "shop-daily"});
        CHECK(ran.exit == 6);
        CHECK(contains(ran.err, "no run of \"shop-daily\" goes on"));
    }
    SECTION("a run that has ended is no conflict of jobs") {
        FakeDaemon daemon(machine.socket(),
                          {json_answer(409, R"({"error":{"code":"conflict","message":"it has ended"}})")});
        CHECK(machine.run({"cancel", run_id}).exit == 1);
    }
}

TEST_CASE("reload: what changed, or what is wrong and exit 3") {
    Machine machine;
    SECTION("accepted") {
        FakeDaemon daemon(machine.socket(),
                          {json_answer(200, R"({"accepted":true,"changes":["job x added","job y removed"]})"),
                           json_answer(200, R"({"accepted":true,"changes":[]})")});
        CHECK(machine.run({"reload"}).out == "reloaded: job x added\nreloaded: job y removed\n");
        CHECK(machine.run({"reload"}).out == "reloaded: nothing has changed\n");
    }
    SECTION("refused; and a configuration with errors still leads to the daemon") {
        machine.configure("  j: {schedule: never}\n");
        FakeDaemon daemon(
            machine.socket(),
            {json_answer(422,
                         R"({"accepted":false,"problems":[{"file":"/etc/pgbakd.yaml","line":9,"column":3,)"
                         R"("path":"jobs.j.schedule","message":"is none","hint":"say daily"}],)"
                         R"("error":{"code":"invalid_configuration","message":"the configuration is refused"}})")});
        const auto ran = machine.run({"--json", "reload"});
        CHECK(ran.exit == 3);
        CHECK(contains(ran.err, "/etc/pgbakd.yaml:9:3: jobs.j.schedule: is none\n  hint: say daily\n"));
        CHECK(contains(ran.err, "pgbakctl: the configuration is refused"));
        CHECK(ran.json().at("problems").at(0).at("line") == 9);
    }
    SECTION("--socket leads there whatever the configuration") {
        write(machine.config_file(), "{{{");
        FakeDaemon daemon(machine.socket(), {json_answer(200, R"({"changes":[]})")});
        CHECK(machine.run({"--socket", machine.socket().string(), "reload"}).exit == 0);
    }
}

TEST_CASE("status for people") {
    const std::string status =
        R"({"daemon":{"version":"0.1.0","pid":42,"started_at":"2026-01-19T00:00:00Z","ready":true},)"
        R"("running":[{"run":"01X","job":"all","stage":"dump","part":"shop","bytes":1048576,)"
        R"("rate_bytes_per_second":524288,"expected_end":"2026-01-20T00:05:00Z"}],)"
        R"("next":[{"job":"shop-daily","at":"2026-01-20T02:00:00+01:00"}],)"
        R"("jobs":[{"job":"shop-daily","last_success":"2026-01-19T01:00:04Z","findings":[],)"
        R"("newest_set":{"set":"shop-daily/20260119_020000","size_bytes":430080,"verified":"decoded"}},)"
        R"({"job":"all","last_success":null,"newest_set":null,"findings":[]}],)"
        R"("findings":[],"uploads":[{"target":"r2","object":"shop-daily/20260119_020000/shop.dump","bytes":1048576,)"
        R"("of":3145728,"rate_bytes_per_second":1024,"idle_seconds":29,"expected_end":"2026-01-20T00:35:00Z"},)"
        R"({"target":"nas","object":"shop-daily/20260119_020000/shop.dump","bytes":1048576,)"
        R"("of":3145728,"rate_bytes_per_second":1024,"idle_seconds":75,"expected_end":"2026-01-20T00:35:00Z"}],)"
        R"("owed":[],"alerts":{"waiting":0}})";
    Machine machine;
    FakeDaemon daemon(machine.socket(), {json_answer(200, status), json_answer(200, status)});
    const auto ran = machine.run({"status"});
    CHECK(ran.exit == 0);
    CHECK(ran.out ==
          "pgbakd 0.1.0, process 42, ready, since 2026-01-19 00:00 UTC\n"
          "\n"
          "running\n"
          "RUN  JOB  STAGE  PART   WRITTEN       RATE  EXPECTED END\n"
          "01X  all  dump   shop  1.00 MiB  512 KiB/s  2026-01-20 00:05 UTC\n"
          "\n"
          "uploads\n"
          "UPLOAD                                TARGET      SENT        OF                    RATE  EXPECTED END\n"
          "shop-daily/20260119_020000/shop.dump  r2      1.00 MiB  3.00 MiB              1.00 KiB/s  2026-01-20 01:35 "
          "CET\n"
          "shop-daily/20260119_020000/shop.dump  nas     1.00 MiB  3.00 MiB  nothing for 1 min 15 s  2026-01-20 01:35 "
          "CET\n"
          "\n"
          "next\n"
          "JOB         AT\n"
          "shop-daily  2026-01-20 02:00 CET  in 1 h\n"
          "\n"
          "jobs\n"
          "JOB         LAST SUCCESS                              NEWEST SET                     SIZE  VERIFIED\n"
          "shop-daily  2026-01-19 02:00:04 CET  22 h 59 min ago  shop-daily/20260119_020000  420 KiB  decoded\n"
          "all         none yet\n");
    CHECK(machine.run({"--json", "status"}).json() == model::parse_json(status, 10000).value());
}
