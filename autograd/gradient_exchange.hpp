// The seam where a walk hands over gradients while it goes on.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <autograd/variable.hpp>

namespace xtape::detail {

/// Takes part in the walks of `backward` that come to its leaves: it gets the gradient of each as soon as nothing more can
/// be added to it, and gives back, in the end, what is added to the leaves' gradients instead. Data-parallel training
/// adds up gradients over processes by it. It is made by std::make_shared: a walk that has begun keeps it alive.
class GradientExchange : public std::enable_shared_from_this<GradientExchange> {
 public:
  GradientExchange() : number_(++last_number_) { ++count_; }
  GradientExchange(const GradientExchange&) = delete;
  GradientExchange& operator=(const GradientExchange&) = delete;
  virtual ~GradientExchange() { --count_; }

  /// Puts it in charge of the gradient of a Variable that lives as long, whenever that is a leaf.
  /// @throws GraphError where another is.
  void take_charge_of(const Variable& x);
  void let_go_of(const Variable& x);
  /// How many there are.
  static int count() { return count_.load(std::memory_order_relaxed); }
  /// What is in charge of it; null: nothing is.
  static std::shared_ptr<GradientExchange> of(const VariableImpl* x);
  /// Greater than that of each one made before.
  std::uint64_t number() const { return number_; }

  /// A walk begins, whose loss is multiplied by what this returns. Ends by `end` or `fail`.
  virtual double begin(bool create_graph) = 0;
  /// A leaf's gradient is complete. It is given away.
  virtual void ready(const VariableImpl* leaf, Variable gradient) = 0;
  /// The walk has come one node further.
  virtual void go_on() = 0;
  /// All gradients are complete: nothing is waited for here.
  virtual void complete() = 0;
  /// What each leaf's gradient grows by. Comes after `complete` of all that take part in the walk.
  virtual std::vector<std::pair<Variable, Variable>> end() = 0;
  /// The walk ends by an exception.
  virtual void fail() noexcept = 0;

 private:
  std::uint64_t number_;
  inline static std::atomic<int> count_ = 0;
  inline static std::atomic<std::uint64_t> last_number_ = 0;
};

}  // namespace xtape::detail
