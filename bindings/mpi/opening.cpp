#include "opening.h"

#include "core/files.h"
#include "core/folder.h"
#include "core/host.h"

#include <algorithm>
#include <array>

namespace surrogate::mpi {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Closes the model unless it is taken.
struct Closed {
    void operator()(surrogate_model *model) const { surrogate_close(model); }
};
using Local = std::unique_ptr<surrogate_model, Closed>;

surrogate_info info_of(surrogate_model *model) {
    surrogate_info info{};
    info.struct_size = sizeof info;
    check(surrogate_get_info(model, &info));
    return info;
}

/// Open without a program: checks the manifest and tells its facts.
Local open_facts(const char *path, const std::vector<surrogate_file> &files, surrogate_open_options options) {
    options.engine = "none";
    options.program = options.precision = nullptr;
    options.overlay = "";
    options.verify = SURROGATE_VERIFY_HASHES;
    options.log = nullptr;
    surrogate_model *model = nullptr;
    check(path ? surrogate_open(&model, path, &options)
               : surrogate_open_memory(&model, files.data(), files.size(), &options));
    return Local(model);
}

} // namespace

Opening::Opening(Model &model, Wish &wish)
    : model_(model), wish_(wish), path_(wish[Wish::PATH].value_or("")), bytes_(model.communicator) {}

void Opening::open() {
    const auto start = Clock::now();
    if (model_.communicator.size() == 1) {
        open_alone();
    } else {
        hear_wish();
        const auto reading = Clock::now();
        list();
        open_manifest();
        settle_roles();
        fetch();
        model_.facts.read_seconds = seconds_since(reading);
        unpack();
        load();
        compare_programs();
    }
    model_.facts.seconds = seconds_since(start);
}

/// As a serial program does.
void Opening::open_alone() {
    together(model_.communicator, "surrogate_mpi_open", [&] {
        const surrogate_open_options options = wish_.options();
        model_.nodes = find_nodes(model_.communicator);
        check(surrogate_open(&model_.local, wish_[Wish::PATH] ? path_.c_str() : nullptr, &options));
        model_.info = info_of(model_.local);
        model_.runners = model_.leaders = {0};
        note_facts(wish_.threads() > 0 ? wish_.threads() : core::default_threads());
    });
}

void Opening::hear_wish() {
    std::vector<char> packed;
    together(model_.communicator, "surrogate_mpi_open: options", [&] {
        if (reads() && !wish_[Wish::PATH])
            fail(SURROGATE_ERROR_ARGUMENT, "path is NULL on the reader, expected the folder of a bundle");
        if (reads())
            packed = wish_.packed();
    });
    together(model_.communicator, "surrogate_mpi_open: path and options", [&] {
        model_.nodes = find_nodes(model_.communicator);
        packed = broadcast(model_.communicator, std::move(packed), model_.options.reader);
        wish_.take_over(packed, model_.options.reader);
    });
}

void Opening::list() {
    std::vector<char> packed;
    together(model_.communicator, "surrogate_mpi_open: read", [&] {
        if (!reads())
            return;
        open_facts(path_.c_str(), {}, wish_.options());
        package_.list(path_, core::overlay_folder(wish_.options().overlay));
        packed = package_.packed();
        manifest_ = core::read_file(path_ + "/manifest.json");
    });
    together(model_.communicator, "surrogate_mpi_open: manifest", [&] {
        packed = broadcast(model_.communicator, std::move(packed), model_.options.reader);
        manifest_ = broadcast(model_.communicator, std::move(manifest_), model_.options.reader);
        if (!reads())
            package_ = Package(packed);
    });
}

void Opening::open_manifest() {
    together(model_.communicator, "surrogate_mpi_open: facts", [&] {
        const surrogate_file file{"manifest.json", manifest_.data(), manifest_.size()};
        model_.local = open_facts(nullptr, {file}, wish_.options()).release();
        model_.info = info_of(model_.local);
    });
}

void Opening::settle_roles() {
    Communicator &communicator = model_.communicator;
    together(communicator, "surrogate_mpi_open: roles", [&] {
        surroundings_ = gather_records(communicator, model_.nodes.mine(), look_around(wish_));
        const std::vector<std::int32_t> gpus =
            gather_records(communicator, all_ranks(communicator), std::int32_t{distinct_gpus(surroundings_)});
        std::vector<std::int32_t> gpus_of_node;
        for (const auto &members : model_.nodes.members)
            gpus_of_node.push_back(gpus[static_cast<std::size_t>(members.front())]);
        cast(model_, wish_, gpus_of_node);
    });
}

