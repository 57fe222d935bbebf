// Counts heap allocations of the whole process, libraries included: the program's own malloc stands before libc's.
#pragma once

#include <cstdint>

int64_t allocations(); // made so far by the calling thread
