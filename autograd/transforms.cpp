#include <autograd/transforms.hpp>

#include <algorithm>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

#include <autograd/grad_mode.hpp>
#include <autograd/mark.hpp>
#include <autograd/ops/creation.hpp>
#include <autograd/ops/elementwise.hpp>
#include <autograd/ops/joining.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/ops/reductions.hpp>
#include <autograd/tangents.hpp>
#include <autograd/vmap.hpp>
#include <autograd/walk.hpp>

namespace xtape {
namespace {

using Variables = std::vector<Variable>;
using detail::FlatCall, detail::FlatTree;

bool is_differentiable(const Variable& x) { return x.defined() && is_floating(x.dtype()); }

// The i-th of a list or of a tree, as messages name it.
std::string place(const FlatTree& tree, std::size_t i) {
  return tree.names.empty() ? std::to_string(i) : "\"" + tree.names[i] + "\"";
}

// One call of a transform: the inputs as Variables of their own to differentiate by, connected to the caller's where
// these are recorded; the function's values; and what is known of where these lead.
class Call {
 public:
  explicit Call(const FlatCall& given) : transform_(given.transform), given_(given.inputs) {
    const bool may_be_undefined = !given_.names.empty();  // as a struct's members
    for (std::size_t i = 0; i < given_.leaves.size(); ++i) {
      const Variable& x = given_.leaves[i];
      if (!may_be_undefined) detail::require_defined(transform_, x);
      all_.push_back(is_differentiable(x) ? own(x) : x);
      if (!is_differentiable(x)) continue;
      floating_.push_back(detail::another_handle(all_.back()));
      asked_.push_back({edge_to(x), i});
    }
    start_ = detail::Mark();
    evaluate(given.function);
  }

  const char* transform() const { return transform_; }
  // What was given.
  const FlatTree& given() const { return given_; }
  // The floating-point inputs, in handles that f cannot write to.
  const Variables& floating() const { return floating_; }
  const Variables& values() const { return value_.value.leaves; }
  const FlatTree& value() const { return value_.value; }

  // Whether the caller can differentiate derivatives of the values, in directions that are given: by them, by the inputs,
  // or by what f captured.
  bool recorded(const Variables& directions = {}) const {
    return grad_enabled() && (any(values_lead_) || std::ranges::any_of(directions, &Variable::requires_grad));
  }
  // Whether the caller can differentiate what f returned beside its values, which a walk is to leave as it is then.
  bool aux_recorded() const { return grad_enabled() && any(aux_lead_); }

  // Throws where the values do not depend on an input, though on the Variable that was given for it. `used` is all that
  // is known.
  void require_use(const std::vector<bool>& used) const {
    auto in_question = [&](std::size_t i) { return !used[i] && asked_[i].edge.node; };
    std::vector<std::size_t> unused;
    for (std::size_t i = 0; i < used.size(); ++i)
      if (in_question(i)) unused.push_back(i);
    if (unused.empty()) return;
    std::vector<Edge> reached;
    for (const Variable& y : values()) std::ranges::move(start_.edges_beyond(y), std::back_inserter(reached));
    auto reaches = [&](const Edge& edge) {
      return std::ranges::any_of(reached, [&](auto& e) { return e.node == edge.node && e.output == edge.output; });
    };
    for (std::size_t i : unused)
      if (!reaches(edge_to(floating_[i])) && reaches(asked_[i].edge))
        throw GraphError(std::string(transform_) + ": the function does not use its argument " +
                         place(given_, asked_[i].number) +
                         ", but captures the same Variable: compute with the arguments");
  }

  // For the caller, each in a handle of its own; undefined as it is.
  Variables results(const Variables& found) const {
    return handed(found, lead_beyond(found));
  }
  // One result for each input, from those for the floating-point ones.
  Variables for_inputs(const Variables& found) const {
    Variables results(all_.size()), each = this->results(found);
    for (std::size_t i = 0; i < each.size(); ++i) results[asked_[i].number] = std::move(each[i]);
    return results;
  }
  Variables value_results() const { return handed(values(), values_lead_); }
  Variables aux_results() const { return handed(value_.aux, aux_lead_); }

 private:
  // x for f, which can write to it in place, as no leaf can be.
  static Variable own(const Variable& x) {
    const bool connected = grad_enabled() && x.requires_grad();
    EnableGrad recording;
    return reshape(connected ? x : x.detach().requires_grad_(), x.shape());
  }

