// Runs a command and prints what it took: bench_measure COMMAND [ARGUMENT…]
//   wall N   user N   system N   (nanoseconds)      peak N   (bytes resident)
// A program of its own because a process inherits the peak of the one that starts it: this one is small.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>

namespace {

long long nanoseconds(const timeval& time) {
    return (time.tv_sec * 1'000'000LL + time.tv_usec) * 1000;
}

}  // namespace

int main(int argc, char* argv[]) {
    if (argc < 2) {
        std::fprintf(stderr, "usage: bench_measure COMMAND [ARGUMENT...]\n");
        return 2;
    }
    const auto begin = std::chrono::steady_clock::now();
    const pid_t child = fork();
    if (child < 0) {
        std::perror("bench_measure: fork");
        return 1;
    }
    if (child == 0) {
        dup2(STDERR_FILENO, STDOUT_FILENO);  // the figures have standard output for themselves
        execvp(argv[1], argv + 1);
        std::perror(argv[1]);
        _exit(127);
    }
    int status = 0;
    rusage usage{};
    if (wait4(child, &status, 0, &usage) != child) {
        std::perror("bench_measure: wait4");
        return 1;
    }
    const std::chrono::nanoseconds wall = std::chrono::steady_clock::now() - begin;
    std::printf("wall %lld\nuser %lld\nsystem %lld\npeak %lld\n", static_cast<long long>(wall.count()),
                nanoseconds(usage.ru_utime), nanoseconds(usage.ru_stime), usage.ru_maxrss * 1024LL);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
