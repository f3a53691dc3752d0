// Tables in text: RFC 4180, numbers, missing ones, and errors that name line and column.
#include <cmath>
#include <limits>

#include <nn/data/csv.hpp>
#include <tests/nn/support.hpp>

using namespace xtape;
using nn::CsvOptions;
using nn::CsvTable;
using xtape::testing::close;
using xtape::testing::gzip;
using xtape::testing::put;
using xtape::testing::TemporaryDirectory;
using xtape::testing::throws;

namespace {

CsvTable read(const std::string& text, const CsvOptions& options = {}) {
  TemporaryDirectory directory;
  put(directory / "x.csv", text);
  return nn::load_csv(directory / "x.csv", options);
}

void refuses(const std::string& text, std::initializer_list<const char*> parts, const CsvOptions& options = {}) {
  throws<FileError>([&] { read(text, options); }, {"load_csv: ", "x.csv: "});
  throws<FileError>([&] { read(text, options); }, parts);
}

using Names = std::vector<std::string>;

}  // namespace

BOOST_AUTO_TEST_SUITE(csv)

BOOST_AUTO_TEST_CASE(a_table_of_numbers) {
  CsvTable table = read("a,b,c\n1,2.5,-3\n+4,5e2,  .5 \n");
  BOOST_TEST((table.columns == Names{"a", "b", "c"}));
  close(table.values, Variable{{1, 2.5, -3}, {4, 500, 0.5}});
  table = read("1;2\n3;4", {.header = false, .delimiter = ';', .dtype = float64});
  BOOST_TEST((table.columns == Names{"0", "1"}));
  close(table.values, Variable({{1, 2}, {3, 4}}, float64));
  BOOST_TEST((read("a,b\n").values.shape() == Shape{0, 2}));
  close(read("a\tb\n1\t2\n", {.delimiter = '\t'}).values, Variable{{1, 2}});
}

BOOST_AUTO_TEST_CASE(numbers_are_exact) {
  std::string text = "0.1,1e308,4.9e-324,1e-400,123456789012345678\n";
  Variable values = read(text, {.header = false, .dtype = float64}).values;
  Variable expected({{0.1, 1e308, std::numeric_limits<double>::denorm_min(), 0}}, float64);
  close(values[{range(), range(0, 4)}], expected);
  BOOST_TEST(values.value().at(4) == 123456789012345678.0);
}

BOOST_AUTO_TEST_CASE(numbers_are_finite) {
  for (nn::Missing missing : {nn::Missing::error, nn::Missing::nan}) {
    refuses("a,b\n1,-1e300\n", {"line 2, column 2 (\"b\")", "\"-1e300\", needs a finite float32"},
            {.missing = missing});
    for (const char* infinite : {"inf", "-inf", "+Infinity", "1e400"})
      refuses(std::string(infinite) + "\n", {"line 1, column 1", infinite, "needs a finite float64"},
              {.header = false, .missing = missing, .dtype = float64});
  }
  refuses("1\n nan\n", {"line 2, column 1", "\" nan\", needs a finite float32"}, {.header = false});
  close(read("a\n1e300\n", {.dtype = float64}).values, Variable({{1e300}}, float64));
  close(read("a\n3.4e38\n").values, Variable{{3.4e38}});
}

BOOST_AUTO_TEST_CASE(line_ends_and_quotes) {
  for (const char* text : {"a,b\n1,2\n3,4\n", "a,b\r\n1,2\r\n3,4\r\n", "a,b\n1,2\n3,4",
                           "\xef\xbb\xbf" "a,b\r\n1,2\n3,4",
                           "\"a\",\"b\"\n\"1\",2\n3,\"4\"\r\n", "a,b\n\n1,2\n\r\n3,4\n\n"}) {
    CsvTable table = read(text);
    BOOST_TEST((table.columns == Names{"a", "b"}));
    close(table.values, Variable{{1, 2}, {3, 4}});
  }
  std::string quoted = "\"the \"\"x\"\"\",\"a, b\",t\n1,2,\"two\nlines, and \"\"quotes\"\"\"\n3,4,\n";
  CsvTable table = read(quoted, {.texts = {"t"}});
  BOOST_TEST((table.columns == Names{"the \"x\"", "a, b"}));
  BOOST_TEST((table.texts.at("t") == Names{"two\nlines, and \"quotes\"", ""}));
  close(table.values, Variable{{1, 2}, {3, 4}});
}

