package plots

import (
	"fmt"
	"image/color"
	"math"
	"sort"

	"gonum.org/v1/plot/vg"

	"mpinlab/plots/internal/measured"
	"mpinlab/plots/internal/number"
)

// chart is rows of marks along one horizontal axis. Rows of a curve stand
// together, and the curves of a class under the class' heading.
type chart struct {
	axis    axis
	columns []column
	rows    []row
	// room is kept free at the right of the axis, for labels at the ends of
	// bars.
	room vg.Length
	// guides draws a thin line along each row, from its label to its dots.
	guides bool
}

// column is a column of numbers at the right of a wide chart.
type column struct {
	heading string
	glyph   *glyph // stands before the heading
}

// row is a line of a chart.
type row struct {
	class, group, label string
	quiet               bool
	values              []string // one for each of the chart's columns
	mark                func(p pen, at func(float64) vg.Length, y vg.Length)
}

const (
	headingHeight = 14.0
	headingGap    = 5.0 // over the second and later headings
	columnGap     = 9.0
)

// blocks lays the chart out.
func (c *chart) blocks(width vg.Length) sheet {
	columns := c.columns
	if width < wideFrom {
		columns = nil
	}
	groupWidth, labelWidth := c.labelWidths()
	from := margin + groupWidth + labelWidth + 5
	to := width - margin - c.room
	widths := c.columnWidths(columns)
	for _, w := range widths {
		to -= w + columnGap
	}
	to -= c.axis.overhang(from, to, width)
	head := block{draw: func(pen, vg.Length) {}}
	if len(columns) > 0 {
		head = headBlock(columns, widths, width)
	}
	height := vg.Length(2)
	for i := range c.rows {
		height += c.above(i) + rowPitch
	}
	body := block{
		height: height + ticksHeight,
		draw: func(p pen, top vg.Length) {
			bottom := top - height
			c.axis.below(p, from, to, bottom, top)
			at := func(v float64) vg.Length { return c.axis.at(v, from, to) }
			y := top
			for i, r := range c.rows {
				y -= c.above(i)
				c.drawHeads(p, i, y, groupWidth)
				y -= rowPitch / 2
				ink := smallType
				if r.quiet {
					ink = quietType
				}
				p.text(from-5, y, r.label, ink, right)
				if c.guides {
					p.line(grid, gridLine, vg.Point{X: from, Y: y}, vg.Point{X: to, Y: y})
				}
				r.mark(p, at, y)
				x := width - margin
				for k := len(columns) - 1; k >= 0; k-- {
					p.text(x, y, r.values[k], ink, right)
					x -= widths[k] + columnGap
				}
				y -= rowPitch / 2
			}
		},
	}
	return sheet{head, body, wordsBlock(c.axis.words, from, to, width)}
}

// above returns the free height over row i: a heading, or a gap between
// groups.
func (c *chart) above(i int) vg.Length {
	switch r := c.rows[i]; {
	case r.class != "" && i == 0:
		return headingHeight
	case r.class != "" && c.rows[i-1].class != r.class:
		return headingGap + headingHeight
	case i > 0 && c.rows[i-1].group != r.group:
		return groupGap
	}
	return 0
}

// drawHeads writes the heading of a class and the name of a group over and
// beside their first rows. y is the upper edge of row i.
func (c *chart) drawHeads(p pen, i int, y vg.Length, groupWidth vg.Length) {
	r := c.rows[i]
	newClass := r.class != "" && (i == 0 || c.rows[i-1].class != r.class)
	if newClass {
		p.label(margin, y+headingHeight/2-0.5, r.class, boldType, left)
	}
	if newClass || i == 0 || c.rows[i-1].group != r.group {
		p.text(margin, y-rowPitch/2, r.group, smallType, left)
	}
}

func (c *chart) labelWidths() (group, label vg.Length) {
	for _, r := range c.rows {
		group = max(group, smallType.width(r.group))
		label = max(label, smallType.width(r.label))
	}
	return group + 7, label
}

func (c *chart) columnWidths(columns []column) []vg.Length {
	widths := make([]vg.Length, len(columns))
	for k, col := range columns {
		widths[k] = smallType.width(col.heading)
		if col.glyph != nil {
			widths[k] += 10
		}
		for _, r := range c.rows {
			widths[k] = max(widths[k], smallType.width(r.values[k]))
		}
	}
	return widths
}

