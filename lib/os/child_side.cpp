#include "os/child_side.hpp"

#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace pgbakd::os {
namespace {

[[noreturn]] void give_up(const ChildPlan& plan, ChildStep step) noexcept {
    const ChildFailure what{step, errno};
    (void)!::write(plan.report, &what, sizeof what);
    ::_exit(127);
}

}  // namespace

void become(const ChildPlan& plan) noexcept {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != plan.parent) ::_exit(127);  // the parent died before prctl could take effect

    struct sigaction standard {};
    standard.sa_handler = SIG_DFL;
    for (int number = 1; number < NSIG; ++number) ::sigaction(number, &standard, nullptr);
    const struct rlimit no_core {};  // a core dump of a client would hold the database's password and rows
    ::setrlimit(RLIMIT_CORE, &no_core);
    // nice(2) itself is not on the list of safe calls. Refused only for less than ours, which nobody asks for.
    errno = 0;
    const int ours = ::getpriority(PRIO_PROCESS, 0);
    if (plan.nice != 0 && errno == 0) (void)::setpriority(PRIO_PROCESS, 0, ours + plan.nice);

    if (plan.directory != nullptr && ::chdir(plan.directory) != 0) give_up(plan, ChildStep::directory);
    if (::dup2(plan.input, STDIN_FILENO) < 0 || ::dup2(plan.output, STDOUT_FILENO) < 0 ||
        ::dup2(plan.errors, STDERR_FILENO) < 0)
        give_up(plan, ChildStep::streams);
    // For descriptors that a library opened without O_CLOEXEC. Kernels before 5.11 refuse it; then those leak.
    (void)::syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC);
    if (plan.secret >= 0 && ::dup2(plan.secret, secret_descriptor) < 0) give_up(plan, ChildStep::streams);
    sigset_t none;
    ::sigemptyset(&none);
    // NOLINTNEXTLINE(concurrency-mt-unsafe): the child has one thread
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::execve(plan.program, plan.argv, plan.environment);
    give_up(plan, ChildStep::execute);
}

}  // namespace pgbakd::os
