package plots

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot/vg"

	"mpinlab/bench"
	"mpinlab/plots/internal/measured"
	"mpinlab/plots/internal/number"
)

const (
	saturatedName  = "saturated"
	saturatedTitle = "A saturated server with and without batches, against the share of logins that are rejected"
)

// saturatedLine is one way of verifying, over shares of bad logins.
type saturatedLine struct {
	op, meaning string
	glyph       glyph
	dashes      []vg.Length
	rates, p99  map[int]*bench.Row // by the share in percent
}

// Saturated draws what wrong PINs do to a batching verifier that has more
// logins than it bears: logins a second, and the 99th percentile of their
// times.
func Saturated(d *Data) (*Figure, error) {
	s := d.set()
	lines := []*saturatedLine{
		{op: "BatchingVerifier", meaning: "in batches", glyph: glyph{shape: circle, color: blue}},
		{op: "SingleVerifier", meaning: "one by one", glyph: glyph{shape: square, color: vermillion}, dashes: []vg.Length{5, 2}},
	}
	var backend measured.Backend
	for _, b := range s.Backends() { // the first that has both
		if len(swept(d.Results, s, b, lines[0].op)) > 1 && len(swept(d.Results, s, b, lines[1].op)) > 0 {
			backend = b
			break
		}
	}
	if backend == (measured.Backend{}) {
		return nil, noData("no rows for BatchingVerifier and SingleVerifier via=protocol")
	}
	f := &Figure{}
	var shares []int
	for _, l := range lines {
		l.rates, l.p99 = swept(d.Results, s, backend, l.op), swept(d.Results, s, backend, l.op+"P99")
		for _, rows := range []map[int]*bench.Row{l.rates, l.p99} {
			for _, share := range sortedShares(rows) {
				f.Rows = append(f.Rows, rows[share])
				shares = append(shares, share)
			}
		}
	}
	slices.Sort(shares)
	shares = slices.Compact(shares)
	panels := []sweep{
		{shares: shares, words: "logins a second on one core, logarithmic (more\u00a0is\u00a0better\u00a0↑)"},
		{shares: shares, words: "99th percentile of 100 logins at once in ms, logarithmic (less\u00a0is\u00a0better\u00a0↓)"},
	}
	for _, l := range lines {
		panels[0].add(l, l.rates, measured.Estimate.PerSecond)
		panels[1].add(l, l.p99, func(e measured.Estimate) measured.Estimate { return e.Scale(1e-6) })
	}
	f.Caption = "On " + backend.ID() + ". Above, 256 clients log in without pause and wait in one queue; a rejected login is counted like an accepted one. " +
		"Below, 156 of them do, 100 others log in at one moment, and the time is that after which 99 of the 100 have their verdicts. " +
		"Shares are not to scale. A rejected login takes a batch of n up to 2\u202flog\u2082\u202fn further checks, so that the verifier makes batches smaller, down to one. " +
		"The line of logins one by one joins only the shares that have a point. Intervals can be narrower than the points."
	f.Caption += d.footnotes(s, []entry{{backend: backend}}, true)
	f.Alt = saturatedAlt(backend, lines, shares)
	f.lay = func(width vg.Length) sheet {
		var legend []sample
		for _, l := range lines {
			legend = append(legend, sample{l.meaning, func(p pen, x, y vg.Length) {
				p.dashed(l.glyph.color, 1.1, l.dashes, vg.Point{X: x, Y: y}, vg.Point{X: x + 12, Y: y})
				p.glyph(x+6, y, l.glyph)
			}})
		}
		const under = "share of bad logins in % (not to scale)"
		whole := sheet{legendBlock(legend, width)}
		for _, panel := range panels {
			if len(panel.paths) > 0 {
				whole = append(whole, panel.blocks(width)...)
			}
		}
		return append(whole, wordsBlock(under, margin+30, width-margin, width))
	}
	return f, nil
}

// swept returns the rows of an operation on a backend by the share of bad
// logins.
func swept(r *bench.Results, s *measured.Set, b measured.Backend, op string) map[int]*bench.Row {
	rows := map[int]*bench.Row{}
	for i := range r.Rows {
		row := &r.Rows[i]
		wanted := bench.Key{Op: op, N: row.Key.N, NName: "bad", Suite: s.Dialect(b), Curve: b.Curve, Backend: b.Library,
			Via: measured.Protocol, Procs: row.Key.Procs}
		if row.Key == wanted && row.Median > 0 && !math.IsInf(row.Median, 0) && rows[row.Key.N] == nil {
			rows[row.Key.N] = row
		}
	}
	return rows
}

