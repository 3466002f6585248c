package plots

import (
	"image/color"
	"math"

	"gonum.org/v1/plot/vg"
)

// field is one plane of curves, under words that say what its height means. The
// figures of load runs are stacks of fields over the same horizontal axis.
type field struct {
	words  string
	x, y   axis
	height vg.Length
	// shades are spans of the horizontal axis; they lie under everything.
	shades []shade
	// bands are stacked areas, the first at the bottom.
	bands  []band
	curves []fieldCurve
	marks  []fieldMark
	levels []level
}

// shade is a span, named at its top where there is room.
type shade struct {
	from, to float64
	name     string
	fill     color.Color
}

type band struct {
	fill color.Color
	at   []float64
	high []float64 // its own height at each place
}

type fieldCurve struct {
	color  color.Color
	dashes []vg.Length
	width  vg.Length
	// at are ascending; NaN in value breaks the curve. A curve without width is
	// its points only.
	at, value []float64
	points    *glyph
}

// fieldMark is a point with a name.
type fieldMark struct {
	at, value float64
	glyph     glyph
	name      string
}

// level is a line across at a height.
type level struct {
	value float64
	name  string
}

const fieldLeft = 36 // room for the labels of the vertical axis

// blocks lays the field out; the axis below is drawn with the last of a stack.
func (f *field) blocks(width vg.Length, last bool) sheet {
	from, to := vg.Length(margin+fieldLeft), width-margin
	to -= f.x.overhang(from, to, width)
	high := f.height
	foot := vg.Length(6)
	if last {
		foot = ticksHeight + 2
	}
	s := sheet{wordsAbove(f.words, width), {height: high + foot, draw: func(p pen, top vg.Length) {
		bottom := top - high
		f.drawShades(p, from, to, bottom, top)
		if last {
			f.x.below(p, from, to, bottom, top)
		} else {
			for _, t := range f.x.ticks(to-from, smallType.width) {
				if x := f.x.at(t.value, from, to); t.label != "" {
					p.line(grid, gridLine, vg.Point{X: x, Y: bottom}, vg.Point{X: x, Y: top})
				}
			}
		}
		f.y.beside(p, bottom, top, from, to)
		// Over the lines of the other axis' grid.
		p.line(black, axisLine, vg.Point{X: from, Y: top}, vg.Point{X: from, Y: bottom}, vg.Point{X: to, Y: bottom})
		at := func(x, y float64) vg.Point {
			x, y = math.Max(f.x.lo, math.Min(f.x.hi, x)), math.Max(f.y.lo, math.Min(f.y.hi, y))
			return vg.Point{X: f.x.at(x, from, to), Y: f.y.at(y, bottom, top)}
		}
		f.drawBands(p, at)
		for _, l := range f.levels {
			a, b := at(f.x.lo, l.value), at(f.x.hi, l.value)
			p.dashed(quiet, intervalLine, []vg.Length{1.5, 1.5}, a, b)
			p.label(a.X+3, a.Y+6, l.name, quietType, left) // where the rates are low, and the curves far below
		}
		for _, c := range f.curves {
			f.drawCurve(p, c, at)
		}
		f.drawNames(p, from, to, top)
		f.drawMarks(p, at, box(from, bottom, to, top))
	}}}
	if last {
		s = append(s, wordsBlock(f.x.words, from, to, width))
	}
	return s
}

// span is where a shade lies, false where it is not on the axis.
func (f *field) span(s shade, from, to vg.Length) (a, b vg.Length, there bool) {
	a, b = f.x.at(math.Max(s.from, f.x.lo), from, to), f.x.at(math.Min(s.to, f.x.hi), from, to)
	return a, b, b > a
}

func (f *field) drawShades(p pen, from, to, bottom, top vg.Length) {
	for _, s := range f.shades {
		if a, b, there := f.span(s, from, to); there {
			p.fill(box(a, bottom, b, top), s.fill)
		}
	}
}

// drawNames writes the names of the shades at the top of the field, those that
// would meet another one under the other.
func (f *field) drawNames(p pen, from, to, top vg.Length) {
	const leading = 10
	var ends []vg.Length // of the lines of names
	for _, s := range f.shades {
		a, b, there := f.span(s, from, to)
		if !there || s.name == "" {
			continue
		}
		w := smallType.width(s.name)
		x := max(from+1, min((a+b-w)/2, to-w-1))
		line := 0
		for line < len(ends) && x < ends[line]+4 {
			line++
		}
		if line == len(ends) {
			ends = append(ends, 0)
		}
		ends[line] = x + w
		p.label(x, top-6-leading*vg.Length(line), s.name, quietType, left)
	}
}

func (f *field) drawBands(p pen, at func(x, y float64) vg.Point) {
	if len(f.bands) == 0 {
		return
	}
	below := make([]float64, len(f.bands[0].at))
	for _, b := range f.bands {
		var path vg.Path
		for i, x := range b.at {
			pt := at(x, below[i]+b.high[i])
			if i == 0 {
				path.Move(pt)
			} else {
				path.Line(pt)
			}
		}
		for i := len(b.at) - 1; i >= 0; i-- {
			path.Line(at(b.at[i], below[i]))
			below[i] += b.high[i]
		}
		path.Close()
		p.SetColor(b.fill)
		p.Fill(path)
	}
}

func (f *field) drawCurve(p pen, c fieldCurve, at func(x, y float64) vg.Point) {
	var run []vg.Point
	flush := func() {
		if c.width > 0 {
			p.dashed(c.color, c.width, c.dashes, run...)
		}
		run = nil
	}
	for i, x := range c.at {
		if math.IsNaN(c.value[i]) || f.y.log && c.value[i] <= 0 || x < f.x.lo || x > f.x.hi {
			flush()
			continue
		}
		run = append(run, at(x, c.value[i]))
	}
	flush()
	if c.points == nil {
		return
	}
	for i, x := range c.at {
		if !math.IsNaN(c.value[i]) && x >= f.x.lo && x <= f.x.hi {
			pt := at(x, c.value[i])
			p.glyph(pt.X, pt.Y, *c.points)
		}
	}
}

func (f *field) drawMarks(p pen, at func(x, y float64) vg.Point, inside vg.Rectangle) {
	var points []vg.Point
	var names []string
	for _, m := range f.marks {
		pt := at(m.at, m.value)
		p.glyph(pt.X, pt.Y, m.glyph)
		points, names = append(points, pt), append(names, m.name)
	}
	if len(points) == 0 {
		return
	}
	var obstacles []vg.Rectangle
	for _, c := range f.curves {
		for i, x := range c.at {
			if !math.IsNaN(c.value[i]) && c.points != nil {
				obstacles = append(obstacles, around(at(x, c.value[i]), dotRadius, dotRadius))
			}
		}
	}
	for i, place := range placeLabels(points, names, boldType, inside, obstacles) {
		p.fill(place.at, white)
		place.draw(p, points[i], names[i], boldType)
	}
}

// sample makes a legend's sample of a curve.
func (c *fieldCurve) sample(meaning string) sample {
	return sample{meaning, func(p pen, x, y vg.Length) {
		p.dashed(c.color, c.width, c.dashes, vg.Point{X: x, Y: y}, vg.Point{X: x + 12, Y: y})
		if c.points != nil {
			p.glyph(x+6, y, *c.points)
		}
	}}
}

// patch makes a legend's sample of an area.
func patch(fill color.Color, meaning string) sample {
	return sample{meaning, func(p pen, x, y vg.Length) { p.fill(box(x, y-3.5, x+12, y+3.5), fill) }}
}
