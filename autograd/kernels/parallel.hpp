// Work in several threads: the one place that starts any.
#pragma once

#include <cstddef>

#include <autograd/kernels/function_ref.hpp>

namespace xtape::kernels {

/// In how many threads a call from here computes: 1 within a task.
std::size_t threads_here();

/// Calls `task(i)` for each i < count, in up to num_threads() threads, this one among them; returns when all are done.
/// Within a task, another call computes in its own thread. What a task throws is thrown here, one of several.
void run_tasks(std::size_t count, FunctionRef<void(std::size_t)> task);

/// Calls `f(begin, end)` for parts of [0, n), each of `least` or more, in several threads. How it is cut depends on the
/// number of threads, and must not show in the results.
void parallel_for(std::size_t n, std::size_t least, FunctionRef<void(std::size_t, std::size_t)> f);

/// How many elements of simple work are enough for a thread.
inline constexpr std::size_t worth_a_thread = 32768;

/// How many rows, or planes, of so many elements are.
constexpr std::size_t worth_a_thread_of(std::size_t elements) { return worth_a_thread / (elements == 0 ? 1 : elements) + 1; }

}  // namespace xtape::kernels