// headBlock writes the headings of the columns.
func headBlock(columns []column, widths []vg.Length, width vg.Length) block {
	return block{height: 13, draw: func(p pen, top vg.Length) {
		x, y := width-margin, top-6
		for k := len(columns) - 1; k >= 0; k-- {
			w := p.text(x, y, columns[k].heading, quietType, right)
			if g := columns[k].glyph; g != nil {
				p.glyph(x-w-6, y, *g)
			}
			x -= widths[k] + columnGap
		}
	}}
}

// entry is a backend with the cost it is sorted by.
type entry struct {
	backend measured.Backend
	cost    float64
}

// arrange sorts backends for a chart: curves of the ranked security level
// first, of these the curve with the cheapest backend first, and the backends
// of a curve from cheap to dear.
func arrange(entries []entry) {
	best := map[string]float64{}
	for _, e := range entries {
		if have, ok := best[e.backend.Curve]; !ok || e.cost < have {
			best[e.backend.Curve] = e.cost
		}
	}
	sort.SliceStable(entries, func(i, j int) bool {
		a, b := entries[i], entries[j]
		if x, y := a.backend.Bits >= measured.Strong, b.backend.Bits >= measured.Strong; x != y {
			return x
		}
		if a.backend.Curve != b.backend.Curve {
			if x, y := best[a.backend.Curve], best[b.backend.Curve]; x != y {
				return x < y
			}
			return a.backend.Curve < b.backend.Curve
		}
		if a.cost != b.cost {
			return a.cost < b.cost
		}
		return a.backend.Library < b.backend.Library
	})
}

// newRow makes the row of a backend, without its marks.
func (d *Data) newRow(s *measured.Set, b measured.Backend, protocol bool) row {
	r := row{class: classOf(b.Bits), group: b.Curve, label: b.Library}
	if protocol && otherDialect(s, b) {
		r.label += " ‡"
	}
	if d.excluded(b) {
		r.quiet = true
		r.label += " †"
	}
	return r
}

// fullName is a backend's id with the marks of footnotes, in charts of protocol
// operations where library and curve stand together.
func (d *Data) fullName(s *measured.Set, b measured.Backend) string {
	name := b.ID()
	if otherDialect(s, b) {
		name += " ‡"
	}
	if d.excluded(b) {
		name += " †"
	}
	return name
}

func classOf(bits int) string {
	switch {
	case bits >= measured.Strong:
		return fmt.Sprintf("%d bits of security or more", measured.Strong)
	case bits > 0:
		return fmt.Sprintf("below %d bits", measured.Strong)
	}
	return "security level unknown"
}

// interval draws a 95 % interval; bounds outside the axis are cut off.
func interval(p pen, e measured.Estimate, a axis, at func(float64) vg.Length, y vg.Length, c color.Color) {
	if !e.HasInterval() {
		return
	}
	from, to := at(math.Max(e.Lo, a.lo)), at(math.Min(e.Hi, a.hi))
	if from > to {
		return
	}
	const cap = 2.2
	p.line(c, intervalLine, vg.Point{X: from, Y: y}, vg.Point{X: to, Y: y})
	for _, x := range []vg.Length{from, to} {
		p.line(c, intervalLine, vg.Point{X: x, Y: y - cap}, vg.Point{X: x, Y: y + cap})
	}
}

// dodge returns how far above a row's middle the k-th of n markers stands, so
// that markers of nearly equal values do not hide each other.
func dodge(k, n int) vg.Length {
	const apart = 3.0
	return apart * (vg.Length(n-1)/2 - vg.Length(k))
}

func otherDialect(s *measured.Set, b measured.Backend) bool {
	dialect := s.Dialect(b)
	return dialect != measured.DefaultDialect && dialect != ""
}

// footnotes explains the marks behind the names of backends.
func (d *Data) footnotes(s *measured.Set, entries []entry, protocol bool) string {
	var unranked, dialects number.Reasons
	for _, e := range entries {
		if d.excluded(e.backend) {
			unranked.Add(e.backend.ID(), d.Excluded[e.backend.ID()])
		}
		if protocol && otherDialect(s, e.backend) {
			dialects.Add(e.backend.ID(), s.Dialect(e.backend))
		}
	}
	notes := ""
	if len(unranked) > 0 {
		notes += " † Shown, but not ranked: " + unranked.String() + "."
	}
	if len(dialects) > 0 {
		notes += " ‡ Measured in another dialect than " + measured.DefaultDialect + ": " + dialects.String() + "."
	}
	return notes
}
