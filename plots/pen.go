package plots

import (
	"image/color"
	"math"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// pen draws the few things that figures are made of. Lengths are points from
// the lower left corner.
type pen struct{ vg.Canvas }

// Where text stands with respect to its position.
const (
	left   = 0.0
	centre = 0.5
	right  = 1.0
)

// capHeight is the height of capitals and digits as a part of the type size.
const capHeight = 0.72

// text writes a line whose capitals are centred on y, and returns its width.
func (p pen) text(x, y vg.Length, s string, t typeface, align float64) vg.Length {
	f, w := t.face(), t.width(s)
	p.SetColor(t.color)
	p.FillString(f, vg.Point{X: x - w*vg.Length(align), Y: y - vg.Length(t.size*capHeight/2)}, s)
	return w
}

// label is text over a white ground, for places where lines pass.
func (p pen) label(x, y vg.Length, s string, t typeface, align float64) vg.Length {
	w := t.width(s)
	from := x - w*vg.Length(align)
	half := vg.Length(t.size * 0.5)
	p.fill(box(from-1, y-half, from+w+1, y+half), white)
	return p.text(x, y, s, t, align)
}

func (p pen) line(c color.Color, width vg.Length, points ...vg.Point) {
	if len(points) < 2 {
		return
	}
	var path vg.Path
	path.Move(points[0])
	for _, pt := range points[1:] {
		path.Line(pt)
	}
	p.stroke(path, c, width)
}

func (p pen) dashed(c color.Color, width vg.Length, dashes []vg.Length, points ...vg.Point) {
	p.SetLineDash(dashes, 0)
	p.line(c, width, points...)
	p.SetLineDash(nil, 0)
}

func (p pen) stroke(path vg.Path, c color.Color, width vg.Length) {
	p.SetColor(c)
	p.SetLineWidth(width)
	p.Stroke(path)
}

func (p pen) fill(r vg.Rectangle, c color.Color) {
	p.SetColor(c)
	p.Fill(r.Path())
}

func (p pen) outline(r vg.Rectangle, c color.Color) { p.stroke(r.Path(), c, outlineLine) }

// hatch fills a rectangle with parallel lines that rise (rise = 1) or fall
// (rise = -1).
func (p pen) hatch(r vg.Rectangle, c color.Color, width, spacing vg.Length, rise int) {
	var path vg.Path
	if rise < 0 {
		// Lines x + y = k.
		for k := nextMultiple(r.Min.X+r.Min.Y, spacing); k < r.Max.X+r.Max.Y; k += spacing {
			from, to := max(r.Min.X, k-r.Max.Y), min(r.Max.X, k-r.Min.Y)
			path.Move(vg.Point{X: from, Y: k - from})
			path.Line(vg.Point{X: to, Y: k - to})
		}
	} else {
		// Lines x - y = k.
		for k := nextMultiple(r.Min.X-r.Max.Y, spacing); k < r.Max.X-r.Min.Y; k += spacing {
			from, to := max(r.Min.X, k+r.Min.Y), min(r.Max.X, k+r.Max.Y)
			path.Move(vg.Point{X: from, Y: from - k})
			path.Line(vg.Point{X: to, Y: to - k})
		}
	}
	if len(path) > 0 {
		p.stroke(path, c, width)
	}
}

func nextMultiple(v, step vg.Length) vg.Length {
	return vg.Length(math.Floor(float64(v/step))+1) * step
}

// glyph draws a marker. Hollow ones are white inside.
func (p pen) glyph(x, y vg.Length, g glyph) {
	at := vg.Point{X: x, Y: y}
	canvas := draw.Canvas{Canvas: p.Canvas}
	r := vg.Length(dotRadius * g.scale())
	p.SetColor(g.color)
	g.shape.DrawGlyph(&canvas, draw.GlyphStyle{Color: g.color, Radius: r, Shape: g.shape}, at)
	if g.hollow {
		p.SetColor(white)
		g.shape.DrawGlyph(&canvas, draw.GlyphStyle{Color: white, Radius: r - 1.1, Shape: g.shape}, at)
	}
}

// glyph is the look of a marker: a filled shape, or its outline.
type glyph struct {
	shape  draw.GlyphDrawer
	color  color.Color
	hollow bool
	small  bool // in small charts
	large  bool // the one that counts among many
}

// scale makes squares and triangles as large to the eye as circles.
func (g glyph) scale() float64 {
	factor := 1.0
	if _, round := g.shape.(draw.CircleGlyph); !round {
		factor = 1.08
	}
	if g.small {
		factor *= 0.8
	}
	if g.large {
		factor *= 1.6
	}
	return factor
}

var (
	circle   = draw.CircleGlyph{}
	square   = draw.BoxGlyph{}
	triangle = draw.PyramidGlyph{}
)

func box(x0, y0, x1, y1 vg.Length) vg.Rectangle {
	return vg.Rectangle{Min: vg.Point{X: x0, Y: y0}, Max: vg.Point{X: x1, Y: y1}}
}

// wrap breaks text at spaces into as few lines no wider than width as it
// takes, of about equal widths.
func wrap(s string, t typeface, width vg.Length) []string {
	lines := fill(s, t, width)
	for narrower := width - 4; narrower > 0; narrower -= 4 {
		again := fill(s, t, narrower)
		if len(again) > len(lines) {
			break
		}
		lines = again
	}
	return lines
}

// fill breaks text at spaces into lines that are as long as width allows.
func fill(s string, t typeface, width vg.Length) []string {
	var lines []string
	line := ""
	for _, word := range strings.Split(s, " ") {
		longer := word
		if line != "" {
			longer = line + " " + word
		}
		if line != "" && t.width(longer) > width {
			lines = append(lines, line)
			longer = word
		}
		line = longer
	}
	return append(lines, line)
}
