// corruption_sweep.cc -- damages one thing in a journal that lies still, and opens it.
#include <atomic>
#include <cstdio>

#include "integrity/damage.h"
#include "integrity/journal_check.h"
#include "integrity/sweeps.h"

namespace tercet
{
namespace
{

constexpr int64_t kDefaultCases = 10000;

// The directories that are damaged, and what they have promised.
struct Bench {
    std::vector<Shape> shapes;
    std::vector<Expected> expected;
    std::vector<std::string> names;
    std::vector<std::pair<size_t, int64_t>> once; // what is done once each: shape, number

    explicit Bench(const SweepOptions &options)
    {
        auto *progress = Shared<Progress>();
        for (const Script &script : CorruptionScripts(options.seed)) {
            const std::string directory =
                options.directory + "/shape" + std::to_string(shapes.size());
            Prepare(script, directory, progress);
            Shape shape;
            shape.now = ReadImage(directory);
            for (int64_t i = 0; i < progress->state_count; i++) {
                shape.before.push_back(ReadImage(directory + "." + std::to_string(i)));
            }
            const Truth truth = script.After(progress->acknowledged);
            shapes.push_back(shape);
            expected.push_back({truth, truth});
            names.push_back(script.name());
            AddOnce();
            size_t bytes = 0;
            for (const auto &file : shape.now.files) {
                bytes += file.second->size();
            }
            printf("shape %zu: %s; %zu files, %zu KiB, %zu open pairs, %zu outcomes\n",
                   shapes.size() - 1, script.name().c_str(), shape.now.files.size(), bytes / 1024,
                   truth.pairs.size(), truth.outcomes.size());
        }
    }

    void AddOnce()
    {
        const size_t shape = shapes.size() - 1;
        std::string words = "some";
        for (int64_t number = 0; !words.empty(); number++) {
            Kind kind = Kind::kCount;
            Image image = shapes[shape].now;
            words = DamageOnce(shapes[shape], number, &kind, &image);
            if (!words.empty() && words != "nothing") {
                once.emplace_back(shape, number);
            }
        }
    }

    // The case's damage; those that are done once come first.
    std::string Make(uint64_t seed, int64_t number, size_t *shape_out, Kind *kind_out,
                     Image *image_out) const
    {
        if (number < static_cast<int64_t>(once.size())) {
            *shape_out = once[static_cast<size_t>(number)].first;
            *image_out = shapes[*shape_out].now;
            return DamageOnce(shapes[*shape_out], once[static_cast<size_t>(number)].second,
                              kind_out, image_out);
        }
        Dice dice(seed, static_cast<uint64_t>(number));
        std::string words;
        for (int i = 0; i < 100 && words.empty(); i++) {
            *shape_out = dice.Below(shapes.size());
            *kind_out = static_cast<Kind>(dice.Below(static_cast<uint64_t>(Kind::kCount)));
            *image_out = shapes[*shape_out].now;
            words = Damage(shapes[*shape_out], *kind_out, &dice, image_out);
        }
        return words;
    }
};

Result RunCase(const Bench &bench, uint64_t seed, int64_t number, const std::string &directory,
               uint32_t *kind)
{
    size_t shape = 0;
    Kind of = Kind::kCount;
    Image image;
    const std::string words = bench.Make(seed, number, &shape, &of, &image);
    *kind = static_cast<uint32_t>(of);
    const std::string path = directory + "/j";
    WriteImage(image, path);
    Result result = CheckJournal(path, bench.expected[shape]);
    if (result.of == Class::kRefused && !IsKept(image, path)) {
        result.of = Class::kSpoiled;
    }
    return MakeResult(result.of,
                      "shape " + std::to_string(shape) + ", " + words + ": " + result.text);
}

} // namespace

int SweepCorruption(const SweepOptions &options)
{
    const Bench bench(options);
    std::vector<std::string> rows;
    for (uint32_t kind = 0; kind <= static_cast<uint32_t>(Kind::kDeleteDirectory); kind++) {
        rows.push_back(KindName(static_cast<Kind>(kind)));
    }
    Sweep sweep;
    sweep.first = options.only >= 0 ? options.only : 0;
    sweep.count = options.only >= 0 ? 1 : CasesOf(options, kDefaultCases);
    sweep.run = [&](int64_t number, const std::string &directory) {
        uint32_t kind = 0;
        return RunCase(bench, options.seed, number, directory, &kind);
    };
    sweep.kind_of = [&](int64_t number) {
        size_t shape = 0;
        Kind kind = Kind::kCount;
        Image image;
        bench.Make(options.seed, number, &shape, &kind, &image);
        return static_cast<uint32_t>(kind);
    };
    printf("%zu damages are done once each, the others by seed\n", bench.once.size());
    return RunAndTell(&sweep, options, rows);
}

} // namespace tercet