BOOST_AUTO_TEST_CASE(columns_are_chosen_by_name) {
  std::string text = "id,species,width,height\n7,iris,1,2\n8,rose,3,4\n9,iris,5,6\n";
  CsvTable table = read(text, {.columns = {"height", "width"}, .texts = {"species"}});
  BOOST_TEST((table.columns == Names{"height", "width"}));
  close(table.values, Variable{{2, 1}, {4, 3}, {6, 5}});
  nn::Classes classes = nn::class_indices(table.texts.at("species"));
  BOOST_TEST((classes.names == Names{"iris", "rose"}));
  close(classes.indices, Variable({0, 1, 0}, int64));
  BOOST_TEST((read(text, {.texts = {"species"}}).columns == Names{"id", "width", "height"}));
  refuses(text, {"line 2, column 2 (\"species\")", "\"iris\", needs a number"});
  refuses(text, {"lacks the column \"color\"", "\"id\", \"species\", \"width\", \"height\""}, {.columns = {"color"}});
  refuses("a,a\n1,2\n", {"has the column \"a\" twice"}, {.columns = {"a"}});
  close(read("a,a\n1,2\n").values, Variable{{1, 2}});
}

BOOST_AUTO_TEST_CASE(missing_numbers) {
  refuses("a,b\n1,2\n3,\n", {"line 3, column 2 (\"b\")", "the number is missing"});
  refuses("1,2\n NA ,4\n", {"line 2, column 1: the number is missing"}, {.header = false});
  Variable values = read("a,b\n1,\n NA ,4\nnan,5\n", {.missing = nn::Missing::nan}).values;
  BOOST_TEST(std::isnan(values.value().at(1)));
  BOOST_TEST(std::isnan(values.value().at(2)));
  BOOST_TEST(std::isnan(values.value().at(4)));
  BOOST_TEST(values.value().at(3) == 4);
  values = read("a\n1\n\n?\n", {.missing = nn::Missing::nan, .missing_marks = {"", "?"}}).values;
  BOOST_TEST((values.shape() == Shape{3, 1}));  // an empty line is a row where there is one column
  BOOST_TEST(std::isnan(values.value().at(2)));
  refuses("a,b\n1,-\n", {"line 2, column 2", "\"-\", needs a number"}, {.missing = nn::Missing::nan});
}

BOOST_AUTO_TEST_CASE(errors_name_line_and_column) {
  refuses("a,b\n1,2\n3,4,5\n", {"line 3: 3 fields, needs 2"});
  refuses("a,b\n\"x\n\n\",2,3\n", {"line 2: 3 fields, needs 2"});
  refuses("a,b\n\"\n\n\",2\n3,x\n", {"line 2, column 1"});
  refuses("a,b\n1,\"2\n\n", {"line 2, column 2: a quoted field that does not end"});
  refuses("a,b\n1,2\"3\n", {"line 2, column 2: a quote within a field"});
  refuses("a,b\n\"1\"2,3\n", {"line 2, column 1: text behind the closing quote"});
  refuses("a,b\n\"1\"\rx,3\n", {"line 2"});
  refuses("a,b\n1\r2,3\n", {"line 2, column 1: a carriage return"});
  refuses("a,b\n1,1x\n", {"line 2, column 2 (\"b\"): \"1x\", needs a number"});
  for (const char* number : {"0x10", "1 2", "1,", "--1", "+-1", "e5", ".", "1e", "infinite", "nan(1)x"})
    BOOST_CHECK_THROW(read(std::string(number) + "\n", {.header = false, .delimiter = ';'}), FileError);
  refuses("", {"is empty"});
  refuses("\n\n", {"is empty"});
  TemporaryDirectory directory;
  throws<FileError>([&] { nn::load_csv(directory / "absent"); }, {"load_csv", "absent", "No such file"});
  for (char delimiter : {'"', '\n', '\r', ' ', '1', 'e', 'Z', '+', '-', '.'})
    throws<ValueError>([&] { read("a\n", {.delimiter = delimiter}); },
                       {"load_csv", (std::string("delimiter is '") + delimiter).c_str()});
  throws<DTypeError>([&] { read("a\n", {.dtype = int64}); }, {"load_csv", "int64"});
}

BOOST_AUTO_TEST_CASE(large_and_compressed) {
  std::string text = "i,square\n";
  for (int i = 0; i < 20000; ++i) text += std::to_string(i) + "," + std::to_string(i * 1.0 * i) + "\n";
  for (const std::string& file : {text, gzip(text)}) {
    Variable values = read(file, {.dtype = float64}).values;
    Variable i = arange(0.0, 20000, 1, float64);
    close(values, stack({i, square(i)}, 1));
  }
}

BOOST_AUTO_TEST_SUITE_END()
