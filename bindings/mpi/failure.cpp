#include "failure.h"

namespace surrogate::mpi {

int check(int status) {
    if (status >= 0)
        return status;
    fail(status, surrogate_last_error());
}

void check_mpi(int rc, const char *what) {
    if (rc == MPI_SUCCESS)
        return;
    char reason[MPI_MAX_ERROR_STRING + 1] = "";
    int length = 0;
    MPI_Error_string(rc, reason, &length);
    reason[length] = 0;
    fail(SURROGATE_ERROR_MPI, what, " failed: ", static_cast<const char *>(reason));
}

Failure current_failure() {
    try {
        throw;
    } catch (const Failure &failure) {
        return failure;
    } catch (const std::bad_alloc &) {
        return {SURROGATE_ERROR_MEMORY, "out of memory; free some, or use more ranks"};
    } catch (const std::exception &error) {
        return {SURROGATE_ERROR_INTERNAL, error.what()};
    } catch (...) {
        return {SURROGATE_ERROR_INTERNAL, "an exception of unknown type; this is a defect of the library"};
    }
}

int report_failure(const char *where) noexcept {
    try {
        const Failure failure = current_failure();
        surrogate_set_last_error(where, failure.what());
        return failure.status();
    } catch (...) { // no memory for the text
        surrogate_set_last_error(where, "out of memory");
        return SURROGATE_ERROR_MEMORY;
    }
}

} // namespace surrogate::mpi
