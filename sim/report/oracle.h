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
  Duration patience{0};  // the longest wait of a request that is served
  Replicas initial = 0;  // are started (and paid) at time 0
  Replicas least = 0;    // are paid at every instant: minReplicas, or `initial` where that is less
  Replicas most =
      kMaxReplicas;          // serve at most: maxReplicas and surge, or quota where that is less
  Duration end{0};           // replicas are paid from 0 to here; may lie past the trace's end
  Duration counted_from{0};  // requests that arrive before don't count for the objective
  double bad_fraction = 0;   // the objective: at most this share of what counts is lost; 0 .. 1
};

struct OracleBound {
  // No policy that keeps the objective pays for less; replica-seconds.
  double replica_seconds = 0;
  // No policy loses a smaller share of the requests that count than this, at any cost.
  double least_bad_fraction = 0;
  // Where false, no policy keeps the objective, and `replica_seconds` bounds those that lose at
  // most the share `least_bad_fraction`.
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
//   (c) work is conserved and nobody waits for ever: of what arrives in (t, u) and is not lost,
//       n(t) .. n(u) serve all but what still waits at u, and either that is at most
//       capacity * patience * n(u) (a queue as long as patience lets it be), or it is served
//       before u + patience (a deadline). A FluidPool keeps the first as long as it has a ready
//       replica, up to the step of its flow (a second in a run) after a fall in capacity; a FIFO
//       queue with timeouts keeps the second, with n counting whoever still works on requests.
//   (d) the objective: of the requests that arrive from `counted_from` on, at most the share
//       `bad_fraction` is lost. With 0 it is the dearest bound, of policies that lose nothing.
//
// Requests are a fluid: bins of the trace arrive evenly, and a replica serves `capacity` at most.
// For randomised policies, and over many seeds, both cost and objective may be read as means.
//
// Budgets only make a policy dearer: waves of starts and drains shorten neither (a) nor (b). So the
// bound holds with every surge and unavailable budget; `most` has the surge in it. It is attained
// where patience is 0 and bad_fraction is 0 and nothing needs more starts at once than a budget
// lets through (immediate pace); rolling waves cost what the bound does not know.
//
// With a queue, two relaxations are evaluated for a few window lengths l, and the best of all is
// given. Let d(t) be the mean rate of what counts in (t, t + l), and c = capacity * (l + patience)
// / l. Both integrate (c) over windows that end by end - patience, each instant's losses being in
// windows that start within l:
//
//   - The most that serve. (c) gives arrived - lost <= capacity * (l + patience) * m(t) in
//     (t, t + l), with m(t) the highest n in (t, t + l + patience). So the losses are at least the
//     integral of max(0, d - c * m), and m and p satisfy (a) with l + patience less of start-up and
//     drain together: what m takes over from n comes that much earlier and later. m is whole, and
//     layers.h bounds the integral of p. Good where patience is much shorter than start-up and
//     drain.
//   - The mean that serves. (c) gives the same with m(t) a mean of n over (t, t + l + patience):
//     even weights with a deadline, even weights up to t + l and the rest at t + l with a queue.
//     (a) is linear, so m and the same mean of p satisfy it with all of start-up and drain; m is
//     no whole number, and layers.h bounds it in slices. This is done for what exceeds `least`:
//     max(0, n - least) and p - least satisfy (a) as well, and may be taken as 0 before time 0,
//     where nobody was started and none serves before `startup`. So windows may begin before 0, and
//     the mean counts no instant of [0, end] more than once.
//
// Without patience (c) says max(0, rate - capacity * n) is lost at each instant, and layers.h takes
// that as it is.
//
// Takes time linear in the trace's bins and in how far its need goes up and down, counted in at
// most 1,024 layers, for any number of replicas.
OracleBound LeastReplicaSeconds(const traces::Trace& trace, const OracleInput& input);

}  // namespace tidegate::sim
