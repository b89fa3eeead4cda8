// Secrets in JSON.
#include "redact_support.hpp"

using namespace pgbakd::source;
using namespace pgbakd::source::testing;

TEST_CASE("values of secret keys in JSON become ***, and nothing else changes") {
    check_rows(RedactKind::json,
               std::array{
                   Row{"", ""},
                   Row{"{}", "{}"},
                   Row{"{\"user\": \"bob\", \"password\": \"abc\"}\n", "{\"user\": \"bob\", \"password\": \"***\"}\n"},
                   Row{"{\"Api_Key\" :12.5e+3 , \"x\":[ ]}", "{\"Api_Key\" :\"***\" , \"x\":[ ]}"},
                   Row{"{\"password\": null, \"secret\": true}", "{\"password\": \"***\", \"secret\": \"***\"}"},
                   Row{"{\n  \"secrets\": {\n    \"a\": [1, {\"b\": \"}\"}]\n  },\n  \"x\": 1\n}\n",
                       "{\n  \"secrets\": \"***\",\n  \"x\": 1\n}\n"},
                   Row{"{\"a\": [{\"password\": \"x\"}, [{\"b_key\": []}]]}",
                       "{\"a\": [{\"password\": \"***\"}, [{\"b_key\": \"***\"}]]}"},
                   Row{"{\"pass\\u0077ord\": \"a\\\"b\\\\\"}", "{\"pass\\u0077ord\": \"***\"}"},
                   Row{"{\"Env\": [\"PATH=/bin\", \"DB_PASSWORD=abc\", \"--api-secret=x\"]}",
                       "{\"Env\": [\"PATH=/bin\", \"DB_PASSWORD=***\", \"--api-secret=***\"]}"},
                   Row{"[\"DB_PASS\\u0057ORD=abc\"]", "[\"***\"]"},
                   Row{"{\"note\": \"password: abc\"}", "{\"note\": \"password: abc\"}"},
                   Row{"// password\n{/* \"password\": 1 */ \"password\": 1, // x\n \"a\": [1,],}\n",
                       "// password\n{/* \"password\": 1 */ \"password\": \"***\", // x\n \"a\": [1,],}\n"},
                   Row{"{\"password\": 1}\n{\"password\": 2}\n", "{\"password\": \"***\"}\n{\"password\": \"***\"}\n"},
                   Row{"{\"\xC3\xA9\": \"\xC3\xA9\", \"password\": \"\xC3\xA9\"}",
                       "{\"\xC3\xA9\": \"\xC3\xA9\", \"password\": \"***\"}"},
               });
    check_refused(RedactKind::json, std::array{
                                        Row{"{\"password\": \"abc", "line 1: a string without an end"},
                                        Row{"{\n\"password\": \"a\nb\"}", "line 2: a string without an end"},
                                        Row{"{\"a\": 1", "line 1: no comma between values"},
                                        Row{"{'password': 1}", "line 1: no key where one should be"},
                                        Row{"{password: 1}", "line 1: no key where one should be"},
                                        Row{"{\"a\" 1}", "line 1: a key without a value"},
                                        Row{"{\"a\": 1 \"password\": 2}", "line 1: no comma between values"},
                                        Row{"{\"a\": }", "line 1: no value where one should be"},
                                        Row{"}", "line 1: no value where one should be"},
                                        Row{"/* {\"a\": 1}", "line 1: a comment without an end"},
                                        Row{"// x\r{\"password\": 1}\n", "line 1: a carriage return within a line"},
                                        Row{"{}\n\xFF\xFE{", "line 2: it is not UTF-8"},
                                    });
    CHECK(redacted(RedactKind::json, std::string(100'000, '[')) == "refused: line 1: nested too deeply");
}
