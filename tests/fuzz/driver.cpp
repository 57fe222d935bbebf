// A stand-in for libFuzzer where the compiler has none: replays a corpus, then runs mutations of it, and goes on from
// those that reach new code. The same seed gives the same inputs.
//   driver [-runs=N] [-seed=S] FILE_OR_FOLDER...     (new inputs go to the first folder, as libFuzzer's do)
// An input that crashes is written to ./crash-<target>. Linked with code compiled by -fsanitize-coverage=trace-pc.
#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <new>
#include <random>
#include <string>
#include <unistd.h>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size);
extern "C" void __sanitizer_set_death_callback(void (*callback)());

// A model that asks for much memory is told that there is none, and quickly.
static constexpr std::size_t MOST_MEMORY = 4 << 20;

void *operator new(std::size_t size) {
    if (void *data = size <= MOST_MEMORY ? std::malloc(size ? size : 1) : nullptr)
        return data;
    throw std::bad_alloc();
}
void *operator new(std::size_t size, std::align_val_t alignment) {
    const auto a = static_cast<std::size_t>(alignment);
    if (void *data = size <= MOST_MEMORY ? std::aligned_alloc(a, (size + a - 1) / a * a) : nullptr)
        return data;
    throw std::bad_alloc();
}
void operator delete(void *data) noexcept {
    std::free(data);
}
void operator delete(void *data, std::size_t) noexcept {
    std::free(data);
}
void operator delete(void *data, std::align_val_t) noexcept {
    std::free(data);
}
void operator delete(void *data, std::size_t, std::align_val_t) noexcept {
    std::free(data);
}

namespace {

// Which blocks of the code under test have run: one flag for each hash of an address.
constexpr std::uintptr_t BLOCKS = 1 << 18;
std::uint8_t seen[BLOCKS];
std::size_t blocks = 0;

std::string input; // what runs now
const char *target = "fuzz";

void write_crash() {
    const std::string path = std::string("crash-") + target;
    if (std::FILE *file = std::fopen(path.c_str(), "wb")) {
        std::fwrite(input.data(), 1, input.size(), file);
        std::fclose(file);
    }
    std::fprintf(stderr, "the input is in %s\n", path.c_str());
}

void on_alarm(int) {
    static const char text[] = "an input took longer than 20 s\n";
    (void)!::write(2, text, sizeof text - 1);
    std::abort();
}

/// Run one input; whether it reached new code.
bool run(std::string bytes) {
    input = std::move(bytes);
    const std::size_t before = blocks;
    ::alarm(20);
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t *>(input.data()), input.size());
    ::alarm(0);
    return blocks > before;
}

const char *const TOKENS[] = {
    "null",
    "true",
    "false",
    "0",
    "-1",
    "1",
    "2",
    "0.5",
    "-0.0",
    "1e308",
    "1e999",
    "1e-320",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551615",
    "4294967296",
    "1099511627776",
    "100000",
    "[]",
    "{}",
    "[[]]",
    "\"\"",
    "\"\\u0000\"",
    "\"u\"",
    "\"p\"",
    "\"cpu\"",
    "\"stub\"",
    "\"x\"",
    "\"manifest.json\"",
    "\"../x\"",
    "NaN",
    ",",
    ":",
    "\"history\":2,",
    "\"range\":{\"share\":0.5},",
    "\"jump\":{\"upper\":2},",
    "\"policy\":{\"bounds\":\"clip\"},",
    "\"project\"",
    "\"keep\"",
    "\"noise\":[{\"name\":\"xi\",\"channels\":1}],",
    "\"fixed_shape\":[4,4],",
    "\"prediction\":null,",
    "\"view\":true,",
    "\"fail\":\"run\",\"after\":1,",
    "\"guards\":{\"bounds\":{}},",
    "\"lower\":",
    "\"upper\":",
    "\"components\":2,",
    "\"parameter\":0,",
    "\"shift\":[1,1],",
    "\"format\":{\"version\":2},",
    "\xff",
    "\xc3\xa9",
};

/// Begin and end of the JSON token (number, word, string or sign) around a position.
std::pair<std::size_t, std::size_t> token_at(const std::string &text, std::size_t at) {
    const auto word = [&](std::size_t i) {
        return std::isalnum(static_cast<unsigned char>(text[i])) || std::strchr("+-._\"", text[i]);
    };
    if (!word(at))
        return {at, at + 1};
    std::size_t begin = at, end = at + 1;
    while (begin > 0 && word(begin - 1))
        --begin;
    while (end < text.size() && word(end))
        ++end;
    return {begin, end};
}

