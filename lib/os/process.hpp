// Child processes without a shell. A child leads its own process group, dies with us, and is told of by a pidfd.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/secret.hpp"
#include "os/descriptor.hpp"

namespace pgbakd::os {

struct Command {
    std::vector<std::string> argv;  // argv[0]: absolute path of the program
    struct Variable {
        std::string name;
        base::Secret value;
    };
    // The whole environment of the child: nothing is inherited but PATH, HOME, USER, LANG, LC_*, TZ, TMPDIR and these.
    std::vector<Variable> environment;
    std::filesystem::path working_directory;  // empty: ours
    int nice = 0;                             // added to ours
    bool capture_output = true;               // standard output into a pipe; else /dev/null
    bool feed_input = false;                  // standard input from us, by a socket; else /dev/null
    // What it reads first from its standard input, at most 64 KiB. Unless it is fed, nothing follows, and the input
    // ends when the Child, or this process, does: whoever reads it to its end learns of that.
    base::Secret first_input{};
    // What it reads in `secret_file`, once: keys, at most 64 KiB, that lie in no file on any disk.
    base::Secret secret_file_text{};
    static constexpr const char* secret_file = "/dev/fd/3";
};

// A running child. Owns its descriptors; destroying it kills its group with SIGKILL, waits for its end and reaps it.
class Child {
  public:
    // The child gets PR_SET_PDEATHSIG SIGKILL (so call it on a thread that lives as long as the program), its own
    // process group, default signals, no core dumps. Throws client_missing if the program cannot be executed,
    // invalid_argument for a program without an absolute path and for NUL bytes.
    [[nodiscard]] static Child spawn(const Command& command);
    Child(Child&& other) noexcept;
    Child& operator=(Child&& other) noexcept;
    ~Child();

    [[nodiscard]] pid_t pid() const noexcept { return pid_; }
    [[nodiscard]] const Descriptor& pidfd() const noexcept { return pidfd_; }  // readable when it has ended
    [[nodiscard]] Descriptor& output() noexcept { return output_; }            // non-blocking
    [[nodiscard]] Descriptor& errors() noexcept { return errors_; }            // non-blocking
    [[nodiscard]] Descriptor& input() noexcept { return input_; }              // non-blocking; if fed
    // To the whole process group. Nothing after reap().
    void signal(int number) noexcept;
    // Once the pidfd is readable: kills what is left of its group and reaps it. Called earlier, it waits. Once.
    struct Ending {
        int exit_code = 0;  // if it exited
        int signal = 0;     // not 0: killed by it
        [[nodiscard]] bool good() const noexcept { return exit_code == 0 && signal == 0; }
        [[nodiscard]] std::string text() const;  // "exit code 1", "killed by signal 9 (SIGKILL)"
    };
    [[nodiscard]] Ending reap();

  private:
    Child() = default;
    void end() noexcept;
    pid_t pid_ = -1;  // -1: none, or reaped
    Descriptor pidfd_, output_, errors_, input_;
};

}  // namespace pgbakd::os