  // f at the inputs, recorded whatever the caller's mode.
  void evaluate(const std::function<detail::FlatValue(const Variables&)>& f) {
    {
      EnableGrad recording;
      value_ = f(all_);
    }
    for (const Variable& y : values()) {
      if (!y.defined()) throw Error(std::string(transform_) + ": the function returned an undefined Variable");
      detail::require_floating(transform_, y);
    }
    values_lead_ = lead_beyond(values());
    aux_lead_ = lead_beyond(value_.aux);
  }

  // Of each, whether the caller can differentiate it.
  std::vector<bool> lead_beyond(const Variables& xs) const {
    std::vector<bool> result;
    for (const Variable& x : xs) result.push_back(x.defined() && grad_enabled() && mark_.leads_beyond(x));
    return result;
  }
  static bool any(const std::vector<bool>& flags) { return std::ranges::find(flags, true) != flags.end(); }

  static Variables handed(const Variables& xs, const std::vector<bool>& recorded) {
    Variables results;
    for (std::size_t i = 0; i < xs.size(); ++i)
      results.push_back(!xs[i].defined() ? xs[i] : recorded[i] ? reshape(xs[i], xs[i].shape()) : xs[i].detach());
    return results;
  }

  // An input to differentiate by.
  struct Asked {
    Edge edge;           // to what the caller passed
    std::size_t number;  // among all inputs
  };

