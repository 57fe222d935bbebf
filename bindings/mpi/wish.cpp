#include "wish.h"

#include "byte_stream.h"
#include "core/files.h"
#include "core/versioned.h"

namespace surrogate::mpi {

namespace {

constexpr std::array<const char *, Wish::SHARED> NAMES = {
    "path",        "open.engine",      "open.program", "open.device",  "open.precision",
    "open.guards", "open.engine_path", "open.overlay", "open.threads", "open.verify"};

std::optional<std::string> kept(const char *string) {
    return string ? std::optional<std::string>(string) : std::nullopt;
}

const char *given(const std::optional<std::string> &string) {
    return string ? string->c_str() : nullptr;
}

std::string shown(const std::optional<std::string> &string) {
    return string ? text("'", *string, "'") : std::string("NULL");
}

/// Guards as JSON: those in a file are read here, as other ranks may not see it.
std::optional<std::string> guards_text(const std::optional<std::string> &guards) {
    const std::size_t first = guards ? guards->find_first_not_of(" \t\r\n") : std::string::npos;
    if (first == std::string::npos || (*guards)[first] == '{')
        return guards;
    try {
        const core::Bytes bytes = core::read_file(*guards);
        return std::string(bytes.begin(), bytes.end());
    } catch (const Failure &failure) {
        fail(failure.status(), "options.guards: file '", *guards,
             "' cannot be read; expected JSON text that begins with '{', or the path of a file that holds it");
    }
}

} // namespace

Wish::Wish(const char *path, const surrogate_open_options *open) : has_options_(open != nullptr) {
    surrogate_open_options_init(&options_, sizeof options_);
    if (open)
        options_ = core::read_versioned(open, options_, "open", "call surrogate_open_options_init first");
    shared_ = {kept(path),
               kept(options_.engine),
               kept(options_.program),
               kept(options_.device),
               kept(options_.precision),
               kept(options_.guards),
               kept(options_.engine_path),
               kept(options_.overlay),
               text(options_.threads),
               text(options_.verify)};
    if (options_.engine_options)
        options_.engine_options = (engine_options_ = options_.engine_options).c_str();
    if (options_.record_calls)
        options_.record_calls = (record_calls_ = options_.record_calls).c_str();
}

std::vector<char> Wish::packed() const {
    ByteWriter out;
    for (const auto &string : shared_)
        out.optional(string);
    out.optional(guards_text(shared_[GUARDS]));
    out.optional(kept(options_.engine_options));
    return out.bytes;
}

void Wish::take_over(const std::vector<char> &packed, int reader) {
    ByteReader in(packed);
    for (std::size_t i = 0; i < SHARED; ++i) {
        auto theirs = in.optional();
        const bool compared = i == PATH ? shared_[PATH].has_value() : has_options_;
        if (compared && theirs != shared_[i])
            fail(SURROGATE_ERROR_ARGUMENT, NAMES[i], " ", shown(shared_[i]), " given, but the reader, rank ", reader,
                 ", gave ", shown(theirs), "; give the same on all ranks, or NULL on all but the reader");
        shared_[i] = std::move(theirs);
    }
    shared_[GUARDS] = in.optional();
    if (const auto theirs = in.optional(); theirs && !has_options_)
        options_.engine_options = (engine_options_ = *theirs).c_str();
}

int Wish::threads() const {
    return std::atoi(shared_[THREADS]->c_str());
}

surrogate_open_options Wish::options() const {
    surrogate_open_options options = options_;
    options.struct_size = sizeof options;
    options.engine = given(shared_[ENGINE]);
    options.program = given(shared_[PROGRAM]);
    options.device = given(shared_[DEVICE]);
    options.precision = given(shared_[PRECISION]);
    options.guards = given(shared_[GUARDS]);
    options.engine_path = given(shared_[ENGINE_PATH]);
    options.overlay = given(shared_[OVERLAY]);
    options.threads = threads();
    options.verify = std::atoi(shared_[VERIFY]->c_str());
    return options;
}

void Wish::log(int level, const std::string &text) const {
    if (options_.log)
        options_.log(options_.log_user, level, text.c_str());
}

} // namespace surrogate::mpi