/// One rank a node gets the bytes from the reader, if any rank of the node needs them, and shares them there.
void Opening::fetch() {
    Communicator &communicator = model_.communicator;
    const int reader = model_.options.reader;
    std::vector<int> holders = {reader};
    std::vector<std::vector<int>> crews(model_.nodes.members.size());
    crews[static_cast<std::size_t>(model_.nodes.node_of[static_cast<std::size_t>(reader)])] = {reader};
    for (const int rank : model_.runners) {
        auto &crew = crews[static_cast<std::size_t>(model_.nodes.node_of[static_cast<std::size_t>(rank)])];
        if (crew.empty())
            holders.push_back(rank);
        if (rank != reader)
            crew.push_back(rank);
    }
    crew_ = crews[static_cast<std::size_t>(model_.nodes.node)];
    const auto is_in = [&](const std::vector<int> &ranks) {
        return std::find(ranks.begin(), ranks.end(), communicator.rank()) != ranks.end();
    };
    if (!is_in(crew_))
        crew_.clear();
    together(communicator, "surrogate_mpi_open: memory", [&] {
        if (is_in(holders))
            bytes_->allocate(package_.size());
        if (reads())
            package_.read(bytes_->data());
    });
    together(communicator, "surrogate_mpi_open: distribute", [&] {
        if (is_in(holders))
            spread(communicator, holders, bytes_->data(), package_.size());
        if (!crew_.empty())
            share(communicator, crew_, *bytes_);
    });
}

/// Programs that are shared libraries must be files. What cannot be unpacked is passed over by the open that follows.
void Opening::unpack() {
    using Path = std::array<char, 4096>;
    together(model_.communicator, "surrogate_mpi_open: unpack", [&] {
        if (crew_.empty() || (!package_.has_overlay() && !package_.needs_folder()))
            return;
        Kept<Path> path(model_.communicator);
        path->fill(0);
        if (crew_.front() == model_.communicator.rank())
            try {
                folder_.make();
                package_.unpack(folder_, bytes_->data());
                folder_.path().copy(path->data(), path->size() - 1);
            } catch (const Failure &failure) {
                wish_.log(SURROGATE_LOG_WARNING, text("programs of the overlay are left out: ", failure.text()));
            }
        spread(model_.communicator, crew_, path->data(), path->size());
        unpacked_ = path->data();
    });
}

void Opening::load() {
    together(model_.communicator, "surrogate_mpi_open: load", [&] {
        if (!model_.facts.runs)
            return;
        const Role role = role_of(model_, wish_, surroundings_);
        if (!role.warning.empty())
            wish_.log(SURROGATE_LOG_WARNING, role.warning);
        const std::string overlay = unpacked_.empty() || !package_.has_overlay() ? "" : unpacked_ + "/overlay";
        surrogate_open_options options = wish_.options();
        options.device = role.device.c_str();
        options.threads = role.threads;
        options.overlay = overlay.c_str();
        surrogate_model *loaded = nullptr;
        if (package_.needs_folder() && !unpacked_.empty()) {
            options.preload = 1; // the folder goes when this returns
            check(surrogate_open(&loaded, (unpacked_ + "/bundle").c_str(), &options));
        } else {
            const std::vector<surrogate_file> files = package_.bundle_files(bytes_->data());
            check(surrogate_open_memory(&loaded, files.data(), files.size(), &options));
        }
        surrogate_close(model_.local);
        model_.local = loaded;
        model_.info = info_of(loaded);
        note_facts(role.threads);
    });
}

void Opening::note_facts(int threads) {
    const std::string device = model_.info.device;
    model_.facts.threads = threads;
    model_.facts.device = device.compare(0, 5, "cuda:") == 0 ? std::atoi(device.c_str() + 5) : -1;
}

/// An overlay is keyed to a machine: on another kind of node its programs are passed over.
void Opening::compare_programs() {
    Communicator &communicator = model_.communicator;
    together(communicator, "surrogate_mpi_open: programs", [&] {
        const std::string mine = text(model_.info.program, "/", model_.info.precision);
        const std::uint64_t digest = model_.facts.runs ? Quantity::digest("program", mine.c_str()).bits : 0;
        const std::vector<std::uint64_t> digests = gather_records(communicator, all_ranks(communicator), digest);
        const std::uint64_t first = digests[static_cast<std::size_t>(model_.runners.front())];
        const auto other = std::find_if(model_.runners.begin(), model_.runners.end(),
                                        [&](int rank) { return digests[static_cast<std::size_t>(rank)] != first; });
        if (other != model_.runners.end())
            wish_.log(SURROGATE_LOG_WARNING,
                      text("rank ", model_.runners.front(), " and rank ", *other,
                           " chose different programs, so that frames agree to the rounding of these only",
                           model_.facts.runs ? text("; this rank runs '", model_.info.program, "'") : std::string()));
    });
}

} // namespace surrogate::mpi