  const char* transform_;
  const FlatTree& given_;
  detail::Mark mark_, start_;  // before the inputs, and after them
  Variables all_, floating_;
  std::vector<Asked> asked_;
  detail::FlatValue value_;
  std::vector<bool> values_lead_, aux_lead_;  // of each, whether the caller can differentiate it
};

std::vector<bool> defined(const Variables& xs) {
  std::vector<bool> result;
  for (const Variable& x : xs) result.push_back(x.defined());
  return result;
}

Variables or_zeros(Variables found, const Variables& xs) {
  for (std::size_t i = 0; i < xs.size(); ++i)
    if (!found[i].defined()) found[i] = zeros_like(xs[i]);
  return found;
}

// The sum of v' J over the ys and their vs, undefined for what plays no part.
Variables pull_back(const char* transform, const Variables& ys, const Variables& xs, const Variables& vs,
                    bool create_graph, bool retain_graph) {
  detail::Calling calling(transform);
  Variables outputs, seeds, result(xs.size());
  for (std::size_t i = 0; i < ys.size(); ++i)
    if (ys[i].requires_grad()) outputs.push_back(ys[i]), seeds.push_back(vs[i]);
  if (!outputs.empty() && !xs.empty())
    result = grad(outputs, xs, {.retain_graph = retain_graph, .create_graph = create_graph, .allow_unused = true,
                                .grad_outputs = seeds});
  return result;
}

// The sum of v' J over the values of a call, by the inputs that are floating-point.
Variables gradients_in(const Call& call, const Variables& vs, bool create_graph, bool retain_graph) {
  Variables found = pull_back(call.transform(), call.values(), call.floating(), vs, create_graph, retain_graph);
  call.require_use(defined(found));
  return or_zeros(std::move(found), call.floating());
}

// A one, of a value that has one element.
Variable one_for_value(const Call& call) {
  const Variable& y = call.values()[0];
  if (y.size() != 1)
    throw ShapeError(std::string(call.transform()) + ": the function's value has shape " + to_string(y.shape()) +
                     ", needs one element");
  return ones_like(y);
}

// The vectors of the floating-point xs, inputs or values, each of the shape and dtype of what it is for.
Variables checked_vectors(const char* transform, const char* what, const FlatTree& vectors, const FlatTree& xs) {
  if (vectors.names != xs.names) detail::require_same_places(transform, xs, vectors);
  if (vectors.leaves.size() != xs.leaves.size())
    throw ShapeError(std::string(transform) + ": " + std::to_string(vectors.leaves.size()) + " vectors for " +
                     std::to_string(xs.leaves.size()) + " " + what + "s");
  Variables result;
  for (std::size_t i = 0; i < xs.leaves.size(); ++i) {
    const Variable &v = vectors.leaves[i], &x = xs.leaves[i];
    if (!is_differentiable(x)) continue;
    auto text = [&] {
      return std::string(transform) + ": vector " + place(vectors, i) + " is " + describe(v) + ", its " + what + " " +
             describe(x);
    };
    if (!v.defined() || v.shape() != x.shape()) throw ShapeError(text());
    bool is_scalar = v.impl()->weak;
    if (!is_scalar && v.dtype() != x.dtype()) throw DTypeError(text());
    result.push_back(is_scalar ? v.to(x.dtype()) : v);
  }
  return result;
}

// The unit vectors of the shape of x with one at the positions from `first` on, along a first axis.
Variable unit_vectors(const Variable& x, std::size_t first, std::size_t count) {
  Shape shape{count};
  shape.insert(shape.end(), x.shape().begin(), x.shape().end());
  Array units = Array::full(shape, 0, x.dtype());
  visit_floating("jacobian", x.dtype(), [&]<class T>(T) {
    for (std::size_t k = 0; k < count; ++k) units.mutable_data<T>()[k * x.size() + first + k] = 1;
  });
  return Variable(std::move(units));
}

// So many walks at once, of functions with so many inputs or results: they take the memory of as many.
std::size_t walks_at_once(std::size_t elements) {
  return std::clamp<std::size_t>((std::size_t{1} << 20) / std::max<std::size_t>(elements, 1), 1, 128);
}

// f(v), as a list, for each unit vector v of the shape of x: of each result all along a first axis.
template <class F>
Variables for_unit_vectors(const Variable& x, std::size_t elements, const F& f) {
  const std::size_t most = walks_at_once(elements);
  std::vector<Variables> parts;
  for (std::size_t first = 0; first < x.size(); first += most) {
    const Variable units = unit_vectors(x, first, std::min(most, x.size() - first));
    auto flat = [&](const Variables& v) { return detail::FlatValue{{f(v[0])}}; };
    parts.push_back(detail::flat_vmap({"jacobian", {{units}}, flat}, {}));
  }
  if (parts.size() == 1) return parts[0];
  Variables result;
  for (std::size_t i = 0; !parts.empty() && i < parts[0].size(); ++i) {
    Variables pieces;
    for (const Variables& part : parts) pieces.push_back(part[i]);
    result.push_back(concatenate(pieces));
  }
  return result;
}

// The shape of a block of the Jacobian.
Shape block_shape(const Variable& y, const Variable& x) {
  Shape shape = y.shape();
  shape.insert(shape.end(), x.shape().begin(), x.shape().end());
  return shape;
}

std::size_t total_size(const Variables& xs) {
  std::size_t size = 0;
  for (const Variable& x : xs) size += x.size();
  return size;
}

// Row by row, with unit vectors for v: for each of the values, by each of the xs.
std::vector<Variables> jacobian_by_rows(const Call& call, bool create_graph) {
  const Variables &xs = call.floating(), &ys = call.values();
  std::vector<Variables> result;
  std::vector<bool> used(xs.size());
  for (const Variable& y : ys) {
    auto row = [&](const Variable& v) {
      Variables found = pull_back("jacobian", {y}, xs, {v}, create_graph, true);
      for (std::size_t j = 0; j < xs.size(); ++j) used[j] = used[j] || found[j].defined();
      return or_zeros(std::move(found), xs);
    };
    Variables rows = for_unit_vectors(y, total_size(xs) + y.size(), row);
    rows.resize(xs.size());  // there are none of a value without elements
    for (std::size_t j = 0; j < xs.size(); ++j) {
      const Shape shape = block_shape(y, xs[j]);
      rows[j] = rows[j].defined() ? reshape(rows[j], shape) : zeros(shape, xs[j].dtype());
    }
    result.push_back(std::move(rows));
  }
  if (total_size(ys) > 0) call.require_use(used);
  return result;
}

// Column by column, with unit vectors for the tangents of one input: for each of the ys.
Variables jacobian_by_columns(const detail::TangentWalk& walk, const Variables& ys, const Variables& xs,
                              std::size_t input, bool create_graph) {
  GradMode mode(create_graph);
  const Variable& x = xs[input];
  auto column = [&](const Variable& v) {
    Variables tangents(xs.size());
    tangents[input] = v;
    return or_zeros(walk.push(std::move(tangents)), ys);
  };
  Variables columns = for_unit_vectors(x, x.size() + total_size(ys), column);
  columns.resize(ys.size());
  for (std::size_t i = 0; i < ys.size(); ++i) {
    const Shape shape = block_shape(ys[i], x);
    columns[i] = columns[i].defined() ? reshape(movedim(columns[i], 0, -1), shape).to(x.dtype()) : zeros(shape, x.dtype());
  }
  return columns;
}

// One row of results for each value, one column for each floating-point input, as all inputs have them.
std::vector<Variables> rows_for_inputs(const Call& call, const std::vector<Variables>& rows) {
  std::vector<Variables> result;
  for (const Variables& row : rows) result.push_back(call.for_inputs(row));
  return result;
}

detail::FlatDerivatives derivatives(const Call& call, const Variables& gradients) {
  return {call.value_results(), call.for_inputs(gradients), call.aux_results()};
}

}  // namespace

namespace detail {

// One evaluation of a function, and the ways along its record.
class Linearization {
 public:
  explicit Linearization(const FlatCall& given)
      : given_(given), call_(given_), walk_(given.transform, call_.values(), call_.floating()) {
    call_.require_use(walk_.dependence());
    given_.function = nullptr;
  }
  Linearization(const Linearization&) = delete;

