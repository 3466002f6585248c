package plots

import (
	"fmt"
	"math"
	"slices"
	"sort"

	"gonum.org/v1/plot/vg"

	"mpinlab/plots/internal/number"
	"mpinlab/sim/load/result"
)

var curveGlyphs = []glyph{{shape: circle}, {shape: square}, {shape: triangle}}

// loadKnee draws latency over throughput for every search, with the knees.
func loadKnee(r *result.Run) (*Figure, error) {
	f := &field{words: "response time in ms, 99th percentile, logarithmic (less\u00a0is\u00a0better\u00a0↓)", height: 200}
	var legend []sample
	smallest, largest, most, fewest := math.Inf(1), 0.0, 0.0, math.Inf(1)
	least, many := int64(math.MaxInt64), int64(0) // logins a point
	alt := ""
	for i, s := range r.Searches {
		c := look(i)
		c.width = 0.8 // the points count, not the line
		missed := fieldCurve{color: c.color}
		g := curveGlyphs[i%len(curveGlyphs)]
		g.color = c.color
		c.points = &g
		probes := slices.Clone(s.Probes)
		sort.Slice(probes, func(a, b int) bool { return probes[a].Rate < probes[b].Rate })
		for _, p := range probes {
			if p.Latency.Count == 0 || p.Achieved <= 0 || p.Rate <= 0 || p.Latency.P99 <= 0 { // none of them is on a logarithmic axis
				continue
			}
			c.at, c.value = append(c.at, p.Rate), append(c.value, p.Latency.P99)
			if !p.Passed {
				missed.at, missed.value = append(missed.at, p.Rate), append(missed.value, p.Latency.P99)
			}
			least, many = min(least, p.Latency.Count), max(many, p.Latency.Count)
			smallest, largest = math.Min(smallest, p.Latency.P99), math.Max(largest, p.Latency.P99)
			fewest, most = math.Min(fewest, p.Rate), math.Max(most, p.Rate)
		}
		if len(c.at) == 0 {
			continue
		}
		ring := g
		ring.hollow = true
		missed.points = &ring
		f.curves = append(f.curves, c, missed)
		legend = append(legend, c.sample(s.Label))
		if s.Knee > 0 {
			knee := kneeOf(s)
			name := number.Plain(s.Knee) + "/s"
			if s.Unreached {
				name = "≥ " + name
			}
			big := g
			big.large = true
			f.marks = append(f.marks, fieldMark{knee.Rate, knee.Latency.P99, big, name})
			alt += fmt.Sprintf(" %s: %s logins a second.", s.Label, number.Plain(s.Knee))
		}
		if len(f.levels) == 0 && s.Limit > 0 {
			f.levels = []level{{s.Limit, "limit " + number.Plain(s.Limit) + number.Thin + "ms"}}
			smallest, largest = math.Min(smallest, s.Limit), math.Max(largest, s.Limit)
		}
	}
	if len(f.curves) == 0 {
		return nil, noData("no search for saturation")
	}
	f.x = logAxis(fewest, most, "logins a second that were to start, logarithmic (more\u00a0is\u00a0better\u00a0→)")
	f.y = logAxis(smallest, largest, "")
	legend = append(legend, marker(glyph{shape: circle, color: quiet, hollow: true}, "limit not kept, or logins lost"),
		marker(glyph{shape: circle, color: quiet, large: true}, "knee"))
	out := &Figure{
		Caption: "Each point is a run of its own at one rate, arrivals at random. The knee of a curve, with its rate, is the greatest rate at which the " +
			"99th percentile kept the limit and every login came to a good end. Beyond it the queue grows for as long as the run lasts. " +
			fmt.Sprintf("A run has %s to %s logins, so that its 99th percentile rests on %s to %s of them and scatters: near the knee a higher rate can pass where a lower one did not. "+
				"The lines join runs in the order of their rates and are no model.",
				number.Int(int(least)), number.Int(int(many)), number.Int(int(max(1, least/100))), number.Int(int(max(1, many/100)))),
		Alt: "Curves of latency over rate with the knees." + alt,
	}
	out.lay = func(width vg.Length) sheet {
		return append(sheet{legendBlock(legend, width)}, f.blocks(width, true)...)
	}
	return out, nil
}

// kneeOf is the probe nearest to the knee among those that passed.
func kneeOf(s result.Search) result.Probe {
	var best result.Probe
	for _, p := range s.Probes {
		if p.Passed && p.Rate > best.Rate {
			best = p
		}
	}
	return best
}

// kneesOver draws the knees of searches over something that differs between
// them, one curve for each verifier.
// In all else they must be as the first search is.
func kneesOver(r *result.Run, words string, over, other func(result.Search) float64, pad float64, write func(float64) string, missing string) (*Figure, error) {
	f := &field{words: "greatest rate within the limit, logins a second (more\u00a0is\u00a0better\u00a0↑)", height: 170}
	var legend []sample
	highest, least, most := 0.0, math.Inf(1), math.Inf(-1)
	alt, different := "", map[float64]bool{}
	for k, batching := range []bool{false, true} {
		meaning := "one by one"
		if batching {
			meaning = "in batches"
		}
		c := look(1 - k)
		g := curveGlyphs[k]
		g.color = c.color
		c.points = &g
		list := slices.Clone(r.Searches)
		sort.SliceStable(list, func(a, b int) bool { return over(list[a]) < over(list[b]) })
		for _, s := range list {
			if s.Batching != batching || s.Knee == 0 || other(s) != other(r.Searches[0]) {
				continue
			}
			v := over(s)
			different[v] = true
			c.at, c.value = append(c.at, v), append(c.value, s.Knee)
			highest, least, most = math.Max(highest, s.Knee), math.Min(least, v), math.Max(most, v)
			alt += fmt.Sprintf(" %s at %s: %s.", meaning, number.Plain(v), number.Plain(s.Knee))
		}
		if len(c.at) > 0 {
			f.curves = append(f.curves, c)
			legend = append(legend, c.sample("verified "+meaning))
		}
	}
	if len(different) < 2 {
		return nil, noData(missing)
	}
	f.x, f.y = axis{lo: least - pad, hi: most + pad, words: words, write: write}, fromZero(highest*1.1, "")
	out := &Figure{Alt: "Lines." + alt}
	out.lay = func(width vg.Length) sheet {
		return append(sheet{legendBlock(legend, width)}, f.blocks(width, true)...)
	}
	return out, nil
}

func badOf(s result.Search) float64 { return 100 * s.Bad }
func rpsOf(s result.Search) float64 { return float64(s.RPS) }

// count labels whole numbers.
func count(v float64) string {
	if v != math.Round(v) {
		return ""
	}
	return number.Int(int(v))
}

func loadBad(r *result.Run) (*Figure, error) {
	f, err := kneesOver(r, "share of logins with a wrong PIN in %", badOf, rpsOf, 0, nil,
		"the searches do not differ in their share of wrong PINs")
	if err == nil {
		f.Caption = "Every point is the knee of a search. A wrong PIN costs a server the search for the PIN error besides, and a batch further checks."
	}
	return f, err
}

func loadScaling(r *result.Run) (*Figure, error) {
	f, err := kneesOver(r, "RPS processes", rpsOf, badOf, 0.5, count,
		"the searches do not differ in their number of RPS")
	if err == nil {
		f.Caption = "Every point is the knee of a search. All processes share the machine's CPUs, so that there are no more to be had than those."
	}
	return f, err
}
