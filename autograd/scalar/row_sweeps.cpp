#include <autograd/scalar/row_sweeps.hpp>

#include <string>
#include <utility>

#include <autograd/error.hpp>

namespace xtape::scalar::detail {

void Waiting::resize(std::size_t size) {
  std::size_t count = size / 64 + 1;
  if (count <= words_.size()) return;
  words_.resize(count);
  above_.clear();
  do above_.emplace_back(count = count / 64 + 1);
  while (count > 1);
}

void Waiting::announce(std::size_t word) {
  for (std::vector<std::uint64_t>& level : above_) {
    std::uint64_t& bits = level[word / 64];
    const bool announced = bits != 0;
    bits |= std::uint64_t{1} << word % 64;
    if (announced) return;
    word /= 64;
  }
}

// To the last word that is not 0, now that this one is.
bool Waiting::go_on() {
  std::size_t word = at_, level = 0;
  for (;; ++level) {
    if (level == above_.size()) return at_ = 0, false;
    std::uint64_t& bits = above_[level][word / 64];
    bits &= ~(std::uint64_t{1} << word % 64);
    word /= 64;
    if (bits) break;
  }
  for (++level; level-- > 0;) word = word * 64 + 63 - static_cast<unsigned>(std::countl_zero(above_[level][word]));
  at_ = word;
  return true;
}

void RowSweeps::prepare(const Statements& statements, std::size_t inputs) {
  far_waiting_.resize(statements.size());
  if (size_ < statements.size()) {
    size_ = 0;
    far_.reset(static_cast<State*>(std::calloc(statements.size(), sizeof(State))));
    if (!far_)
      throw MemoryError("sparse_jacobian: no memory for the adjoints of " + std::to_string(statements.size()) +
                        " operations");
    size_ = statements.size();
  }
  for (Row& row : rows_) row.columns.resize(inputs), row.values.resize(inputs);
  inputs_ = inputs;
}

std::size_t RowSweeps::sweep(const Statements& statements, std::size_t first, std::size_t second) {
  // What the loops use is local: nothing that they write can change it.
  const std::size_t size = statements.size(), places[] = {first, second};
  const std::size_t last = std::max(first < size ? first : 0, second < size ? second : 0);
  const std::size_t near_begin = last < near_size ? 0 : last + 1 - near_size;
  State* const near = near_.data();
  State* const far = far_.get();
  const Statements::Part* part = nullptr;
  std::size_t near_count = 0, part_begin = size, visited = 0;

  auto add = [](State& to, unsigned rows, Adjoint adjoint) __attribute__((always_inline)) {
    to.rows |= rows;
    to.adjoint += adjoint;
  };
  auto wait = [&](std::size_t place, unsigned rows, Adjoint adjoint) __attribute__((always_inline)) {
    if (const std::size_t k = place - near_begin; k < near_size) {
      near_count += near[k].rows == 0;
      add(near[k], rows, adjoint);
    } else {
      if (far[place].rows == 0) far_waiting_.insert(place);
      add(far[place], rows, adjoint);
    }
  };
  auto visit = [&](std::size_t place, const State& state) __attribute__((always_inline)) {
    ++visited;
    if (place < inputs_) return emit(place, state);
    if (place < part_begin) part = &statements.part_of(place), part_begin = part->begin;
    const Statements::Arguments arguments = statements.arguments(*part, place);
    const auto zero = state.adjoint == 0;  // and stays so: a partial may be infinite where nothing goes through
    for (std::size_t k = 0; k < arguments.count; ++k)
      if (const std::size_t at = statements.place(arguments.operands[k]); at < size)
        wait(at, state.rows, zero ? Adjoint{} : arguments.partials[k] * state.adjoint);
  };

  for (unsigned row : {0, 1}) {
    rows_[row].begin = inputs_;
    if (places[row] < size) wait(places[row], row + 1, row == 0 ? Adjoint{1, 0} : Adjoint{0, 1});
  }
  for (std::size_t k = last - near_begin + 1; near_count != 0;)
    if (near[--k].rows != 0) {
      --near_count;
      visit(near_begin + k, std::exchange(near[k], State{}));
    }
  for (std::size_t place; (place = far_waiting_.pop()) != Waiting::none;)
    visit(place, std::exchange(far[place], State{}));
  return visited;
}

inline void RowSweeps::emit(std::size_t input, const State& state) {
  for (unsigned row : {0, 1})
    if (Row& to = rows_[row]; state.rows >> row & 1) {
      to.columns[--to.begin] = static_cast<std::int64_t>(input);
      to.values[to.begin] = state.adjoint[row];
    }
}

}  // namespace xtape::scalar::detail
