// Tables of numbers in text: comma-separated values (RFC 4180).
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <autograd/variable.hpp>

namespace xtape::nn {

/// What becomes of a number that is not there.
enum class Missing { error, nan };

struct CsvOptions {
  bool header = true;    ///< the first line has the names of the columns; else these are "0", "1", ...
  char delimiter = ',';
  /// The columns to read as numbers, by name, in this order; empty: all that are not in `texts`.
  std::vector<std::string> columns = {};
  std::vector<std::string> texts = {};  ///< the columns to read as they are
  Missing missing = Missing::error;
  std::vector<std::string> missing_marks = {"", "NA"};  ///< how a missing number is written
  DType dtype = default_dtype();                ///< float32 or float64
};

/// What a CSV file holds.
struct CsvTable {
  std::vector<std::string> columns;  ///< the names of the columns of numbers
  Variable values;                   ///< (rows, columns)
  std::map<std::string, std::vector<std::string>> texts;  ///< by column, one for each row
};

/// Reads a table, plain or gzip. Fields may be quoted, and then have delimiters, line breaks and doubled quotes within.
/// Lines end with LF or CRLF, or with the file; a byte order mark is skipped, and so are empty lines, unless there is
/// just one column. Around numbers there may be spaces. The text "nan" is a missing number as well.
/// @throws FileError naming file, line and column for what is no number or infinite in the dtype, a missing one where
/// `missing` is error, lines of unequal length, and quotes that are out of place; for a column that the file lacks or
/// has twice; and when the file is missing. Where columns and texts would take more memory than 80 MB and 8 times the
/// file, or the numbers of a compressed file more than 80 MB and 100 times, that is a FileError, too. ValueError for a delimiter that is a quote, space or line break, or may be
/// part of a number or name: a letter, a digit, '+', '-' or '.'. DTypeError unless floating-point.
CsvTable load_csv(const std::filesystem::path& file, const CsvOptions& options = {});

/// Texts as indices of classes.
struct Classes {
  Variable indices;                ///< int64, one for each text
  std::vector<std::string> names;  ///< in alphabetical order
};
Classes class_indices(const std::vector<std::string>& texts);

}  // namespace xtape::nn
