#include <nn/data/prefetch.hpp>

#include <algorithm>
#include <system_error>
#include <utility>

namespace xtape::nn {

Prefetch::Prefetch(std::function<Batch(std::size_t)> make, Range range, Workers workers)
    : make_(std::move(make)), next_(range.begin), end_(range.end),
      ahead_(workers.count * std::min(workers.ahead, end_ - next_)), wanted_(range.begin),
      made_(std::min(ahead_, end_ - next_) + 1) {
  std::size_t useful = std::min(workers.count, range.end - range.begin);
  auto run = [this, dtype = default_dtype()](std::stop_token stop) {
    DefaultDType same(dtype);
    work(stop);
  };
  try {
    for (std::size_t i = 0; i < useful; ++i) threads_.emplace_back(run);
  } catch (const std::system_error& e) {  // the threads that there are do the work of all
    if (threads_.empty()) throw Error(std::string("DataLoader: the system starts no thread: ") + e.what());
  }
}

Batch Prefetch::take(std::size_t k) {
  if (threads_.empty()) return make_(k);
  Made made;
  {
    std::unique_lock lock(mutex_);
    made_change_.wait(lock, [&] { return place_of(k).there; });
    made = std::exchange(place_of(k), Made());
    wanted_ = k + 1;
  }
  room_change_.notify_all();
  if (made.failure) std::rethrow_exception(made.failure);
  return std::move(made.batch);
}

void Prefetch::work(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  while (true) {
    room_change_.wait(lock, stop, [&] { return next_ == end_ || next_ < wanted_ + ahead_; });
    if (stop.stop_requested() || next_ == end_) return;
    std::size_t k = next_++;
    lock.unlock();
    Made made;
    made.there = true;
    try {
      made.batch = make_(k);
    } catch (...) {
      made.failure = std::current_exception();
    }
    lock.lock();
    place_of(k) = std::move(made);
    made_change_.notify_one();
  }
}

}  // namespace xtape::nn
