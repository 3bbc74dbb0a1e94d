// together.h -- many threads at one moment.
#ifndef TERCET_TESTS_FENCE_TOGETHER_H
#define TERCET_TESTS_FENCE_TOGETHER_H

#include <atomic>
#include <thread>
#include <vector>

namespace fence_test
{

// Starts all threads' work as nearly together as can be.
template <typename Work> void Together(int count, Work work)
{
    std::atomic<int> ready{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < count; i++) {
        threads.emplace_back([&, i] {
            ready++;
            while (ready < count) {
                std::this_thread::yield();
            }
            work(i);
        });
    }
    for (auto &thread : threads) {
        thread.join();
    }
}

} // namespace fence_test

#endif
