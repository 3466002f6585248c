package bench

import (
	"fmt"
	"math"
	"slices"
	"sort"

	"mpinlab/backends"
)

// The values of Key.Via for work that is there under a second name.
const (
	ViaControl = "control"
	ViaPlanted = "planted"
)

// Margin is the least difference that is claimed. Where code and data happen
// to lie in memory moves times by tenths of a per cent (Mytkowicz, Diwan,
// Hauswirth and Sweeney, "Producing wrong data without doing anything obviously
// wrong", ASPLOS 2009); a difference below Margin is measured but says nothing
// about two libraries.
const Margin = 0.005

// Strong is the security level in bits from which curves are compared with each
// other; what is below is compared with what is below. The levels are those of
// backends.Params.
const Strong = 120

// Claim is what a run says about two rows of one block: those of one operation
// at one size on as many processors. The base is the row of the least median
// among those of the same kind, direct or through this project's packages, and
// on the same side of Strong; a control's base is the row that it repeats.
type Claim struct {
	Row, Base *Row
	// Ratio is how many times as much Row costs, with its 95 % interval; see
	// the function Ratio.
	Ratio, Lo, Hi float64
	// P is the probability of samples as far apart as these if the ratio were
	// within 1 ± Margin (sign test), after Holm's correction for all claims of
	// the block. It is 1 where the samples are not of the same rounds.
	P float64
	// Claimed is P < 0.05. One block in twenty, at most, claims anything that is
	// not so.
	Claimed bool
	// Sees is the smallest difference, as a share, that a run with as many
	// samples of this spread finds nine times in ten; infinite where there are
	// too few samples to find any.
	Sees float64
	// Control is the A/A control of the block, the one of the row's own backend
	// if there is one; nil without any, and for a control.
	Control *Claim
}

// block is what rows that are compared with each other have in common.
type block struct {
	op    string
	nName string
	n     int
	procs int
}

func blockOf(k Key) block { return block{k.Op, k.NName, k.N, k.Procs} }

// Claims makes the claims of a run, in the order of its rows.
func Claims(r *Results) []Claim {
	blocks := make(map[block][]*Row)
	place := make(map[*Row]int)
	var order []block
	for i := range r.Rows {
		row := &r.Rows[i]
		place[row] = i
		b := blockOf(row.Key)
		if blocks[b] == nil {
			order = append(order, b)
		}
		blocks[b] = append(blocks[b], row)
	}
	var all []Claim
	for _, b := range order {
		all = append(all, claims(pairs(blocks[b]))...)
	}
	sort.SliceStable(all, func(i, j int) bool { return place[all[i].Row] < place[all[j].Row] })
	return all
}

// ClaimsAmong makes the claims of a run between some of its rows only, those
// that are given, in this order.
func ClaimsAmong(rows []*Row) []Claim {
	r := &Results{}
	for _, row := range rows {
		r.Rows = append(r.Rows, *row)
	}
	return Claims(r)
}

// pair is a row and what it is compared with.
type pair struct{ row, base *Row }

// repeats reports whether a row is the work of another under a second name.
func repeats(k Key) bool { return k.Via == ViaControl || k.Via == ViaPlanted }

// kind is what the rows of a block have in common that are compared with the
// same base.
type kind struct{ direct, strong bool }

func kindOf(k Key) kind {
	curve, err := backends.ParseCurve(k.Curve)
	return kind{k.Via == "direct", err == nil && curve.Params().SecurityBits >= Strong}
}

// pairs finds what is compared in a block.
func pairs(rows []*Row) []pair {
	least := make(map[kind]*Row)
	for _, row := range rows {
		if k := kindOf(row.Key); !repeats(row.Key) && row.Median > 0 && (least[k] == nil || row.Median < least[k].Median) {
			least[k] = row
		}
	}
	var list []pair
	for _, row := range rows {
		base := least[kindOf(row.Key)]
		if repeats(row.Key) {
			base = original(row.Key, rows)
		}
		if base != nil && base != row {
			list = append(list, pair{row, base})
		}
	}
	return list
}

// original finds the row that a control repeats: the one through this
// project's packages where there is one.
func original(k Key, rows []*Row) (found *Row) {
	for _, row := range rows {
		have := row.Key
		have.Via = k.Via
		if !repeats(row.Key) && have == k && (found == nil || found.Key.Via == "direct") {
			found = row
		}
	}
	return found
}

// claims judges the comparisons of one block.
func claims(ps []pair) []Claim {
	list := make([]Claim, len(ps))
	raw := make([]float64, len(ps))
	for i, p := range ps {
		c := &list[i]
		c.Row, c.Base = p.row, p.base
		c.Ratio, c.Lo, c.Hi = Ratio(p.row, p.base)
		raw[i] = 1
		if ratios := ratios(p.row, p.base); len(ratios) > 0 {
			raw[i] = signTest(ratios, Margin)
		}
		c.Sees = sees(len(p.row.Samples), p.halfWidth(), len(ps))
	}
	for i, adjusted := range Holm(raw) {
		list[i].P = adjusted
		list[i].Claimed = adjusted < 1-confidence
	}
	for i := range list {
		c := &list[i]
		if c.Row.Key.Via == ViaControl {
			continue
		}
		for j := range list {
			other := &list[j]
			if other.Row.Key.Via == ViaControl && (c.Control == nil || other.Row.Key.BackendID() == c.Row.Key.BackendID()) {
				c.Control = other
			}
		}
	}
	return list
}

