package plots

import (
	"fmt"
	"image/color"
	"math"
	"sort"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"mpinlab/bench"
	"mpinlab/plots/internal/measured"
	"mpinlab/plots/internal/number"
)

const (
	batchName  = "batch"
	batchTitle = "Cost of a session on the server against the size of the batch that is verified at once"
)

// batchLine is a backend's costs over sizes of batches.
type batchLine struct {
	backend measured.Backend
	name    string
	// single is the cost of one verification by itself, or nil.
	single *bench.Row
	// batches are the costs of a session in batches of rising size.
	batches []*bench.Row
	glyph   glyph
	dashes  []vg.Length
}

// rows are all of them, from left to right.
func (l batchLine) rows() []*bench.Row {
	if l.single == nil {
		return l.batches
	}
	return append([]*bench.Row{l.single}, l.batches...)
}

// last is the cost of a session in the largest batch, in microseconds.
func (l batchLine) last() float64 { return micros(l.batches[len(l.batches)-1]).Mid }

// gain is how many times as much a session costs by itself as in the largest
// batch; NaN where one is not known.
func (l batchLine) gain() float64 {
	if l.single == nil {
		return math.NaN()
	}
	return micros(l.single).Mid / l.last()
}

// Batch draws what a session costs a server that verifies several at once.
func Batch(d *Data) (*Figure, error) {
	s := d.set()
	var lines []batchLine
	var entries []entry
	for _, b := range s.Backends() {
		batches := s.Sized("ServerVerifyBatch", b)
		if len(batches) == 0 {
			continue
		}
		l := batchLine{backend: b, name: d.fullName(s, b), single: s.Protocol("ServerVerifyCached", b), batches: batches}
		lines = append(lines, l)
		entries = append(entries, entry{b, l.last()})
	}
	if len(lines) == 0 {
		return nil, noData("no rows for ServerVerifyBatch via=protocol")
	}
	sort.SliceStable(lines, func(i, j int) bool {
		if a, b := lines[i].last(), lines[j].last(); a != b {
			return a < b
		}
		return lines[i].name < lines[j].name
	})
	f := &Figure{}
	largest := 0
	smallest, highest := math.Inf(1), 0.0
	for i := range lines {
		l := &lines[i]
		l.glyph, l.dashes = lineLook(i)
		if d.excluded(l.backend) {
			l.glyph.color = faint
		}
		for _, row := range l.rows() {
			f.Rows = append(f.Rows, row)
			largest = max(largest, row.Key.N)
			e := micros(row)
			smallest, highest = math.Min(smallest, e.Mid), math.Max(highest, e.Mid)
			if e.HasInterval() && e.Lo > 0 {
				smallest, highest = math.Min(smallest, e.Lo), math.Max(highest, e.Hi)
			}
		}
	}
	c := &lineChart{
		x:     axis{lo: 1, hi: float64(max(2, largest)), log: true, words: "sessions in a batch, logarithmic"},
		y:     logAxis(smallest, highest, "time a session in µs, logarithmic (less\u00a0is\u00a0better\u00a0↓)"),
		lines: lines,
	}
	f.Caption = "All sessions of these batches are accepted; one at fault costs further checks until it is found. " +
		"Hollow points at 1 are sessions verified one by one, with the identity's point at hand (ServerVerifyCached). " +
		"A line ends with the largest batch that was measured. Intervals can be narrower than the points."
	f.Caption += d.footnotes(s, entries, true)
	f.Alt = batchAlt(lines)
	f.lay = c.blocks
	return f, nil
}

// batchAlt tells of the cheapest line and of the line that gains most.
func batchAlt(lines []batchLine) string {
	first := lines[0]
	n := first.batches[len(first.batches)-1].Key.N
	alt := fmt.Sprintf("Lines for %d backends on two logarithmic axes. Least in its largest batch: %s with %s µs a session in batches of %s.",
		len(lines), first.backend.ID(), number.Plain(first.last()), number.Int(n))
	var most *batchLine
	for i := range lines {
		if g := lines[i].gain(); !math.IsNaN(g) && (most == nil || g > most.gain()) {
			most = &lines[i]
		}
	}
	if most != nil {
		alt += fmt.Sprintf(" The largest gain over verifying one by one: %s, %s times.", most.backend.ID(), number.Times(most.gain()))
	}
	return alt
}

