#pragma once

#include "traces/generate/generator.h"

namespace tidegate::traces {

// Day and night: a sine wave over the day with a second one of half its length, which gives most
// services their dip in the afternoon and their second peak in the evening, times noise that
// drifts. The noise is the exponential of an autoregressive process of order 1 with one value per
// minute, scaled to a mean of 1, so that the rate is never negative.
struct DiurnalOptions {
  double mean_rps = 100;   // over a whole day
  double amplitude = 0.6;  // of the day's wave over the mean
  double second = 0.15;    // of the half day's wave over the mean; amplitude + second <= 1 keeps
                           // nights above zero, below it they are cut off at zero
  double peak_hour = 20;   // when the day's wave is highest, in hours since the trace's start
  double day_s = 86400;    // shorter days make shorter tests
  double noise = 0.1;      // standard deviation of the noise's logarithm; 0: none
  double noise_memory_s = 900;  // after this long the noise has forgotten 63 % of itself
};

Generator Diurnal();

}  // namespace tidegate::traces
