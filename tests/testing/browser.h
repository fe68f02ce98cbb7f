#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "policies/base/expected.h"

namespace tidegate::testing {

// How a page is looked at.
struct Viewport {
  int width = 1'400;
  int height = 900;
  bool dark = false;  // what prefers-color-scheme says
};

// A headless Chromium, driven by its DevTools protocol through pipes: no port, no network. Killed
// at the end of the object's life.
class Browser {
 public:
  // kNotFound where there is no Chromium.
  static Expected<std::unique_ptr<Browser>> Start();
  ~Browser();

  // Opens a file in a new tab, waits until it is loaded, and forgets what earlier ones said.
  Expected<void> Open(const std::filesystem::path& file, const Viewport& viewport);
  // The JSON of an expression's value; a promise is awaited. kInvalid where it throws.
  Expected<std::string> Evaluate(const std::string& expression);
  // Polls an expression until it is true; kTimeout.
  Expected<void> WaitFor(const std::string& expression);
  // A key by its DOM name, e.g. "ArrowRight"; a letter or sign types itself.
  Expected<void> Press(const std::string& key);
  // Moves the mouse without a button, or drags it from one point to another with the left one.
  Expected<void> Move(double x, double y);
  Expected<void> Drag(double from_x, double to_x, double y);
  // The whole page as a PNG.
  Expected<void> Screenshot(const std::filesystem::path& file);

  // What the page's console, its exceptions and its security policy said since Open().
  const std::vector<std::string>& complaints() const;
  // URLs that the page asked for, itself included.
  const std::vector<std::string>& requests() const;

 private:
  class Impl;
  explicit Browser(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tidegate::testing
