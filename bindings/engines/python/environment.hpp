// Which Python a process without one gets: the interpreter whose packages are used, and its libpython.
#pragma once

#include <string>
#include <vector>

namespace surrogate_python {

/// What engine_options say; "" where they do not.
struct Wish {
    std::string python;    // an interpreter, for instance /home/me/venv/bin/python
    std::string libpython; // a shared library
};

/// The interpreter whose environment is used, the first of: the wish, $SURROGATE_PYTHON, $VIRTUAL_ENV, the environment
/// that this library is installed in, the one that it was compiled with; "" if none of the last three is there.
/// Throws Failure if one that is named is no executable file, or belongs to another minor version of Python than
/// this engine was compiled for.
std::string environment_python(const Wish &wish);

/// Files to try with dlopen, in order: only the named one (wish, $SURROGATE_LIBPYTHON) where there is one; else those
/// beside `python`'s home, the one of compile time, and whatever the loader finds.
std::vector<std::string> libpython_files(const Wish &wish, const std::string &python);

/// "3.11": the minor version of the headers.
std::string compiled_version();

} // namespace surrogate_python