  const Call& call() const { return call_; }

  Variables pushed(const FlatTree& tangents) const {
    Variables directions = checked_vectors(call_.transform(), "input", tangents, call_.given());
    GradMode mode(call_.recorded(directions));
    return call_.results(or_zeros(walk_.push(directions), call_.values()));
  }

  Variables pulled(const FlatTree& vectors) const {
    Variables seeds = checked_vectors(call_.transform(), "value", vectors, call_.value());
    Variables found = pull_back(call_.transform(), call_.values(), call_.floating(), seeds, call_.recorded(seeds), true);
    return call_.for_inputs(or_zeros(std::move(found), call_.floating()));
  }

 private:
  FlatCall given_;
  Call call_;
  TangentWalk walk_;
};

std::shared_ptr<const Linearization> flat_linearize(const FlatCall& given) {
  return std::make_shared<Linearization>(given);
}
Variables values_of(const Linearization& line) { return line.call().value_results(); }
Variables aux_of(const Linearization& line) { return line.call().aux_results(); }
Variables pushed(const Linearization& line, const FlatTree& tangents) { return line.pushed(tangents); }
Variables pulled(const Linearization& line, const FlatTree& vectors) { return line.pulled(vectors); }

FlatDerivatives flat_value_and_grad(const FlatCall& given) {
  Call call(given);
  Variable one = one_for_value(call);
  return derivatives(call, gradients_in(call, {one}, call.recorded(), call.aux_recorded()));
}

FlatDerivatives flat_vjp(const FlatCall& given, const FlatTree& vectors) {
  Call call(given);
  Variables seeds = checked_vectors("vjp", "value", vectors, call.value());
  return derivatives(call, gradients_in(call, seeds, call.recorded(seeds), call.aux_recorded()));
}

FlatDerivatives flat_jvp(const FlatCall& given, const FlatTree& tangents) {
  checked_vectors("jvp", "input", tangents, given.inputs);
  Linearization line(given);
  return {values_of(line), line.pushed(tangents), aux_of(line)};
}

std::vector<Variables> flat_jacobian(const FlatCall& given, const JacobianOptions& options) {
  Call call(given);
  const Variables &xs = call.floating(), &ys = call.values();
  const bool fewer_columns = total_size(xs) < total_size(ys), recorded = call.recorded();
  if (options.mode == JacobianMode::reverse || (options.mode == JacobianMode::automatic && !fewer_columns))
    return rows_for_inputs(call, jacobian_by_rows(call, recorded));
  TangentWalk walk("jacobian", ys, xs);
  call.require_use(walk.dependence());
  std::vector<Variables> result(ys.size());
  for (std::size_t j = 0; j < xs.size(); ++j) {
    Variables blocks = jacobian_by_columns(walk, ys, xs, j, recorded);
    for (std::size_t i = 0; i < ys.size(); ++i) result[i].push_back(std::move(blocks[i]));
  }
  return rows_for_inputs(call, result);
}

std::vector<Variables> flat_hessian(const FlatCall& given) {
  Call call(given);
  Variable one = one_for_value(call);
  Variables gradients = gradients_in(call, {one}, true, true);
  std::vector<Variables> columns;  // [j][i]
  TangentWalk walk("hessian", gradients, call.floating());
  for (std::size_t j = 0; j < call.floating().size(); ++j)
    columns.push_back(jacobian_by_columns(walk, gradients, call.floating(), j, call.recorded()));
  std::vector<Variables> result;
  std::size_t i = 0;
  for (const Variable& x : given.inputs.leaves) {
    Variables row;
    for (const Variables& column : columns)
      if (is_differentiable(x)) row.push_back(column[i]);
    result.push_back(call.for_inputs(row));
    i += is_differentiable(x);
  }
  return result;
}

FlatDerivatives flat_hvp(const FlatCall& given, const FlatTree& vectors) {
  Variables directions = checked_vectors("hvp", "input", vectors, given.inputs);
  Call call(given);
  Variable one = one_for_value(call);
  Variables gradients = gradients_in(call, {one}, true, true);
  // v' times the Jacobian of the gradient, which is v' H. (To push v along f and its gradient takes no less time.)
  Variables products =
      pull_back("hvp", gradients, call.floating(), directions, call.recorded(directions), call.aux_recorded());
  return derivatives(call, or_zeros(std::move(products), call.floating()));
}

}  // namespace detail
}  // namespace xtape
