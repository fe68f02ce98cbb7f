#pragma once

#include <vector>

#include "policies/base/units.h"

namespace tidegate::sizing {

// How requests are spread over replicas, each of which has a line of its own.
enum class Balancing {
  kLeastOfTwo,  // of two drawn at random the one with fewer inside: Envoy's and Istio's default
  kRoundRobin,  // in turn: HAProxy's and nginx's default
  kRandom,      // also: kept connections that are balanced once
};

// How long a worker is busy with one request: lognormal, by mean and coefficient of variation.
struct ServiceTime {
  double seconds = 0.05;   // mean, > 0
  double variation = 0.5;  // standard deviation over mean, 0 .. 20; below 0.01 counts as 0.01
  bool operator==(const ServiceTime&) const = default;
};
// The share of requests whose service alone takes longer. Precondition: seconds > 0.
double SlowServices(const ServiceTime& service, double seconds);

// "A share `share` of requests is answered within `seconds`", waiting and service together.
struct LatencyObjective {
  double seconds = 0.25;  // > 0
  double share = 0.999;   // 0 < share < 1
  bool operator==(const LatencyObjective&) const = default;
};

// A pool of equal replicas.
struct QueueModel {
  int workers = 8;  // requests in service in one replica; 1 .. kMostWorkers
  ServiceTime service;
  Balancing balancing = Balancing::kLeastOfTwo;
  LatencyObjective objective;
  bool operator==(const QueueModel&) const = default;
};
constexpr int kMostWorkers = 10'000;

// Requests per second that one replica serves at most: workers / service time.
Rate Ceiling(const QueueModel& model);

// The wait of a request in a pool of n replicas x w workers at utilization u = rate / (n w / s), as
// the sum of two independent parts. A pool is neither n separate queues of rate / n (pessimistic:
// nobody looks at queues) nor one queue before n w workers (optimistic: nobody waits while any
// worker is free):
//
//  - The whole pool's part: all workers are busy. P(W > 0) = p, and then exponential with mean d.
//      least of two: one M/G/(n w): p = C(n w, n w u), d = s (1 + cv^2) / 2 / (n w (1 - u))
//      random: one M/G/w, since a Poisson stream that is split at random is Poisson.
//      round robin: one GI/G/w at a replica. The times between every nth request of a Poisson
//        stream are Erlang-n with a squared variation of 1 / n, thus
//        d = s (1 / n + cv^2) / 2 / (w (1 - u)), p = C(w, w u) k,
//        k = exp(-2 (1 - u) (1 - 1/n)^2 / (3 u (1/n + cv^2))).
//    Scaling M/M/c's wait by (ca^2 + cs^2) / 2: A. O. Allen, "Probability, Statistics, and Queueing
//    Theory" (1978; Allen and Cunneen) and T. Kimura, "A two-moment approximation for the mean
//    waiting time in the GI/G/s queue" (1986); k: W. Kraemer and M. Langenbach-Belz (1976); the
//    exponential tail: J. F. C. Kingman (1962), W. Whitt, "Approximations for the GI/G/m queue"
//    (1993).
//  - The replica's own part, of least of two only: the better of two drawn replicas is busy
//    although others are not. With many replicas, the share s_k of those that have k requests or
//    more inside solves (N. D. Vvedenskaya, R. L. Dobrushin, F. I. Karpelevich, 1996;
//    M. Mitzenmacher, 1996; here with w workers each)
//      w u J(s_{k-1}) = sum over j >= k of min(j, w) (s_j - s_{j+1}),
//      J(x) = x (1/n + (1 - 1/n) x): a second draw hits the same replica once in n.
//    A request that finds k >= w waits for k - w + 1 departures, each s f / w apart,
//    f = 1 + s_w ((1 + cv^2) / 2 - 1) / 2. The part counts with weight 1 - 1/n: with one replica it
//    is the whole pool's.
//
// Measured against the request-level simulator (sim/world/request_pool.h), w = 8, lognormal
// mean 50 ms, cv 0.5, 10 M requests each, predicted / simulated; `make bench` (queue_model_bench)
// prints it anew:
//
//         |        least of two                  |        round robin
//   n   u | p99 ms    p99.9 ms   over 250 ms, ppm | p99 ms    p99.9 ms   over 250 ms, ppm
//   1 .80 | 157/157   216/216    290/282           | 157/157   216/216    290/282
//   1 .90 | 229/229   320/323    5867/5873         | 229/229   320/323    5867/5873
//   1 .95 | 402/402   581/576    69464/70448       | 402/402   581/576    69464/70448
//   1 .98 | 938/963   1388/1462  339176/336345     | 938/963   1388/1462  339176/336345
//   2 .80 | 141/141   199/199    163/161           | 143/142   201/200    174/168
//   2 .90 | 166/164   225/224    396/388           | 174/174   237/238    636/660
//   2 .95 | 241/238   332/329    7918/7415         | 267/270   376/390    14403/14788
//   2 .98 | 506/509   731/758    137503/124878     | 584/582   854/842    173513/168809
//   4 .80 | 136/137   194/195    143/143           | 138/138   197/196    153/148
//   4 .90 | 144/145   202/203    184/183           | 153/153   211/211    243/238
//   4 .95 | 171/170   230/231    478/500           | 205/205   280/283    2517/2588
//   4 .98 | 289/290   402/413    22179/19913       | 408/410   588/565    75847/72870
//   8 .80 | 135/136   193/194    138/138           | 137/136   195/195    145/142
//   8 .90 | 139/140   197/198    156/159           | 146/145   203/203    189/187
//   8 .95 | 149/149   207/207    215/207           | 177/177   241/239    710/654
//   8 .98 | 193/193   258/258    1311/1341         | 322/313   457/433    33818/30808
//  16 .80 | 135/135   193/193    137/135           | 136/136   194/194    142/138
//  16 .90 | 137/138   196/196    149/149           | 142/142   200/200    173/169
//  16 .95 | 143/143   201/202    180/176           | 165/166   225/226    394/402
//  16 .98 | 160/159   218/216    309/284           | 279/276   392/392    18070/16846
//  32 .80 | 135/135   193/193    136/135           | 136/136   194/194    141/138
//  32 .90 | 137/137   195/195    146/145           | 141/141   199/199    166/164
//  32 .95 | 141/142   200/200    169/166           | 160/161   218/221    312/344
//  32 .98 | 151/150   209/208    230/218           | 258/254   360/348    12045/10906
//  60 .80 | 135/135   193/193    136/134           | 135/135   194/194    140/137
//  60 .90 | 137/137   195/195    146/145           | 140/141   198/199    163/161
//  60 .95 | 140/141   199/199    165/163           | 158/160   216/218    284/301
//  60 .98 | 148/147   206/205    209/201           | 249/249   345/339    9696/9636
//
// With 2 workers percentiles are predicted to 7 %, with 1 to 9 % (too short for many replicas);
// with cv 1.5 and 8 workers to 6 %. A least-of-many balancer waits less than least of two.
//
// Where service hardly varies (cv < 0.1) waits for departures come in steps, whose width falls a
// little with the load: at an objective that is a multiple of it, more load may count as less late.
//
// Beyond: the steady state above 0.99 takes minutes to come about, and no formula for it says what
// happens within them; so kMostUtilization.
struct Waiting {
  double all_busy = 0;                  // p
  double mean_wait = 0;                 // d, seconds; > 0
  std::vector<double> departures{1.0};  // share of requests that wait for i departures, i = 0 ..
  double departure = 0;                 // seconds from one to the next; > 0
};
// Preconditions: replicas >= 1, 0 < utilization < 1.
Waiting WaitingAt(const QueueModel& model, Replicas replicas, double utilization);

// The share of requests that wait and service together keep longer than `seconds` > 0, integrated
// to 0.3 % and 2e-9 of what the model says (compared with 2,000 panels a piece on 4,000 random
// pools).
double LateShare(const ServiceTime& service, const Waiting& waiting, double seconds);

// The latency that a share `share` of requests does not exceed, in seconds, to 0.01 %.
double LatencyQuantile(const ServiceTime& service, const Waiting& waiting, double share);

}  // namespace tidegate::sizing