// lineLook returns the look of the i-th line: colour, marker and dashes, no
// two of the first 84 alike.
func lineLook(i int) (glyph, []vg.Length) {
	colors := []color.RGBA{blue, vermillion, green, purple, orange, sky, black}
	dashes := [][]vg.Length{nil, {5, 2}, {1.5, 1.5}, {6, 2, 1.5, 2}}
	shapes := []draw.GlyphDrawer{circle, square, triangle}
	return glyph{shape: shapes[i%len(shapes)], color: colors[i%len(colors)]}, dashes[i%len(dashes)]
}

// lineChart is a field of lines with their names at the right ends.
type lineChart struct {
	x, y  axis
	lines []batchLine
}

// nameLeading is the distance between names at the ends of lines.
const nameLeading = 10.0

func (c *lineChart) blocks(width vg.Length) sheet {
	height := max(vg.Length(240), nameLeading*vg.Length(len(c.lines))+10)
	names := vg.Length(0)
	for _, l := range c.lines {
		names = max(names, smallType.width(l.name))
	}
	const joint, key = 20, 8 // between the field and the markers, and these and the names
	from, to := vg.Length(margin+30), width-margin-names-joint-key
	field := block{
		height: height + ticksHeight,
		draw: func(p pen, top vg.Length) {
			bottom := top - height
			c.y.beside(p, bottom, top, from, to)
			c.x.below(p, from, to, bottom, top)
			at := func(n int, v float64) vg.Point {
				return vg.Point{X: c.x.at(float64(n), from, to), Y: c.y.at(v, bottom, top)}
			}
			ends := make([]vg.Point, len(c.lines))
			for i, l := range c.lines {
				ends[i] = c.drawLine(p, l, at)
			}
			for i, y := range spread(ends, bottom, top) {
				l := c.lines[i]
				p.line(faint, 0.5, vg.Point{X: ends[i].X + dotRadius + 1, Y: ends[i].Y},
					vg.Point{X: to + 5, Y: ends[i].Y}, vg.Point{X: to + joint - 5, Y: y}, vg.Point{X: to + joint, Y: y})
				p.glyph(to+joint+1, y, l.glyph)
				ink := smallType
				if l.glyph.color == faint {
					ink = quietType
				}
				p.text(to+joint+key, y, l.name, ink, left)
			}
		},
	}
	return sheet{wordsAbove(c.y.words, width), field, wordsBlock(c.x.words, from, to, width)}
}

// drawLine draws a line with its points and intervals, and returns its right
// end.
func (c *lineChart) drawLine(p pen, l batchLine, at func(int, float64) vg.Point) vg.Point {
	rows := l.rows()
	path := make([]vg.Point, len(rows))
	for i, row := range rows {
		path[i] = at(max(1, row.Key.N), micros(row).Mid)
	}
	p.dashed(l.glyph.color, 1.1, l.dashes, path...)
	for i, row := range rows {
		if e := micros(row); e.HasInterval() {
			lo, hi := math.Max(e.Lo, c.y.lo), math.Min(e.Hi, c.y.hi)
			n := max(1, row.Key.N)
			p.line(l.glyph.color, intervalLine, at(n, lo), at(n, hi))
		}
		look := l.glyph
		look.hollow = row == l.single
		p.glyph(path[i].X, path[i].Y, look)
	}
	return path[len(path)-1]
}

// spread moves the heights of points apart until names beside them have room,
// each as little as their order allows, between bottom and top.
func spread(points []vg.Point, bottom, top vg.Length) []vg.Length {
	order := make([]int, len(points))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(i, j int) bool { return points[order[i]].Y < points[order[j]].Y })
	// Groups of names that touch, each centred on the points' mean height.
	type group struct {
		first, n int
		mean     vg.Length
	}
	half := func(g group) vg.Length { return nameLeading * vg.Length(g.n) / 2 }
	middle := func(g group) vg.Length {
		return max(bottom+half(g), min(top-half(g), g.mean))
	}
	var groups []group
	for i, k := range order {
		groups = append(groups, group{i, 1, points[k].Y})
		for len(groups) > 1 {
			b, a := groups[len(groups)-1], groups[len(groups)-2]
			if middle(b)-half(b) >= middle(a)+half(a) {
				break
			}
			n := vg.Length(a.n + b.n)
			joined := group{a.first, a.n + b.n, (a.mean*vg.Length(a.n) + b.mean*vg.Length(b.n)) / n}
			groups = append(groups[:len(groups)-2], joined)
		}
	}
	heights := make([]vg.Length, len(points))
	for _, g := range groups {
		for i := range g.n {
			heights[order[g.first+i]] = middle(g) - half(g) + nameLeading*(vg.Length(i)+0.5)
		}
	}
	return heights
}
