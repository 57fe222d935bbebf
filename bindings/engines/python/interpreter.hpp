// The one interpreter of the process: joined if there is one, else started.
#pragma once

#include "api.hpp"
#include "environment.hpp"

namespace surrogate_python {

/// Python's functions, with an interpreter that runs. The first call decides; nothing ever ends the interpreter.
///
/// An interpreter that the process has already (a Python host, or one that embeds Python) is joined as it is. Otherwise
/// libpython is opened with its symbols global (numpy's extension modules need them) and started as a good guest: no
/// signal handlers, no parsing of arguments, locale and C stdio left alone, UTF-8 for text, PYTHON* variables obeyed;
/// the lock is free afterwards, so that any thread may call. Takes no Lock: callers do, after it has returned.
///
/// Throws Failure (ERROR_ENGINE) if there is no libpython, it is older than 3.11, it cannot be started, or it is to be
/// started and is of another minor version than the headers; the text says what to set. (Of an installation without its
/// standard library Python prints its search path to stderr by itself.)
const Api &interpreter(const Wish &wish);

/// "3.11.7" of the interpreter that the process shows already, "" if it shows none. Starts nothing.
std::string visible_version();

} // namespace surrogate_python
