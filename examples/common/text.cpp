#include <examples/common/text.hpp>

#include <array>
#include <cctype>
#include <cstdint>
#include <iostream>
#include <random>
#include <sstream>

#include <autograd/error.hpp>
#include <nn/data/gunzip.hpp>
#include <nn/data/input_file.hpp>

#include <examples/common/download.hpp>

namespace fs = std::filesystem;
using xtape::FileError;

namespace example {
namespace {

// Its commit is named, so that it stays as it is.
const RemoteFile moby_dick{
    "moby_dick.txt", "f17ab08e0ad8c6e43d1e85e3cdae4e1b617ae35069cee7db8dcd457c87b1ec76",
    {"https://raw.githubusercontent.com/GITenberg/Moby-Dick--Or-The-Whale_2701/"
     "bdf1948e6cd00963730971e5624e764a35f238c3/2701.txt"}};

std::string content_of(const fs::path& path) {
  xtape::nn::InputFile file("read_text", path);
  xtape::nn::Gunzip gunzip(file.stream(), file.name());
  std::array<std::uint8_t, 64 << 10> chunk;
  std::string content;
  while (std::size_t count = gunzip.read(chunk)) content.append(chunk.begin(), chunk.begin() + count);
  return content;
}

// The book between the lines "*** START OF THE PROJECT GUTENBERG EBOOK ... ***" and "*** END OF ...".
std::string without_license(const std::string& text) {
  const std::size_t start = text.find("*** START OF");
  if (start == std::string::npos) return text;
  const std::size_t begin = text.find('\n', start), end = text.find("*** END OF", start);
  return begin < end ? text.substr(begin, end == std::string::npos ? end : end - begin) : text;
}

std::string as_expected(const fs::path& path) try {
  return read_text(path);
} catch (const FileError&) {
  // Not there yet, or damaged.
  download(moby_dick, path.parent_path());
  return read_text(path);
}

// Classes of words stand in capitals.
constexpr std::array sentences_of_grammar{
    "the PERSON eats FOOD with FOOD in the PLACE.",
    "the PERSON buys a COLOUR ANIMAL.",
    "the COLOUR ANIMAL sleeps near the COLOUR ANIMAL in the PLACE.",
    "the PERSON needs a TOOL and a TOOL for the PLACE.",
    "FOOD tastes better than FOOD, says the PERSON to the PERSON.",
    "who left the TOOL beside the TOOL?",
};

std::string lower(std::string word) {
  for (char& c : word) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return word;
}

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
// Bytes beyond ASCII are parts of letters.
bool is_letter(char c) { return static_cast<unsigned char>(c) >= 0x80 || std::isalpha(static_cast<unsigned char>(c)); }

}  // namespace

std::string read_text(const fs::path& file) {
  std::string text = without_license(content_of(file));
  std::erase(text, '\r');
  if (text.find_first_not_of(" \n\t") == std::string::npos) throw FileError(file.string() + ": has no text");
  return text;
}

const std::map<std::string, std::vector<std::string>>& word_classes() {
  static const std::map<std::string, std::vector<std::string>> classes{
      {"person", {"baker", "sailor", "farmer", "teacher", "doctor", "miller", "tailor", "hunter"}},
      {"food", {"bread", "cheese", "honey", "butter", "rice", "soup", "salad", "cake"}},
      {"animal", {"horse", "goose", "rabbit", "kitten", "donkey", "sparrow", "lamb", "beaver"}},
      {"colour", {"red", "green", "yellow", "brown", "white", "black", "blue", "gray"}},
      {"place", {"kitchen", "garden", "cellar", "attic", "stable", "barn", "yard", "orchard"}},
      {"tool", {"hammer", "needle", "ladder", "shovel", "basket", "bucket", "hatchet", "saw"}},
  };
  return classes;
}

std::string make_up_text(std::size_t sentences, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::string text;
  for (std::size_t i = 0; i < sentences; ++i) {
    const std::string sentence = sentences_of_grammar[random() % sentences_of_grammar.size()];
    for (std::size_t at = 0; at < sentence.size();) {
      std::size_t end = at + 1;
      while (is_upper(sentence[at]) && end < sentence.size() && is_upper(sentence[end])) ++end;
      const std::string part = sentence.substr(at, end - at);
      const std::vector<std::string>* choice = part.size() > 1 ? &word_classes().at(lower(part)) : nullptr;
      text += choice ? (*choice)[random() % choice->size()] : part;
      at = end;
    }
    text += i % 2 == 0 ? ' ' : '\n';
  }
  return text;
}

Text text_for(const Program& program, const fs::path& file) {
  auto tell = [](Text text, const std::string& source) {
    std::cout << source << ": " << characters(text.content).size() << " characters" << std::endl;
    return text;
  };
  if (!file.empty()) return tell({read_text(file)}, file.string());
  if (program.quick()) return tell({make_up_text(4'000, 0), true}, "a text made up by this program from a small grammar");
  try {
    const fs::path path = cache_folder("texts") / moby_dick.name;
    return tell({as_expected(path)}, path.string());
  } catch (const std::exception& error) {
    throw FileError(std::string("Moby-Dick is not to be had: ") + error.what() +
                    "\nName a text of your own with --text.");
  }
}

std::vector<std::string> characters(const std::string& text) {
  std::vector<std::string> result;
  for (char c : text)
    if ((static_cast<unsigned char>(c) & 0xC0) != 0x80 || result.empty()) result.emplace_back(1, c);
    else result.back() += c;
  return result;
}

std::vector<std::string> words(const std::string& text) {
  std::vector<std::string> result;
  for (std::size_t at = 0; at < text.size();) {
    auto within = [&](std::size_t i) {
      return is_letter(text[i]) || (text[i] == '\'' && i > at && i + 1 < text.size() && is_letter(text[i + 1]));
    };
    std::size_t end = at;
    while (end < text.size() && within(end)) ++end;
    if (end > at) result.push_back(lower(text.substr(at, end - at)));
    at = std::max(end, at + 1);
  }
  return result;
}

}  // namespace example
