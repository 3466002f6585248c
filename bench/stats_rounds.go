package bench

import (
	"math"

	"golang.org/x/perf/benchmath"
)

const (
	disturbedShare = 0.10 // slower than the median round by this share
	minForRounds   = 10
)

// pace returns for each round how many times as much everything cost in it as
// in the median round: the median over the rows that were measured in all
// rounds. It is nil with too few rounds.
func pace(rows []Row) []float64 {
	rounds := 0
	for i := range rows {
		rounds = max(rounds, len(rows[i].Samples))
	}
	if rounds < minForRounds {
		return nil
	}
	list := make([]float64, rounds)
	for round := range list {
		var relative []float64
		for i := range rows {
			if len(rows[i].Samples) == rounds && rows[i].Median > 0 {
				relative = append(relative, rows[i].Samples[round]/rows[i].Median)
			}
		}
		list[round], _, _ = interval(relative)
	}
	return list
}

// warnOfRounds tells of a machine that changed its speed over the run, or for
// some rounds. Ratios are of samples of one round and bear it; times do not.
func (e *engine) warnOfRounds() {
	p := pace(e.results.Rows)
	if len(e.results.Rows) < 2 || p == nil {
		return
	}
	disturbed, worst := 0, 0.0
	for _, x := range p {
		if x > 1+disturbedShare {
			disturbed++
			worst = math.Max(worst, x-1)
		}
	}
	if disturbed > 0 {
		e.warn("disturbed: in %d of %d rounds everything was slower, by up to %s", disturbed, len(p), percent(worst))
	}
	first, second := sample(p[:len(p)/2]), sample(p[len(p)/2:])
	from, _, _ := interval(first.Values)
	to, _, _ := interval(second.Values)
	if change := to/from - 1; math.Abs(change) > driftShare {
		if c := benchmath.AssumeNothing.Compare(first, second); c.P < driftAlpha {
			e.warn("drift: in the later half of the rounds everything cost %+.1f %% (p = %.2g); ratios bear that, times do not", 100*change, c.P)
		}
	}
}
