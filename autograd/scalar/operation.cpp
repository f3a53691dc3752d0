#include <autograd/scalar/operation.hpp>

#include <algorithm>

#include <autograd/ops/joining.hpp>
#include <autograd/ops/manipulation.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/tape.hpp>

namespace xtape {
namespace {

using scalar::Program;
using SharedProgram = std::shared_ptr<const Program>;

std::vector<double> doubles(const Array& x) { return {x.data<double>(), x.data<double>() + x.size()}; }

Array array_of(const std::vector<double>& values) {
  Array result(Shape{values.size()}, float64);
  std::copy(values.begin(), values.end(), result.mutable_data<double>());
  return result;
}

Array results_of(const Program& program, const Array& x) {
  const std::vector<double> values = program.evaluate<double>(doubles(x));
  std::vector<double> results;
  for (std::size_t k = 0; k < program.results(); ++k) results.push_back(values[program.result(k)]);
  return array_of(results);
}

// The function (x, g) -> g' J, written down.
Program pulled_back(const Program& program, const std::vector<double>& x_and_g) {
  auto pull = [&](const std::vector<Real>& numbers) {
    const std::span<const Real> all = numbers;
    return program.sweep_back<Real>(program.evaluate<Real>(all.first(program.inputs())), all.subspan(program.inputs()));
  };
  return Program::of(pull, x_and_g);
}

Variable call(const SharedProgram& program, const Variable& x);

// Computed once; as a function of its own where it is differentiated again.
Variable pull_back(const SharedProgram& program, const Variable& x, const Variable& g) {
  if (!recording(x, g))
    return Variable(array_of(
        program->sweep_back<double>(program->evaluate<double>(doubles(x.value())), doubles(g.value()))));
  const Variable both = concatenate({x, g}, 0);
  return call(std::make_shared<const Program>(pulled_back(*program, doubles(both.value()))), both);
}

Variable call(const SharedProgram& program, const Variable& x) {
  return record("scalar_function", [program](const Array& elements) { return results_of(*program, elements); },
                wrt(x, [program, x = save(x)](const Variable& g) { return pull_back(program, x(), g); }));
}

}  // namespace

namespace detail {

std::vector<double> elements_for_reals(const Variable& x) {
  require_defined("scalar_function", x);
  require_floating("scalar_function", x);
  return doubles(x.detach().to(float64).value());
}

Variable call_program(SharedProgram program, const Variable& x, bool number) {
  Calling calling("scalar_function");
  Variable y = xtape::call(program, reshape(x.to(float64), {-1}));
  if (number) y = reshape(y, {});
  return y.to(x.dtype());
}

}  // namespace detail
}  // namespace xtape
