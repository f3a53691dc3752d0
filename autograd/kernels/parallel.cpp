#include <autograd/kernels/parallel.hpp>

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>

#include <autograd/threads.hpp>

namespace xtape::kernels {
namespace {

thread_local bool within_task = false;

// A call of run_tasks, on the stack of the thread that made it.
class Job {
 public:
  Job(std::size_t count, FunctionRef<void(std::size_t)> task, std::size_t helpers)
      : helpers(helpers), count_(count), task_(task) {}

  // Takes tasks until none is left.
  void work() {
    within_task = true;
    for (std::size_t i; (i = next_.fetch_add(1, std::memory_order_relaxed)) < count_;) {
      try {
        task_(i);
      } catch (...) {
        std::scoped_lock lock(mutex_);
        if (!error_) error_ = std::current_exception();
      }
    }
    within_task = false;
  }
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

  std::size_t helpers;              // how many more threads may join; with `active` and `next` under the lock of the pool
  std::atomic<std::size_t> active = 0;
  Job* next = nullptr;              // in the list of the pool, which needs no memory

 private:
  std::size_t count_;
  FunctionRef<void(std::size_t)> task_;
  std::atomic<std::size_t> next_ = 0;
  std::mutex mutex_;
  std::exception_ptr error_;
};

// Threads that help with the jobs of others. It is never destroyed: at the end of the process its threads are asleep.
class Pool {
 public:
  void run(Job& job) {
    {
      std::scoped_lock lock(mutex_);
      hire(job.helpers);
      *place_of(nullptr) = &job;
      waiting_.fetch_add(1, std::memory_order_relaxed);
    }
    wake_.notify_all();
    job.work();
    {
      std::scoped_lock lock(mutex_);
      withdraw(job);
    }
    // Those who joined are about to finish.
    for (int turn = 0; job.active.load(std::memory_order_acquire) > 0; ++turn)
      if (turn > patience) std::this_thread::yield();
  }

 private:
  static constexpr int patience = 1000;

  // Where the system has no memory for another thread, fewer do the work.
  void hire(std::size_t wanted) {
    try {
      for (; workers_ < wanted; ++workers_) std::thread([this] { help(); }).detach();
    } catch (const std::bad_alloc&) {
    } catch (const std::system_error&) {
    }
  }

  // Where the list points to the job; its end for none, and for one that is not in it.
  Job** place_of(const Job* job) {
    Job** place = &jobs_;
    while (*place && *place != job) place = &(*place)->next;
    return place;
  }

  void withdraw(Job& job) {
    Job** place = place_of(&job);
    if (!*place) return;
    *place = job.next;
    waiting_.fetch_sub(1, std::memory_order_relaxed);
  }

  void help() {
    while (true) {
      Job* job = nullptr;
      {
        // The next job often comes soon: sleep costs more than to look a few times.
        for (int turn = 0; turn < patience && waiting_.load(std::memory_order_relaxed) == 0; ++turn)
          std::this_thread::yield();
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [&] { return jobs_ != nullptr; });
        job = jobs_;
        job->active.fetch_add(1, std::memory_order_relaxed);
        if (--job->helpers == 0) withdraw(*job);
      }
      job->work();
      job->active.fetch_sub(1, std::memory_order_release);
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  Job* jobs_ = nullptr;  // that still look for helpers
  std::atomic<int> waiting_ = 0;
  std::size_t workers_ = 0;
};

std::atomic<Pool*> pool = nullptr;

Pool& the_pool() {
  static std::once_flag once;
  // The threads of a pool are not in a forked process, which makes a new one.
  std::call_once(once, [] {
    pool = new Pool;
    pthread_atfork(nullptr, nullptr, [] { pool = new Pool; });
  });
  return *pool;
}

}  // namespace

std::size_t threads_here() { return within_task ? 1 : static_cast<std::size_t>(num_threads()); }

void run_tasks(std::size_t count, FunctionRef<void(std::size_t)> task) {
  std::size_t threads = count < 2 ? 1 : std::min(threads_here(), count);
  if (threads == 1) {
    for (std::size_t i = 0; i < count; ++i) task(i);
    return;
  }
  Job job(count, task, threads - 1);
  the_pool().run(job);
  job.rethrow();
}

void parallel_for(std::size_t n, std::size_t least, FunctionRef<void(std::size_t, std::size_t)> f) {
  if (n == 0) return;
  // More parts than threads, for a thread that the system interrupts; of many elements, whole cache lines and registers.
  constexpr std::size_t each = 4, whole = 64;
  std::size_t threads = n < 2 * least ? 1 : threads_here(), size = n;
  if (threads > 1) size = std::max(least, (n + each * threads - 1) / (each * threads));
  if (size > whole) size = (size + whole - 1) / whole * whole;
  run_tasks((n + size - 1) / size, [&](std::size_t i) { f(i * size, std::min(n, (i + 1) * size)); });
}

}  // namespace xtape::kernels
