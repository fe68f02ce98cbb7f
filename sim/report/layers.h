#pragma once

#include <vector>

namespace tidegate::sim {

// A stretch of time in which the same number of replicas is needed; a fraction of a replica is
// the part of one that has work.
struct Need {
  double seconds = 0;   // > 0
  double replicas = 0;  // >= 0
};

// How many replicas to pay for, and when, so that at most `allowed` of the need stays unmet: every
// number below is in seconds, replicas or replica-seconds. A pool is two functions of time: n(t)
// replicas serve and p(t) >= n(t) are paid, where
//
//   (*)  p(t + s) >= n(t)  for -startup <= s <= drain   (where t + s lies in the time looked at)
//
// since who serves at t was started before t - startup and is paid until drain after its last
// service. Besides, p >= least always, n <= most, and p >= initial for the first `initial_hold`.
struct LayerProblem {
  std::vector<Need> needs;
  double startup = 0;
  double drain = 0;
  double initial = 0;
  double initial_hold = 0;
  double least = 0;
  double most = 0;
  double allowed = 0;  // the unmet need is the integral of max(0, need - n)
  // 0: n and p are whole numbers. Otherwise they may be any numbers, and what is found is at most
  // about this many replicas below the minimum, at every instant.
  double slice = 0;
};

struct LayerCost {
  // No n has less unmet need than this, whatever it costs: need above `most`.
  double unavoidable = 0;
  // A lower bound on the integral of p over all n, p with an unmet need of at most `allowed`. Where
  // not even `most` replicas all the time do with that: on those whose unmet need is unavoidable.
  double cost = 0;
  int evaluations = 0;  // of the dual function; each is linear in the size of the layers
};

// The bound, and why it is one. Let N_k = {t: n(t) >= k} and P_k = {t: p(t) >= k} for k = 1, 2, ..
// (layer k). Then the cost is the sum of |P_k|, and the unmet need is at least the sum over k of
// the integral of need_k outside N_k, where need_k = clamp(need - (k - 1), 0, 1). So
//
//   cost + L * (unmet - allowed)  >=  sum over k of V_k(L)  -  L * allowed,
//   V_k(L) = the least |P_k| + L * (integral of need_k outside N_k) over all N_k
//
// for every price L >= 0 of unmet need, and where unmet <= allowed the left side is at most the
// cost. (Lagrangian duality; each layer is now a problem of its own.)
//
// |P_k| from N_k: inside N_k it is all of it. In a gap (a, b) between two pieces of N_k, (*) puts
// (a, a + drain) and (b - startup, b) into P_k: they overlap, and then all of the gap is in P_k, or
// they don't; so |P_k| there is at least min(b - a, startup + drain). Before the first piece, at f,
// it is at least min(f, startup), and with the initial hold min(f, startup + initial_hold) for
// k <= initial; after the last one, at l, at least min(end - l, drain). Layers k <= least are paid
// all the time. These sums are what the two-state recursion in the .cc minimises exactly: a layer
// is on at a cost of 1 a second, or off at L * need_k a second; on -> off costs drain, off -> on
// costs startup; waiting in "on" is the other side of each min().
//
// Tightness. The layers' optima can be chosen nested (need_k falls with k), so replicas that follow
// one layer each are a real schedule that attains the sum, when whoever is needed first is needed
// no earlier than `startup`. For allowed = 0 (L infinite) the bound is the minimum. For allowed > 0
// the best L gives the lower convex envelope of the points (unmet, cost) of all schedules, at
// `allowed`: the minimum over policies that may also toss a coin between schedules and keep the
// objective on average. It is below the best single schedule by less than what one more or less
// piece of one layer changes.
//
// Slices (`slice` > 0): the same for {n >= x}, {p >= x} with real x > 0, for which (*) holds alike.
// V_x falls with x, so the value at each slice's upper end times its width is at most the integral.
// Above 1,024 layers, groups of whole replicas are treated so too (each as its topmost).
//
// Precondition: numbers are finite and >= 0, least <= most.
LayerCost LeastLayerCost(const LayerProblem& problem);

}  // namespace tidegate::sim
