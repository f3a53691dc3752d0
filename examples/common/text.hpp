// Where the texts come from: a file, the cache of what was downloaded before, the net, or a made-up grammar.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <examples/common/program.hpp>

namespace example {

struct Text {
  std::string content;   ///< UTF-8; lines end with "\n"
  bool made_up = false;  ///< by make_up_text
};

/// A text file, plain or gzip. What Project Gutenberg puts before and behind a book is left out.
/// @throws xtape::FileError, also for one that has no text.
std::string read_text(const std::filesystem::path& file);

/// The classes of words that sentences are made of, by name: "food" has bread, cheese, honey, ...
const std::map<std::string, std::vector<std::string>>& word_classes();
/// So many sentences like "the baker eats bread with honey in the garden.", two to a line.
std::string make_up_text(std::size_t sentences, std::uint64_t seed);

/// The text of the file, or, where `file` is empty, Moby-Dick from the user's cache folder, downloaded first when it is
/// not there; with --quick a made-up text instead. It prints which.
/// @throws xtape::FileError as read_text does, and when it cannot be downloaded.
Text text_for(const Program& program, const std::filesystem::path& file);

/// Its characters, each in UTF-8.
std::vector<std::string> characters(const std::string& text);
/// Its words, in small letters; what is no letter stands between words, and apostrophes within one belong to it.
std::vector<std::string> words(const std::string& text);

}  // namespace example
