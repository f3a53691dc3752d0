#include <autograd/scalar/sparse.hpp>

#include <algorithm>
#include <limits>
#include <new>
#include <numeric>
#include <optional>
#include <string>

#include <autograd/scalar/coloring.hpp>
#include <autograd/scalar/row_sweeps.hpp>

namespace xtape::scalar {
namespace {

// sum over k of values[k] * v[from[k]], in the element to[k] of the result.
std::vector<double> product(const char* what, const SparseMatrix& a, const std::vector<std::int64_t>& from,
                            std::size_t from_count, const std::vector<std::int64_t>& to, std::size_t to_count,
                            const std::vector<double>& v) {
  if (v.size() != from_count)
    throw ShapeError(std::string("SparseMatrix: ") + what + ": a vector of " + std::to_string(v.size()) +
                     " elements for a matrix of " + std::to_string(a.row_count) + " x " +
                     std::to_string(a.column_count) + ", needs " + std::to_string(from_count));
  std::vector<double> result(to_count);
  for (std::size_t k = 0; k < a.values.size(); ++k)
    result[static_cast<std::size_t>(to[k])] += a.values[k] * v[static_cast<std::size_t>(from[k])];
  return result;
}

}  // namespace

std::vector<std::vector<double>> SparseMatrix::dense() const {
  try {
    std::vector<std::vector<double>> result(row_count, std::vector<double>(column_count));
    for (std::size_t k = 0; k < values.size(); ++k)
      result[static_cast<std::size_t>(rows[k])][static_cast<std::size_t>(columns[k])] = values[k];
    return result;
  } catch (const std::bad_alloc&) {
    throw MemoryError("SparseMatrix: dense: no memory for " + std::to_string(row_count) + " x " +
                      std::to_string(column_count) + " elements");
  }
}

std::vector<double> SparseMatrix::times(const std::vector<double>& v) const {
  return product("times", *this, columns, column_count, rows, row_count, v);
}

std::vector<double> SparseMatrix::transposed_times(const std::vector<double>& v) const {
  return product("transposed_times", *this, rows, row_count, columns, column_count, v);
}

namespace detail {
namespace {

using Section = Tape<double>::Section;
using Places = std::vector<std::size_t>;

constexpr std::size_t lanes = 8, nowhere = static_cast<std::size_t>(-1);
// A sweep by colors costs what as many visits of each statement do, as measured.
constexpr std::size_t visits_of_sweep = 4;

std::uint64_t mixed(std::uint64_t hash, std::uint64_t v) { return (hash ^ v ^ hash >> 29) * 0x9E3779B97F4A7C15; }

// A number for the operations that were recorded, whatever their values: other ones have another, but for a chance of
// 2^-64.
std::uint64_t fingerprint(const Section& section, const Places& places) {
  std::uint64_t hash = section.size();
  auto add = [&](std::uint64_t v) { hash = mixed(hash, v); };
  for (const Section::Part& part : section.parts()) {
    std::size_t arguments = 0;
    for (std::size_t i = 0; i < part.statements; ++i) add(part.counts[i]), arguments += part.counts[i];
    for (std::size_t k = 0; k < arguments; ++k) add(part.operands[k] - section.first());
  }
  for (std::size_t place : places) add(place);
  return hash;
}

// The same for a matrix's size and pattern.
std::uint64_t fingerprint(const SparseMatrix& matrix) {
  std::uint64_t hash = mixed(matrix.row_count, matrix.column_count);
  for (std::size_t k = 0; k < matrix.rows.size(); ++k)
    hash = mixed(mixed(hash, static_cast<std::uint64_t>(matrix.rows[k])), static_cast<std::uint64_t>(matrix.columns[k]));
  return hash;
}

// The elements of a matrix in groups that one sweep computes.
struct Plan {
  std::uint64_t operations = 0;  // the fingerprint of what it is for
  Compression compression = Compression::none;
  std::optional<Pattern> pattern = {};
  Coloring coloring = {};                  // of columns or rows
  std::vector<std::size_t> elements = {};  // in the order of their colors
  std::vector<std::size_t> ends = {};      // of those before each color, and of all
};

void put(SparseMatrix& matrix, const Pattern& pattern) {
  matrix.rows.clear();
  for (std::size_t row = 0; row < pattern.rows(); ++row)
    matrix.rows.insert(matrix.rows.end(), pattern[row].size(), static_cast<std::int64_t>(row));
  matrix.columns.clear();
  for (std::size_t row = 0; row < pattern.rows(); ++row)
    matrix.columns.insert(matrix.columns.end(), pattern[row].begin(), pattern[row].end());
  matrix.values.resize(pattern.size());
}

Pattern pattern_in(const SparseMatrix& matrix) {
  Pattern result(matrix.column_count);
  auto next = matrix.columns.begin();
  std::size_t k = 0;
  for (std::size_t row = 0; row < matrix.row_count; ++row) {
    const std::size_t first = k;
    while (k < matrix.rows.size() && matrix.rows[k] == static_cast<std::int64_t>(row)) ++k;
    result.add(std::span(next, next + static_cast<std::ptrdiff_t>(k - first)));
    next += static_cast<std::ptrdiff_t>(k - first);
  }
  return result;
}

// Room for a row, and a guess at that for the others: what is not used of it is never touched.
void make_room(SparseMatrix& matrix, std::size_t row, std::size_t count) {
  const std::size_t size = matrix.values.size() + count;
  if (size <= matrix.values.capacity()) return;
  const double rows = static_cast<double>(matrix.row_count) / static_cast<double>(row + 1);
  const double guess = 1.1 * rows * static_cast<double>(size);
  const std::size_t most = std::max<std::size_t>(2 * size, 1 << 24);
  const std::size_t room = guess < static_cast<double>(most) ? static_cast<std::size_t>(guess) + 1 : most;
  matrix.rows.reserve(room), matrix.columns.reserve(room), matrix.values.reserve(room);
}

// The lower triangle and its mirror image. A row gets its lower elements first, and then those of later rows.
SparseMatrix mirrored(const SparseMatrix& matrix) {
  SparseMatrix result{matrix.row_count, matrix.column_count, {}, {}, {}};
  std::vector<std::size_t> next(matrix.row_count + 1);
  auto for_lower = [&](auto f) {
    for (std::size_t k = 0; k < matrix.values.size(); ++k)
      if (matrix.columns[k] <= matrix.rows[k])
        f(static_cast<std::size_t>(matrix.rows[k]), static_cast<std::size_t>(matrix.columns[k]), matrix.values[k]);
  };
  for_lower([&](std::size_t i, std::size_t j, double) { ++next[i + 1], next[j + 1] += i != j; });
  std::partial_sum(next.begin(), next.end(), next.begin());
  result.rows.resize(next.back()), result.columns.resize(next.back()), result.values.resize(next.back());
  auto put = [&](std::size_t i, std::size_t j, double value) {
    const std::size_t k = next[i]++;
    result.rows[k] = static_cast<std::int64_t>(i), result.columns[k] = static_cast<std::int64_t>(j);
    result.values[k] = value;
  };
  for_lower([&](std::size_t i, std::size_t j, double value) {
    put(i, j, value);
    if (i != j) put(j, i, value);
  });
  return result;
}

}  // namespace

class SparseDerivatives::Work {
 public:
  explicit Work(Compression compression) : compression_(compression) {}

