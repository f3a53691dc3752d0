#include <autograd/ops/collective.hpp>

#include <autograd/communicator.hpp>
#include <autograd/ops/operands.hpp>
#include <autograd/tape.hpp>

namespace xtape {

Variable all_reduce(const Variable& x, Communicator& processes) {
  return record("all_reduce", [&](const Array& a) {
    Array sum = a.copy();
    processes.all_reduce(sum);
    return sum;
  }, wrt(x, [&processes](const Variable& g) { return all_reduce(g, processes); }, linear_in_operand));
}

Variable all_reduce(const Variable& x) { return all_reduce(x, Communicator::world()); }

}  // namespace xtape
