// What the programs of these tests share: a scenario by name, and one file of answers a rank.
//
// PROGRAM SCENARIO FOLDER: rank r writes FOLDER/r, complete when it gets its name, and stays until pytest has seen the
// files of all ranks that can write one: a rank that ended would end the job, and MPI_Finalize waits for a stopped one.
#pragma once

#include "mpi/failure.h"

#include <chrono>
#include <csignal>
#include <cstdio>
#include <string>
#include <unistd.h>

struct Answers {
    Answers(const std::string &folder, int rank) : path(folder + "/" + std::to_string(rank)) {
        file = std::fopen((path + ".part").c_str(), "w");
    }
    ~Answers() {
        std::fclose(file);
        std::rename((path + ".part").c_str(), path.c_str());
    }
    template <class... Parts> void add(const Parts &...parts) {
        std::fprintf(file, "%s\n", surrogate::mpi::text(parts...).c_str());
    }
    /// Run `body`, which returns text, and answer "STATUS|text".
    template <class Body> void attempt(Body &&body) {
        try {
            add("SURROGATE_OK|", body());
        } catch (const surrogate::mpi::Failure &failure) {
            add(surrogate_status_name(failure.status()), "|", failure.text());
        }
    }
    std::string path;
    std::FILE *file;
};

inline double now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Fall silent, as a rank does whose node hangs.
inline void stop() {
    raise(SIGSTOP);
}

/// End of a scenario: with MPI_Finalize, unless a rank is stopped.
inline int leave(bool all_alive) {
    if (!all_alive)
        for (;;)
            ::pause();
    MPI_Finalize();
    return 0;
}
