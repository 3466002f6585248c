package plots

import (
	"fmt"
	"math"
	"sort"
	"strings"

	"gonum.org/v1/plot/vg"

	"mpinlab/backends"
	"mpinlab/plots/internal/measured"
	"mpinlab/plots/internal/number"
)

const (
	securityName  = "security"
	securityTitle = "Security level against server throughput, one point a backend and curve"
)

// Security draws what a higher security level costs in throughput.
func Security(d *Data) (*Figure, error) {
	var list []measured.Ranked
	s := d.set()
	for _, r := range s.Verifiers() {
		if r.Backend.Bits > 0 {
			list = append(list, r)
		}
	}
	if len(list) == 0 {
		return nil, noData("no rows for ServerVerify via=protocol on a curve of known security level")
	}
	f := &Figure{
		Caption: "The grey line joins the backends that none beats in both directions. " +
			"Security levels are published estimates, not measurements: " + sources(list) + ".",
		Alt: fmt.Sprintf("Scatter plot of %d backends. The fastest, %s, verifies %s logins a second at %d bits.",
			len(list), list[0].Backend.ID(), number.Plain(list[0].Rate.Mid), list[0].Backend.Bits),
	}
	f.Caption += d.hollowNote(list)
	slowest, fastest := math.Inf(1), 0.0
	fewest, most := math.MaxInt, 0
	for _, r := range list {
		f.Rows = append(f.Rows, r.Row)
		slowest, fastest = math.Min(slowest, r.Rate.Mid), math.Max(fastest, r.Rate.Mid)
		fewest, most = min(fewest, r.Backend.Bits), max(most, r.Backend.Bits)
	}
	if fewest == most {
		return nil, noData(fmt.Sprintf("no two of the curves that were measured differ in security level; all have %d bits", fewest))
	}
	sc := &scatter{
		x:    axis{lo: float64(fewest - 6), hi: float64(max(most+8, fewest+34)), words: "estimated security level of the curve, bits (more\u00a0is\u00a0better\u00a0→)"},
		y:    axis{lo: slowest / 1.4, hi: fastest * 1.4, log: true, words: "verifications a second on one core, logarithmic (more\u00a0is\u00a0better\u00a0↑)"},
		best: frontier(measured.Ranking(list, d.Excluded, 0, 0)),
	}
	for _, r := range list {
		look := glyph{shape: circle, color: blue}
		ink := smallType
		if d.excluded(r.Backend) {
			look, ink = glyph{shape: circle, color: faint, hollow: true}, quietType
		}
		sc.points = append(sc.points, point{x: float64(r.Backend.Bits), y: r.Rate, name: r.Backend.ID(), glyph: look, ink: ink})
	}
	f.lay = func(width vg.Length) sheet { return sc.blocks(width) }
	return f, nil
}

// frontier keeps those of a list, fastest first, that are more secure than
// every faster one.
func frontier(list []measured.Ranked) []measured.Ranked {
	var kept []measured.Ranked
	for _, r := range list {
		if len(kept) == 0 || r.Backend.Bits > kept[len(kept)-1].Backend.Bits {
			kept = append(kept, r)
		}
	}
	return kept
}

// sources lists where the security levels of the curves are from.
func sources(list []measured.Ranked) string {
	curves := map[string][]string{}
	for _, r := range list {
		c, err := backends.ParseCurve(r.Backend.Curve)
		if err != nil {
			continue
		}
		from := c.Params().SecuritySource
		known := false
		for _, have := range curves[from] {
			known = known || have == r.Backend.Curve
		}
		if !known {
			curves[from] = append(curves[from], r.Backend.Curve)
		}
	}
	var words []string
	for from, ids := range curves {
		sort.Strings(ids)
		words = append(words, fmt.Sprintf("%s (%s)", from, strings.Join(ids, ", ")))
	}
	sort.Strings(words)
	return strings.Join(words, "; ")
}

// hollowNote explains the hollow points.
func (d *Data) hollowNote(list []measured.Ranked) string {
	for _, r := range list {
		if d.excluded(r.Backend) {
			return " Hollow points are not ranked."
		}
	}
	return ""
}

// scatter is a field of named points.
type scatter struct {
	x, y   axis
	points []point
	best   []measured.Ranked
}

type point struct {
	x     float64
	y     measured.Estimate
	name  string
	glyph glyph
	ink   typeface
}

func (s *scatter) blocks(width vg.Length) sheet {
	height := vg.Length(250)
	if width < wideFrom {
		height = 330
	}
	from, to := vg.Length(margin+30), width-margin-6
	field := block{
		height: height + ticksHeight,
		draw: func(p pen, top vg.Length) {
			bottom := top - height
			s.y.beside(p, bottom, top, from, to)
			s.x.below(p, from, to, bottom, top)
			steps := s.frontier(from, to, bottom, top)
			p.line(faint, 1.2, steps...)
			places := make([]vg.Point, len(s.points))
			names := make([]string, len(s.points))
			for i, pt := range s.points {
				places[i] = vg.Point{X: s.x.at(pt.x, from, to), Y: s.y.at(pt.y.Mid, bottom, top)}
				names[i] = pt.name
			}
			field := box(from+2, bottom+2, width-margin, top-1)
			obstacles := segments(steps)
			for i, pt := range s.points {
				if e := pt.y; e.HasInterval() && e.Lo > 0 {
					x, lo, hi := places[i].X, max(e.Lo, s.y.lo), min(e.Hi, s.y.hi)
					bar := []vg.Point{{X: x, Y: s.y.at(lo, bottom, top)}, {X: x, Y: s.y.at(hi, bottom, top)}}
					p.line(pt.glyph.color, intervalLine, bar...)
					obstacles = append(obstacles, segments(bar)...)
				}
			}
			for i, l := range placeLabels(places, names, smallType, field, obstacles) {
				l.draw(p, places[i], names[i], s.points[i].ink)
			}
			for i, pt := range s.points {
				p.glyph(places[i].X, places[i].Y, pt.glyph)
			}
		},
	}
	return sheet{wordsAbove(s.y.words, width), field, wordsBlock(s.x.words, from, to, width)}
}

// frontier returns the steps between the backends that none beats.
func (s *scatter) frontier(from, to, bottom, top vg.Length) []vg.Point {
	var path []vg.Point
	for _, r := range s.best {
		x := s.x.at(float64(r.Backend.Bits), from, to)
		y := s.y.at(r.Rate.Mid, bottom, top)
		if len(path) > 0 {
			path = append(path, vg.Point{X: path[len(path)-1].X, Y: y})
		}
		path = append(path, vg.Point{X: x, Y: y})
	}
	return path
}

// segments returns the rectangles that a line covers.
func segments(line []vg.Point) []vg.Rectangle {
	var list []vg.Rectangle
	for i := 1; i < len(line); i++ {
		a, b := line[i-1], line[i]
		list = append(list, box(min(a.X, b.X)-1, min(a.Y, b.Y)-1, max(a.X, b.X)+1, max(a.Y, b.Y)+1))
	}
	return list
}

// wordsAbove writes the words of a vertical axis over its upper end, where
// they are read without turning the head.
func wordsAbove(words string, width vg.Length) block {
	const leading = 11.5
	lines := wrap(words, wordsType, width-2*margin)
	return block{
		height: vg.Length(leading*float64(len(lines))) + 6,
		draw: func(p pen, top vg.Length) {
			for i, line := range lines {
				p.text(margin, top-vg.Length(leading*(float64(i)+0.5)), line, wordsType, left)
			}
		},
	}
}
