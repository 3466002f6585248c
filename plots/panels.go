package plots

import (
	"math"

	"gonum.org/v1/plot/vg"

	"mpinlab/plots/internal/measured"
)

// panel is one of several small charts of points and curves.
type panel struct {
	title string
	x, y  axis
	lines []panelLine
}

// panelLine is points of one kind, a curve through or beside them, and a note
// that stands under the panel after the line's glyph.
type panelLine struct {
	glyph  glyph
	points []panelPoint
	// curve gives the curve's height, and is nil where the points are joined
	// instead.
	curve func(x float64) float64
	notes []string
}

type panelPoint struct {
	x float64
	y measured.Estimate
}

const (
	panelField  = 92.0
	panelWords  = 10.5 // a line of words
	panelsApart = 16.0
)

// panelBlocks sets panels side by side where there is room for two.
func panelBlocks(panels []panel, width vg.Length) sheet {
	columns := 1
	if width >= wideFrom {
		columns = 2
	}
	each := (width - 2*margin - panelsApart*vg.Length(columns-1)) / vg.Length(columns)
	var s sheet
	for len(panels) > 0 {
		row := panels[:min(columns, len(panels))]
		panels = panels[len(row):]
		height := vg.Length(0)
		for i := range row {
			height = max(height, row[i].height(each))
		}
		s = append(s, block{height: height + 6, draw: func(p pen, top vg.Length) {
			for i := range row {
				row[i].draw(p, margin+vg.Length(i)*(each+panelsApart), top, each)
			}
		}})
	}
	return s
}

// heads are the lines of words above the field.
func (c *panel) heads(width vg.Length) (title, words []string) {
	return wrap(c.title, boldType, width), wrap(c.y.words, quietType, width)
}

// feet are the lines of words under the field: one list a line of the panel.
func (c *panel) feet(width vg.Length) (list [][]string) {
	for _, l := range c.lines {
		var lines []string
		for _, note := range l.notes {
			lines = append(lines, wrap(note, smallType, width-14)...)
		}
		list = append(list, lines)
	}
	return list
}

func (c *panel) height(width vg.Length) vg.Length {
	title, words := c.heads(width)
	lines := len(title) + len(words) + 1
	for _, foot := range c.feet(width) {
		lines += len(foot)
	}
	return vg.Length(panelWords*float64(lines)) + panelField + ticksHeight + 8
}

func (c *panel) draw(p pen, from, top, width vg.Length) {
	title, words := c.heads(width)
	y := top - panelWords/2
	for _, line := range title {
		p.text(from, y, line, boldType, left)
		y -= panelWords
	}
	for _, line := range words {
		p.text(from, y, line, quietType, left)
		y -= panelWords
	}
	high := y + panelWords/2 - 4
	low := high - panelField
	x0, x1 := from+40, from+width-6
	x1 -= c.x.overhang(x0-from, x1-from, width+4)
	c.y.beside(p, low, high, x0, x1)
	c.x.below(p, x0, x1, low, high)
	for _, l := range c.lines {
		c.drawLine(p, l, x0, x1, low, high)
	}
	y = low - ticksHeight - panelWords/2 - 1
	p.text((x0+x1)/2, y, c.x.words, smallType, centre)
	y -= panelWords + 1
	for i, foot := range c.feet(width) {
		p.glyph(from+4, y, c.lines[i].glyph)
		for _, line := range foot {
			p.text(from+12, y, line, smallType, left)
			y -= panelWords
		}
	}
}

func (c *panel) drawLine(p pen, l panelLine, x0, x1, low, high vg.Length) {
	at := func(x, y float64) vg.Point {
		y = math.Max(c.y.lo, math.Min(c.y.hi, y))
		return vg.Point{X: c.x.at(x, x0, x1), Y: c.y.at(y, low, high)}
	}
	var path []vg.Point
	if l.curve == nil {
		for _, pt := range l.points {
			path = append(path, at(pt.x, pt.y.Mid))
		}
	} else if len(l.points) > 1 {
		const steps = 60
		first, last := l.points[0].x, l.points[len(l.points)-1].x
		for i := 0; i <= steps; i++ {
			x := first * math.Pow(last/first, float64(i)/steps)
			path = append(path, at(x, l.curve(x)))
		}
	}
	p.line(l.glyph.color, intervalLine, path...)
	for _, pt := range l.points {
		if pt.y.HasInterval() {
			p.line(l.glyph.color, intervalLine, at(pt.x, pt.y.Lo), at(pt.x, pt.y.Hi))
		}
		mid := at(pt.x, pt.y.Mid)
		p.glyph(mid.X, mid.Y, l.glyph)
	}
}

// fitAxes makes the axes just large enough for the lines.
func (c *panel) fitAxes(xWords, yWords string) {
	x0, x1, y0, y1 := math.Inf(1), 0.0, math.Inf(1), 0.0
	for _, l := range c.lines {
		for _, pt := range l.points {
			x0, x1 = math.Min(x0, pt.x), math.Max(x1, pt.x)
			y0, y1 = math.Min(y0, pt.y.Mid), math.Max(y1, pt.y.Mid)
			if pt.y.HasInterval() && pt.y.Lo > 0 {
				y0, y1 = math.Min(y0, pt.y.Lo), math.Max(y1, pt.y.Hi)
			}
		}
	}
	if x1 <= x0 {
		x1 = 2 * x0
	}
	c.x = axis{lo: x0, hi: x1, log: true, words: xWords}
	c.y = logAxis(y0, y1, yWords)
}