class Mutator {
  public:
    explicit Mutator(std::uint32_t seed) : random_(seed) {}

    std::string mutate(const std::vector<std::string> &pool) {
        std::string text = pool[below(pool.size())];
        for (std::size_t i = 1 + below(4); i > 0; --i)
            step(text, pool[below(pool.size())]);
        if (text.size() > 1 << 16)
            text.resize(1 << 16);
        return text;
    }

  private:
    std::size_t below(std::size_t n) { return n ? random_() % n : 0; }

    void step(std::string &text, const std::string &other) {
        const std::size_t at = below(text.size() + 1), length = 1 + below(1 + below(64));
        const char *token = TOKENS[below(std::size(TOKENS))];
        switch (below(8)) {
        case 0:
            if (at < text.size())
                text[at] = static_cast<char>(text[at] ^ 1 << below(8));
            break;
        case 1:
            text.erase(at, length);
            break;
        case 2:
            text.insert(at, 1, static_cast<char>(below(256)));
            break;
        case 3: // a piece of another input
            text.insert(at, other.substr(below(other.size() + 1), length));
            break;
        case 4: // this input's begin, another's end
            text = text.substr(0, at) + other.substr(below(other.size() + 1));
            break;
        case 5:
            text.insert(at, token);
            break;
        default: // a JSON token for another
            if (at < text.size()) {
                const auto [begin, end] = token_at(text, at);
                text.replace(begin, end - begin, token);
            }
        }
    }

    std::mt19937 random_;
};

std::string read(const std::filesystem::path &path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> corpus(const std::vector<std::string> &paths) {
    std::vector<std::filesystem::path> files;
    for (const auto &path : paths)
        if (std::filesystem::is_directory(path))
            for (const auto &entry : std::filesystem::directory_iterator(path))
                files.push_back(entry.path());
        else
            files.push_back(path);
    std::sort(files.begin(), files.end()); // the order of a folder is nobody's promise
    std::vector<std::string> inputs;
    for (const auto &file : files)
        inputs.push_back(read(file));
    return inputs;
}

} // namespace

extern "C" __attribute__((no_sanitize_address)) void __sanitizer_cov_trace_pc(void) {
    auto block = reinterpret_cast<std::uintptr_t>(__builtin_return_address(0));
    block = (block ^ block >> 18) % BLOCKS;
    blocks += !seen[block];
    seen[block] = 1;
}

/// The number after `name` if `argument` is that option.
static bool read_option(const std::string &argument, const std::string &name, long &value) {
    if (argument.compare(0, name.size(), name) != 0)
        return false;
    value = std::atol(argument.c_str() + name.size());
    return true;
}

int main(int argc, char **argv) {
    long runs = 1000, seed = 1;
    std::vector<std::string> paths;
    for (int i = 1; i < argc; ++i)
        if (!read_option(argv[i], "-runs=", runs) && !read_option(argv[i], "-seed=", seed))
            paths.emplace_back(argv[i]);
    target = std::strrchr(argv[0], '/') ? std::strrchr(argv[0], '/') + 1 : argv[0];
    __sanitizer_set_death_callback(write_crash);
    std::signal(SIGALRM, on_alarm);
    std::vector<std::string> pool = corpus(paths);
    if (pool.empty()) {
        std::fprintf(stderr, "no corpus was given\n");
        return 2;
    }
    for (const auto &bytes : pool)
        run(bytes);
    const std::size_t known = blocks, given = pool.size();
    const bool keep = std::filesystem::is_directory(paths[0]);
    Mutator mutator(static_cast<std::uint32_t>(seed));
    for (long i = 0; i < runs; ++i)
        if (run(mutator.mutate(pool))) {
            pool.push_back(input);
            if (keep)
                std::ofstream(paths[0] + "/" + std::to_string(pool.size()), std::ios::binary) << input;
        }
    std::printf("%s: %zu inputs reach %zu blocks; %ld mutations of seed %ld reach %zu (%zu inputs kept)\n", target,
                given, known, runs, seed, blocks, pool.size() - given);
    return 0;
}
