#include <autograd/variable.hpp>

#include <algorithm>
#include <new>
#include <ostream>

#include <autograd/batch.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/small_blocks.hpp>
#include <autograd/tape.hpp>
#include <autograd/undo_log.hpp>
#if __has_include(<xtensor/io/xio.hpp>)
#include <xtensor/io/xio.hpp>
#else
#include <xtensor/xio.hpp>
#endif

namespace xtape {

Nested::Nested(std::initializer_list<Nested> list) {
  shape_.push_back(list.size());
  for (const Nested& item : list) {
    if (item.shape_ != list.begin()->shape_)
      throw ShapeError("Variable: nested lists of shapes " + to_string(list.begin()->shape_) + " and " +
                       to_string(item.shape_) + " side by side: needs equal ones");
    values_.insert(values_.end(), item.values_.begin(), item.values_.end());
  }
  if (list.size() > 0)
    for (std::size_t extent : list.begin()->shape_) shape_.push_back(extent);
}

Array Nested::to_array(DType dtype) const {
  Array result(shape_, dtype);
  visit(dtype, [&]<class T>(T) {
    std::transform(values_.begin(), values_.end(), result.mutable_data<T>(),
                   [](const Scalar& v) { return v.to<T>("Variable"); });
  });
  return result;
}

void* VariableImpl::operator new(std::size_t bytes) {
  if (void* block = detail::allocate_block(bytes)) return block;
  throw std::bad_alloc();
}
void VariableImpl::operator delete(void* impl, std::size_t bytes) noexcept { detail::free_block(impl, bytes); }

void VariableImpl::leave_node() {
  if (node && node->attached()) {
    std::scoped_lock lock(node->attached()->mutex);
    std::erase(node->attached()->owners, this);
  }
  node.reset();
}

// Of mapped values, all samples lose their past.
Variable::Variable(Array value) {
  if (value.is_mapped()) {
    const detail::Samples& samples = detail::samples_of(value);
    value = detail::mapped(samples.all.detach(), samples.level);
  }
  impl_.reset(new VariableImpl(std::move(value)));
  if (!impl_->value.defined()) throw Error("Variable: the array is undefined");
}

Variable::Variable(const Scalar& value)
    : Variable(Array::scalar(value, is_floating(value.dtype()) || !value.exact(value.dtype()) ? default_dtype()
                                                                                             : value.dtype())) {
  impl_->weak = true;
  impl_->scalar = value;
}

const Array& Variable::value() const {
  if (!impl_) throw Error("an undefined Variable has no value");
  return impl_->value;
}

Array& Variable::mutable_value() const {
  if (!impl_) throw Error("an undefined Variable has no value");
  detail::UndoLog::note(*this);
  impl_->weak = false;
  return impl_->value;
}

std::size_t Variable::shape(std::ptrdiff_t axis) const { return shape()[normalize_axis("shape", axis, rank())]; }

Scalar Variable::only_element() const {
  if (size() != 1) throw ShapeError("item: shape " + to_string(shape()) + ", needs exactly one element");
  return impl_->weak ? impl_->scalar : value().element(0);
}

Variable Variable::detach() const { return Variable(value()); }

Variable Variable::to(DType dtype) const {
  if (value().dtype() == dtype && !impl_->weak) return detail::same_value("to", *this);
  if (impl_->weak) {
    const Scalar& number = impl_->scalar;
    return Variable(Array::scalar(number, number.exact(number.dtype()) ? number.dtype() : DType::float64).to(dtype));
  }
  if (!is_floating(dtype)) return Variable(value().to(dtype));
  auto all_converted = [](const detail::Batch& b, DType dtype) { return b[0].to(dtype); };
  return record(op("to", attribute("dtype", dtype)).mapped(all_converted),
                [](const Array& x, DType dtype) { return x.to(dtype); },
                wrt(*this, [from = this->dtype()](const Variable& g) { return g.to(from); }, linear_in_operand));
}

Variable Variable::copy() const {
  return record(op("copy").mapped([](const detail::Batch& b) { return b[0].copy(); }),
                [](const Array& x) { return x.copy(); },
                wrt(*this, [](const Variable& g) { return g; }, linear_in_operand));
}

Variable detail::another_handle(const Variable& x) {
  return x.defined() ? output_of(x.impl()->node, x.value(), x.impl()->output) : Variable();
}

bool Variable::requires_grad() const { return impl_ && impl_->node; }

bool Variable::is_leaf() const {
  detail::require_defined("is_leaf", *this);
  return !impl_->node || impl_->node->edges().empty();
}

std::string Variable::operation() const {
  detail::require_defined("operation", *this);
  return is_leaf() ? "" : impl_->node->name();
}

Variable& Variable::requires_grad_(bool requires_grad) {
  detail::require_defined("requires_grad_", *this);
  if (requires_grad == this->requires_grad()) return *this;
  if (!is_leaf())
    throw GraphError(std::string("requires_grad_: the Variable is the result of ") + impl_->node->name() +
                     "; use detach()");
  if (requires_grad) {
    if (impl_->weak && dtype() == DType::int64) impl_->value = to(default_dtype()).value();
    detail::require_floating("requires_grad_", *this);
    impl_->node = Node::leaf(impl_.get());
    impl_->weak = false;
  } else {
    impl_->leave_node();
  }
  return *this;
}

Variable Variable::grad() const {
  detail::require_defined("grad", *this);
  return impl_->grad;
}

void Variable::set_grad(const Variable& gradient) const {
  detail::require_defined("set_grad", *this);
  if (gradient.defined() && (gradient.shape() != shape() || gradient.dtype() != dtype()))
    throw ShapeError(std::string("set_grad: ") + to_string(gradient.dtype()) + to_string(gradient.shape()) + " for " +
                     to_string(dtype()) + to_string(shape()) + ": needs the same shape and dtype");
  // What is not a leaf of the function's own may outlive the call of vmap.
  if (const std::uint64_t level = detail::Mapping::innermost_level(); !impl_->node || impl_->node->sequence() <= level)
    detail::Mapping::require_none("set_grad");
  impl_->grad = detail::another_handle(gradient);
}

void Variable::zero_grad() const { set_grad({}); }

void Variable::retain_grad() const {
  detail::require_defined("retain_grad", *this);
  if (!impl_->node) throw GraphError("retain_grad: the Variable needs no gradient");
  detail::Mapping::require_none("retain_grad");
  auto attached = impl_->node->attach();
  std::scoped_lock lock(attached->mutex);
  if (std::find(attached->owners.begin(), attached->owners.end(), impl_.get()) == attached->owners.end())
    attached->owners.push_back(impl_.get());
}

HookHandle Variable::register_hook(std::function<Variable(const Variable&)> hook) const {
  detail::require_defined("register_hook", *this);
  if (!impl_->node) throw GraphError("register_hook: the Variable needs no gradient, so no walk passes it");
  if (!hook) throw ValueError("register_hook: the hook is an empty function");
  detail::Mapping::require_none("register_hook");  // it is called for each sample
  static std::atomic<std::uint64_t> last_id = 0;
  std::uint64_t id = ++last_id;
  auto attached = impl_->node->attach();
  std::scoped_lock lock(attached->mutex);
  attached->hooks.push_back({id, impl_->output, std::move(hook)});
  return HookHandle([id, weak = std::weak_ptr(attached)] {
    auto attached = weak.lock();
    if (!attached) return;
    Hook removed;  // goes outside of the lock: it can hold the last handle to the Variable, which signs off
    std::scoped_lock lock(attached->mutex);
    auto& hooks = attached->hooks;
    auto place = std::ranges::find(hooks, id, &Attached::Entry::id);
    if (place == hooks.end()) return;
    removed = std::move(place->hook);
    hooks.erase(place);
  });
}

// What is recorded gets a new place in the graph with its value: whoever saved the old value keeps it.
Variable& Variable::update(const char* operation, const Variable& result) {
  if (!impl_->weak) detail::require_fits(operation, result, *this);
  detail::UndoLog::note(*this);
  if (impl_->weak || result.requires_grad() || (grad_enabled() && requires_grad())) {
    impl_->leave_node();
    impl_->value = result.value();
    impl_->node = result.impl_->node;
    impl_->output = result.impl_->output;
    impl_->weak = result.impl_->weak;
    impl_->scalar = result.impl_->scalar;
  } else {
    impl_->value.assign(result.value());
  }
  return *this;
}

Variable& Variable::operator+=(const Variable& other) & {
  detail::require_writable("+=", *this);
  return update("+=", *this + other);
}
Variable& Variable::operator-=(const Variable& other) & {
  detail::require_writable("-=", *this);
  return update("-=", *this - other);
}
Variable& Variable::operator*=(const Variable& other) & {
  detail::require_writable("*=", *this);
  return update("*=", *this * other);
}
Variable& Variable::operator/=(const Variable& other) & {
  detail::require_writable("/=", *this);
  return update("/=", *this / other);
}

void Variable::assign(const Variable& source) const {
  detail::require_writable("assign", *this);
  detail::require_defined("assign", source);
  Variable(*this).update("assign", broadcast_to(detail::as_element("assign", source, dtype()), shape()));
}

Variable parameter(const Variable& value) {
  detail::require_defined("parameter", value);
  if (value.impl()->weak) return Variable(value.impl()->scalar).requires_grad_();
  detail::require_floating("parameter", value);
  return value.detach().copy().requires_grad_();
}

std::string describe(const Variable& x) {
  return x.defined() ? std::string(to_string(x.dtype())) + to_string(x.shape()) : "an undefined Variable";
}

std::ostream& operator<<(std::ostream& out, const Variable& x) {
  if (!x.defined()) return out << "undefined";
  visit(x.dtype(), [&]<class T>(T) { out << x.array<T>(); });
  std::string more;
  if (x.dtype() != DType::float32) more += to_string(x.dtype());
  if (x.size() == 0) more += to_string(x.shape());
  return more.empty() ? out : out << " " << more;
}

}  // namespace xtape
