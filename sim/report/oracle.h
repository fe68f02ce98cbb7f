#pragma once

#include "policies/base/instant.h"
#include "policies/base/units.h"
#include "traces/format/trace.h"

namespace tidegate::sim {

// A pool, its load, and what it promises to its clients.
struct OracleInput {
  Rate capacity = 0;     // requests per second that one ready replica serves at most; > 0
  Duration startup{0};   // from start to ready, the readiness check's period included
  Duration drain{0};     // paid after a replica's last service
  Duration wait{0};      // a request that is served later than this after its arrival is bad
  Replicas initial = 0;  // are there (and paid) at time 0, starting or ready
  Replicas least = 0;    // are paid at every instant: minReplicas, or `initial` where that is less
  Replicas most =
      kMaxReplicas;          // serve at most: maxReplicas and surge, or quota where that is less
  Duration end{0};           // replicas are paid from 0 to here; may lie past the trace's end
  Duration counted_from{0};  // requests that arrive before don't count for the objective
  double bad_fraction = 0;   // the objective: at most this share is bad; 0 .. 1
};

struct OracleBound {
  // No policy that keeps the objective pays for less; replica-seconds.
  double replica_seconds = 0;
  // No policy has a smaller share of bad requests than this, at any cost.
  double least_bad_fraction = 0;
  // Where false, no policy keeps the objective, and `replica_seconds` bounds those with at
  // most the share `least_bad_fraction` of bad ones.
  bool reachable = true;
};

// The clairvoyant oracle: the fewest replica-seconds that keep the objective on this trace, knowing
// all of it in advance.
//
// What it bounds. A policy is anything that starts and drains replicas. Its cost is the integral
// over [0, end] of the replicas that it pays for, p(t): starting, ready or draining. n(t) of them
// are ready. The bound holds for every policy, whatever it knows, with
//
//   (a) p(t + s) >= n(t) for -startup <= s <= drain, within [0, end];
//   (b) p >= least, and n <= most;
//   (c) the objective: of the requests that arrive from `counted_from` on, at most the share
//       `bad_fraction` is bad: not served within `wait` of arrival. So of what arrives in any
//       (t, u), n(t) .. n(u + wait) serve all that is good, in whatever order. With bad_fraction 0
//       it is the dearest bound, of policies that serve everything in time.
//
// Requests are a fluid: bins of the trace arrive evenly, and a replica serves `capacity` a second
// while it is ready. DeadlineQueue tells the least share that is bad for a given course of ready
// replicas; with it as bad_fraction, the bound is one on what that course cost.
// For randomised policies, and over many seeds, both cost and objective may be read as means.
//
// Budgets only make a policy dearer: waves of starts and drains shorten neither (a) nor (b). So the
// bound holds with every surge and unavailable budget; `most` has the surge in it. It is attained
// where wait is 0 and bad_fraction is 0 and nothing needs more starts at once than a budget
// lets through (immediate pace); rolling waves cost what the bound does not know.
//
// Where requests may wait, two relaxations are evaluated for a few window lengths l, and the best
// of all is given. Let d(t) be the mean rate of what counts in (t, t + l), and c = capacity * (l +
// wait) / l. Both integrate (c) over windows that end by end - wait, each instant's bad requests
// being in windows that start within l:
//
//   - The most that serve. (c) gives good <= capacity * (l + wait) * m(t) for what arrives in
//     (t, t + l), with m(t) the highest n in (t, t + l + wait). So bad requests are at least the
//     integral of max(0, d - c * m), and m and p satisfy (a) with l + wait less of start-up and
//     drain together: what m takes over from n comes that much earlier and later. m is whole, and
//     layers.h bounds the integral of p. Good where wait is much shorter than start-up and drain.
//   - The mean that serves. (c) gives the same with m(t) the mean of n over (t, t + l + wait). (a)
//     is linear, so m and the same mean of p satisfy it with all of start-up and drain; m is no
//     whole number, and layers.h bounds it in slices. This is done for what exceeds `least`:
//     max(0, n - least) and p - least satisfy (a) as well. Where all of the initial replicas are
//     among the least, others serve from `startup` on at the earliest, so both may be taken as 0
//     before time 0, and windows may begin there. The mean counts no instant of [0, end] more than
//     once.
//
// Without wait (c) says max(0, rate - capacity * n) is bad at each instant, and layers.h takes that
// as it is.
//
// Takes time linear in the trace's bins and in how far its need goes up and down, counted in at
// most 1,024 layers, for any number of replicas.
OracleBound LeastReplicaSeconds(const traces::Trace& trace, const OracleInput& input);

}  // namespace tidegate::sim