func sortedShares(rows map[int]*bench.Row) []int {
	var shares []int
	for share := range rows {
		shares = append(shares, share)
	}
	slices.Sort(shares)
	return shares
}

// saturatedAlt tells of the ends of the lines.
func saturatedAlt(b measured.Backend, lines []*saturatedLine, shares []int) string {
	rate := func(l *saturatedLine, share int) string {
		return number.Plain(measured.Of(l.rates[share]).PerSecond().Mid)
	}
	alt := fmt.Sprintf("Two fields of lines over shares of bad logins from %d to %d %%, on %s.", shares[0], shares[len(shares)-1], b.ID())
	for _, l := range lines {
		if there := sortedShares(l.rates); len(there) > 0 {
			first, last := there[0], there[len(there)-1]
			alt += fmt.Sprintf(" Verified %s: %s logins a second at %d %%", l.meaning, rate(l, first), first)
			if last != first {
				alt += fmt.Sprintf(", %s at %d %%", rate(l, last), last)
			}
			alt += "."
		}
	}
	return alt
}

// sweep is a field of lines over shares, which stand at equal distances.
type sweep struct {
	shares []int
	words  string
	paths  []sweepPath
}

type sweepPath struct {
	line   *saturatedLine
	values map[int]measured.Estimate
}

func (s *sweep) add(l *saturatedLine, rows map[int]*bench.Row, scale func(measured.Estimate) measured.Estimate) {
	if len(rows) == 0 {
		return
	}
	values := map[int]measured.Estimate{}
	for share, row := range rows {
		values[share] = scale(measured.Of(row))
	}
	s.paths = append(s.paths, sweepPath{l, values})
}

// scale is the vertical axis over all values with their intervals.
func (s *sweep) scale() axis {
	smallest, largest := math.Inf(1), 0.0
	for _, path := range s.paths {
		for _, e := range path.values {
			smallest, largest = math.Min(smallest, e.Mid), math.Max(largest, e.Mid)
			if e.HasInterval() && e.Lo > 0 {
				smallest, largest = math.Min(smallest, e.Lo), math.Max(largest, e.Hi)
			}
		}
	}
	return logAxis(smallest, largest, s.words)
}

func (s *sweep) blocks(width vg.Length) sheet {
	const height, inset = 120, 14 // of the field, and of the outer shares from its edges
	from, to := vg.Length(margin+30), width-margin
	y := s.scale()
	at := func(i int) vg.Length {
		return from + inset + (to-from-2*inset)*vg.Length(i)/vg.Length(max(1, len(s.shares)-1))
	}
	field := block{
		height: height + ticksHeight + 4,
		draw: func(p pen, top vg.Length) {
			bottom := top - height
			y.beside(p, bottom, top, from, to)
			for i, share := range s.shares {
				x := at(i)
				p.line(grid, gridLine, vg.Point{X: x, Y: bottom}, vg.Point{X: x, Y: top})
				p.line(black, axisLine, vg.Point{X: x, Y: bottom}, vg.Point{X: x, Y: bottom - tickLength})
				p.text(x, bottom-tickLength-6, strconv.Itoa(share), smallType, centre)
			}
			p.line(black, axisLine, vg.Point{X: from, Y: bottom}, vg.Point{X: to, Y: bottom})
			for k, path := range s.paths {
				aside := 3 * (vg.Length(k) - vg.Length(len(s.paths)-1)/2) // so that equal points are two
				path.draw(p, s.shares, func(i int) vg.Length { return at(i) + aside }, func(v float64) vg.Length { return y.at(v, bottom, top) })
			}
		},
	}
	return sheet{wordsAbove(s.words, width), field}
}

// draw draws the line, its intervals and its points.
func (path sweepPath) draw(p pen, shares []int, x func(int) vg.Length, y func(float64) vg.Length) {
	look := path.line.glyph
	var points []vg.Point
	for i, share := range shares {
		e, ok := path.values[share]
		if !ok {
			continue
		}
		points = append(points, vg.Point{X: x(i), Y: y(e.Mid)})
		if e.HasInterval() && e.Lo > 0 {
			p.line(look.color, intervalLine, vg.Point{X: x(i), Y: y(e.Lo)}, vg.Point{X: x(i), Y: y(e.Hi)})
		}
	}
	p.dashed(look.color, 1.1, path.line.dashes, points...)
	for _, pt := range points {
		p.glyph(pt.X, pt.Y, look)
	}
}