// signTest returns the two-sided probability of so many ratios beyond the
// margin on one side if their median were within 1 ± margin.
func signTest(ratios []float64, margin float64) float64 {
	above, below := 0, 0
	for _, r := range ratios {
		switch {
		case r > 1+margin:
			above++
		case r < 1/(1+margin):
			below++
		}
	}
	return min(1, 2*tail(len(ratios), max(above, below)))
}

// tail returns the probability of k or more heads in n throws of a coin.
func tail(n, k int) float64 {
	choose := func(n, k int) float64 {
		a, _ := math.Lgamma(float64(n + 1))
		b, _ := math.Lgamma(float64(k + 1))
		c, _ := math.Lgamma(float64(n - k + 1))
		return a - b - c
	}
	sum := 0.0
	for i := n; i >= k; i-- {
		sum += math.Exp(choose(n, i) - float64(n)*math.Ln2)
	}
	return sum
}

// Holm corrects the p-values of tests made together, so that the probability
// of any false finding among those below α stays below α (Holm, "A simple
// sequentially rejective multiple test procedure", Scandinavian Journal of
// Statistics 6, 1979). The results are in the order of the arguments.
func Holm(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(i, j int) bool { return p[order[i]] < p[order[j]] })
	out, greatest := make([]float64, len(p)), 0.0
	for rank, i := range order {
		greatest = max(greatest, min(1, float64(len(p)-rank)*p[i]))
		out[i] = greatest
	}
	return out
}

// sees computes Claim.Sees from the half-width of a 95 % interval of n samples
// and the number of tests, by the normal approximation.
func sees(n int, halfWidth float64, tests int) float64 {
	quantile := func(p float64) float64 { return math.Sqrt2 * math.Erfinv(2*p-1) }
	alpha := (1 - confidence) / float64(tests)
	if math.IsInf(halfWidth, 0) || 2*tail(n, n) >= alpha {
		return math.Inf(1)
	}
	return Margin + halfWidth/quantile(1-(1-confidence)/2)*(quantile(1-alpha/2)+quantile(0.9))
}

// span writes ratio and interval.
func (c *Claim) span() string {
	if math.IsInf(c.Hi, 0) || math.IsNaN(c.Hi) {
		return fmt.Sprintf("%.4g times, no interval", c.Ratio)
	}
	return fmt.Sprintf("%.4g times, 95 %% %.4g–%.4g", c.Ratio, c.Lo, c.Hi)
}

// String tells the claim in one line.
func (c *Claim) String() string {
	verdict := "no difference is claimed"
	if c.Claimed {
		verdict = "a difference is claimed"
	}
	s := fmt.Sprintf("%s, of %v; %s (p = %.2g)", c.span(), c.Base.Key, verdict, c.P)
	if !math.IsInf(c.Sees, 0) {
		s += fmt.Sprintf("; could see %s", percent(c.Sees))
	}
	if c.Control != nil {
		s += fmt.Sprintf("; control %s", c.Control.span())
	}
	return s
}

// claimLines gives the claim about each row of r, or "".
func claimLines(r *Results) []string {
	lines := make([]string, len(r.Rows))
	for _, c := range Claims(r) {
		if math.IsNaN(c.Ratio) {
			continue
		}
		i := slices.IndexFunc(r.Rows, func(row Row) bool { return row.Key == c.Row.Key })
		lines[i] = c.String()
	}
	return lines
}

// Sensitivity sums up the claims of a run.
type Sensitivity struct {
	// Claims and Claimed count comparisons between different rows, Controls and
	// Differ those of rows with themselves.
	Claims, Claimed, Controls, Differ int
	// Median and Worst are those of Claim.Sees over the claims, and WorstRow is
	// where the worst is. They are infinite or NaN where nothing could be seen.
	Median, Worst float64
	WorstRow      Key
}

// Sense sums up claims.
func Sense(list []Claim) (s Sensitivity) {
	var seen []float64
	for _, c := range list {
		if c.Row.Key.Via == ViaControl {
			s.Controls++
			if c.Claimed {
				s.Differ++
			}
			continue
		}
		s.Claims++
		if c.Claimed {
			s.Claimed++
		}
		seen = append(seen, c.Sees)
		if c.Sees >= s.Worst {
			s.Worst, s.WorstRow = c.Sees, c.Row.Key
		}
	}
	s.Median = math.NaN()
	if n := len(seen); n > 0 {
		slices.Sort(seen)
		s.Median = (seen[(n-1)/2] + seen[n/2]) / 2
	}
	return s
}

func (s Sensitivity) String() string {
	text := fmt.Sprintf("%d of %d differences are claimed at 95 %%", s.Claimed, s.Claims)
	if s.Controls > 0 {
		text += fmt.Sprintf("; %d of %d controls (a row against itself) differ", s.Differ, s.Controls)
	}
	switch {
	case s.Claims == 0:
	case math.IsInf(s.Median, 0):
		text += "; too few samples to claim any difference"
	case math.IsInf(s.Worst, 0):
		text += fmt.Sprintf("; the smallest difference that it could see: %s at the median, none at %v", percent(s.Median), s.WorstRow)
	default:
		text += fmt.Sprintf("; the smallest difference that it could see: %s at the median, %s at worst (%v)", percent(s.Median), percent(s.Worst), s.WorstRow)
	}
	return text
}
