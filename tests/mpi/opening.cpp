// One surrogate_mpi_open and _close; see rank.hpp. What is given stands on the command line, KEY=VALUE for all ranks or
// RANK:KEY=VALUE for one. Answers are checked by test_opening.py.
//
// PROGRAM FOLDER [[RANK:]KEY=VALUE]...
#include "mpi/model.h"
#include "rank.hpp"

#include <map>
#include <sstream>
#include <vector>

using namespace surrogate::mpi;

namespace {

using Settings = std::map<std::string, std::string>;

Settings settings_of(int rank, int argc, char **argv) {
    Settings settings;
    for (int i = 2; i < argc; ++i) {
        const std::string word = argv[i];
        const auto equal = word.find('='), colon = word.find(':');
        const bool for_one = colon < equal;
        if (!for_one || std::stoi(word) == rank)
            settings[word.substr(for_one ? colon + 1 : 0, equal - (for_one ? colon + 1 : 0))] = word.substr(equal + 1);
    }
    return settings;
}

struct Log {
    std::vector<std::string> lines;
    bool stops;
};

void log_line(void *user, int level, const char *line) {
    Log &log = *static_cast<Log *>(user);
    log.lines.push_back(text("log|", level, "|", line));
    if (log.stops)
        stop();
}

std::string list(const std::vector<int> &numbers) {
    std::string out;
    for (const int number : numbers)
        out += text(out.empty() ? "" : ",", number);
    return out;
}

class Scene {
  public:
    Scene(Answers &out, const Settings &given) : out_(out), given_(given) {
        surrogate_open_options_init(&open_, sizeof open_);
        surrogate_mpi_options_init(&options_, sizeof options_);
        log_.stops = has("stop_in_log");
        open_.log = log_line;
        open_.log_user = &log_;
        string("engine", open_.engine);
        string("program", open_.program);
        string("device", open_.device);
        string("overlay", open_.overlay);
        string("guards", open_.guards);
        string("record_calls", open_.record_calls);
        number("threads", open_.threads);
        number("verify", open_.verify);
        number("open_size", open_.struct_size);
        number("mode", options_.mode);
        number("leaders", options_.leaders);
        number("reader", options_.reader);
        number("tile", options_.tile_shape[1]);
        number("size", options_.struct_size);
        if (has("temporary"))
            ::setenv("TMPDIR", given_.at("temporary").c_str(), 1);
        if (has("deadline"))
            options_.deadline = std::stod(given_.at("deadline"));
    }

    void play(MPI_Comm comm) {
        auto *const untouched = reinterpret_cast<surrogate_mpi_model *>(&log_);
        surrogate_mpi_model *model = untouched;
        const double start = now();
        const int status = surrogate_mpi_open(has("no_model") ? nullptr : &model, comm,
                                              has("path") ? given_.at("path").c_str() : nullptr,
                                              has("no_open") ? nullptr : &open_, &options_);
        out_.add(surrogate_status_name(status), "|", status == SURROGATE_OK ? "" : surrogate_last_error());
        out_.add("seconds ", now() - start);
        out_.add("model ", model == untouched ? "untouched" : model ? "open" : "NULL");
        if (status == SURROGATE_OK)
            tell(model);
        if (status == SURROGATE_OK && has("predict"))
            predict(surrogate_mpi_local(model));
        for (const std::string &line : log_.lines)
            out_.add(line);
        if (status == SURROGATE_OK)
            close(model);
    }

  private:
    bool has(const std::string &key) const { return given_.count(key) > 0; }
    void string(const char *key, const char *&into) const {
        if (has(key))
            into = given_.at(key).c_str();
    }
    template <class Number> void number(const char *key, Number &into) const {
        if (has(key))
            into = static_cast<Number>(std::stoll(given_.at(key)));
    }

    void tell(surrogate_mpi_model *handle) {
        const Model &model = opened(handle);
        surrogate_info info{};
        info.struct_size = sizeof info;
        surrogate_get_info(surrogate_mpi_local(handle), &info);
        out_.add("name ", info.name);
        out_.add("path ", info.path);
        out_.add("program ", info.engine, " ", info.program);
        out_.add("device ", info.device, " ", model.facts.device);
        out_.add("threads ", model.facts.threads);
        out_.add("mode ", surrogate_mpi_mode_name(model.mode));
        out_.add("runners ", list(model.runners));
        out_.add("leaders ", list(model.leaders));
        out_.add("nodes ", model.nodes.count(), " ", model.nodes.node, " ", model.nodes.rank, " ", model.nodes.size());
        out_.add("times ",
                 model.facts.read_seconds >= 0 && model.facts.read_seconds <= model.facts.seconds ? "fit" : "");
    }

    /// What this rank's own program makes of ones, on grids of two sizes.
    void predict(surrogate_model *local) {
        std::string values;
        for (const std::int64_t size : {16, 24}) {
            const std::int64_t shape[] = {1, size, size};
            std::vector<float> state(static_cast<std::size_t>(size * size), 1.0F);
            const int status =
                surrogate_predict_array(local, state.data(), state.data(), SURROGATE_FLOAT32, 3, shape, nullptr);
            values += text(values.empty() ? "" : " ", status == SURROGATE_OK ? state.back() : -1.0F);
        }
        out_.add("predicted ", values);
    }

    void close(surrogate_mpi_model *model) {
        if (has("stop_before_close"))
            stop();
        const int status = surrogate_mpi_close(model);
        out_.add("close ", surrogate_status_name(status), "|", status ? surrogate_last_error() : "");
        out_.add("local ", surrogate_mpi_local(model) ? "there" : "NULL");
        out_.add("again ", surrogate_status_name(surrogate_mpi_close(model)), "|", surrogate_last_error());
    }

    Answers &out_;
    const Settings &given_;
    Log log_;
    surrogate_open_options open_;
    surrogate_mpi_options options_;
};

/// The communicator that `comm` names.
MPI_Comm communicator(const std::string &name, int rank) {
    MPI_Comm comm = MPI_COMM_WORLD;
    if (name == "null")
        return MPI_COMM_NULL;
    if (name == "self")
        return MPI_COMM_SELF;
    if (name == "split") // in another order
        MPI_Comm_split(MPI_COMM_WORLD, 0, -rank, &comm);
    if (name == "inter") {
        MPI_Comm half;
        MPI_Comm_split(MPI_COMM_WORLD, rank % 2, rank, &half);
        MPI_Intercomm_create(half, 0, MPI_COMM_WORLD, (rank + 1) % 2, 7, &comm);
    }
    return comm;
}

} // namespace

int main(int argc, char **argv) {
    const char *number = std::getenv("OMPI_COMM_WORLD_RANK"); // known before MPI_Init
    if (!number)
        number = std::getenv("PMI_RANK"); // MPICH
    const int rank = number ? std::atoi(number) : 0;
    const Settings given = settings_of(rank, argc, argv);
    const auto value = [&](const char *key) { return given.count(key) ? given.at(key) : std::string(); };
    if (value("when") != "before")
        MPI_Init(&argc, &argv);
    MPI_Comm comm = MPI_COMM_WORLD;
    if (value("when") != "before") {
        comm = communicator(value("comm"), rank);
    }
    if (value("when") == "after")
        MPI_Finalize();
    {
        Answers out(argv[1], rank);
        const int repeats = given.count("repeats") ? std::stoi(value("repeats")) : 1;
        for (int i = 0; i < repeats; ++i)
            Scene(out, given).play(comm);
        if (value("when") == "before")
            MPI_Init(&argc, &argv);
    }
    if (value("when") == "after")
        return 0;
    return leave(!given.count("silent"));
}