  void compute(const Section& section, const Places& places, std::size_t inputs);
  void mirror() { matrix = mirrored(matrix); }
  void note_pattern() {
    const std::uint64_t before = std::exchange(pattern_, fingerprint(matrix));
    pattern_changed_ = !std::exchange(is_noted_, true) || pattern_ != before;
  }
  bool pattern_changed() const { return pattern_changed_; }

  SparseMatrix matrix;

 private:
  bool by_rows(const Places& places, std::size_t inputs, std::size_t most);
  void make_plan(const Places& places, std::size_t inputs);
  void choose();
  void by_colors(const Section& section, const Places& places);

  Compression compression_;
  std::uint64_t pattern_ = 0;  // of the last call, which the caller may have moved away
  bool is_noted_ = false, pattern_changed_ = false;
  std::optional<Plan> plan_;
  Statements statements_;
  RowSweeps sweeps_;
  double visits_ = 0;  // how many all rows would take
  std::vector<Lanes<double, lanes>> derivatives_;
};

void SparseDerivatives::Work::compute(const Section& section, const Places& places, std::size_t inputs) {
  statements_.read(section);
  constexpr std::size_t all = std::numeric_limits<std::size_t>::max();
  const std::uint64_t operations = plan_ || compression_ != Compression::automatic ? fingerprint(section, places) : 0;
  matrix.row_count = places.size(), matrix.column_count = inputs;
  if (compression_ == Compression::none) {
    by_rows(places, inputs, all);
    return;
  }
  if (!plan_ || plan_->operations != operations) {
    plan_.reset();
    if (compression_ == Compression::automatic && by_rows(places, inputs, 16 * statements_.size())) return;
    make_plan(places, inputs);
    plan_->operations = fingerprint(section, places);
  }
  if (plan_->compression == Compression::none) by_rows(places, inputs, all);
  else by_colors(section, places);
}

// One row after the other, or two at once: a result goes with the one of its neighbors that is nearer on the tape, as the
// two of a point in an image are, and so what they have in common is visited once. False where that takes more visits.
bool SparseDerivatives::Work::by_rows(const Places& places, std::size_t inputs, std::size_t most) {
  matrix.rows.clear(), matrix.columns.clear(), matrix.values.clear();
  sweeps_.prepare(statements_, inputs);
  auto distance = [&](std::size_t row) {
    if (row + 1 >= places.size()) return nowhere;
    return std::max(places[row], places[row + 1]) - std::min(places[row], places[row + 1]);
  };
  std::size_t visits = 0;
  for (std::size_t row = 0, count = 0; row < places.size(); row += count) {
    count = row + 1 < places.size() && distance(row) <= distance(row + 1) ? 2 : 1;
    if (row + count < places.size()) statements_.prefetch(places[row + count - 1] + 1, places[row + count]);
    visits += sweeps_.sweep(statements_, places[row], count == 2 ? places[row + 1] : nowhere);
    for (std::size_t k = 0; k < count; ++k) {
      const auto columns = sweeps_.columns(k);
      const auto values = sweeps_.values(k);
      make_room(matrix, row + k, values.size());
      matrix.rows.insert(matrix.rows.end(), values.size(), static_cast<std::int64_t>(row + k));
      matrix.columns.insert(matrix.columns.end(), columns.begin(), columns.end());
      matrix.values.insert(matrix.values.end(), values.begin(), values.end());
    }
    if (visits > most) {
      visits_ = static_cast<double>(visits) / static_cast<double>(row + count) * static_cast<double>(places.size());
      return false;
    }
  }
  return true;
}

void SparseDerivatives::Work::make_plan(const Places& places, std::size_t inputs) {
  plan_.emplace();
  const std::size_t most = 16 * statements_.size() + (std::size_t{1} << 24);
  plan_->pattern = pattern_of(statements_, places, inputs, most);
  if (!plan_->pattern && compression_ == Compression::automatic) return;
  if (!plan_->pattern) {
    by_rows(places, inputs, std::numeric_limits<std::size_t>::max());
    plan_->pattern = pattern_in(matrix);
  }
  choose();
  if (plan_->compression == Compression::none) return;
  put(matrix, *plan_->pattern);
  const bool columns = plan_->compression == Compression::columns;
  auto color = [&](std::size_t k) {
    return plan_->coloring.colors[static_cast<std::size_t>(columns ? matrix.columns[k] : matrix.rows[k])];
  };
  plan_->ends.assign(plan_->coloring.count + 1, 0);
  for (std::size_t k = 0; k < plan_->pattern->size(); ++k) ++plan_->ends[color(k) + 1];
  std::partial_sum(plan_->ends.begin(), plan_->ends.end(), plan_->ends.begin());
  plan_->elements.resize(plan_->pattern->size());
  std::vector<std::size_t> next(plan_->ends.begin(), plan_->ends.end() - 1);
  for (std::size_t k = 0; k < plan_->pattern->size(); ++k) plan_->elements[next[color(k)]++] = k;
}

// Columns or rows, by the fewer colors. There are at least as many as the longest row, or column, has elements.
void SparseDerivatives::Work::choose() {
  const Pattern& pattern = *plan_->pattern;
  const Pattern transposed = pattern.transposed();
  const bool automatic = compression_ == Compression::automatic;
  auto consider = [&](Compression way, const Pattern& by_rows, const Pattern& by_columns) {
    auto is_slower = [&](std::size_t colors) {
      const std::size_t sweeps = (colors + lanes - 1) / lanes;
      return automatic && (static_cast<double>(sweeps * visits_of_sweep * statements_.size()) > visits_ ||
                           (plan_->compression != Compression::none && colors >= plan_->coloring.count));
    };
    if ((!automatic && way != compression_) || is_slower(by_rows.longest())) return;
    Coloring coloring = color_columns(by_rows, by_columns);
    if (!is_slower(coloring.count)) plan_->compression = way, plan_->coloring = std::move(coloring);
  };
  consider(Compression::columns, pattern, transposed);
  consider(Compression::rows, transposed, pattern);
}

void SparseDerivatives::Work::by_colors(const Section& section, const Places& places) {
  const bool columns = plan_->compression == Compression::columns;
  const std::vector<std::uint32_t>& colors = plan_->coloring.colors;
  put(matrix, *plan_->pattern);
  for (std::size_t first = 0; first < plan_->coloring.count; first += lanes) {
    const std::size_t end = std::min(first + lanes, plan_->coloring.count);
    derivatives_.assign(section.size(), {});
    for (std::size_t i = 0; i < colors.size(); ++i)
      if (const std::size_t place = columns ? i : places[i]; place < section.size())
        if (colors[i] >= first && colors[i] < end) derivatives_[place].values[colors[i] - first] = 1;
    if (columns) section.sweep_forward(derivatives_);
    else section.sweep_back(derivatives_);
    for (std::size_t color = first; color < end; ++color)
      for (std::size_t k = plan_->ends[color]; k < plan_->ends[color + 1]; ++k) {
        const std::size_t element = plan_->elements[k];
        const auto row = static_cast<std::size_t>(matrix.rows[element]);
        const auto column = static_cast<std::size_t>(matrix.columns[element]);
        matrix.values[element] = derivatives_[columns ? places[row] : column].values[color - first];
      }
  }
}

SparseDerivatives::SparseDerivatives(const SparseOptions& options) : work_(std::make_unique<Work>(options.compression)) {}
SparseDerivatives::~SparseDerivatives() = default;
SparseDerivatives::SparseDerivatives(SparseDerivatives&&) noexcept = default;
SparseDerivatives& SparseDerivatives::operator=(SparseDerivatives&&) noexcept = default;

void SparseDerivatives::compute(const Section& section, const Places& places, std::size_t inputs) {
  work_->compute(section, places, inputs);
  work_->note_pattern();
}

void SparseDerivatives::compute_symmetric(const Section& section, const Places& places) {
  work_->compute(section, places, places.size());
  work_->mirror();
  work_->note_pattern();
}

SparseMatrix& SparseDerivatives::matrix() { return work_->matrix; }
const SparseMatrix& SparseDerivatives::matrix() const { return work_->matrix; }
bool SparseDerivatives::pattern_changed() const { return work_->pattern_changed(); }

}  // namespace detail
}  // namespace xtape::scalar
