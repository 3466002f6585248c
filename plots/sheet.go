package plots

import (
	"bytes"
	"fmt"
	"html"
	"strings"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// sheet is a figure laid out for one width: blocks from top to bottom.
type sheet []block

// block is a part of a sheet. draw is given the height of its upper edge.
type block struct {
	height vg.Length
	draw   func(p pen, top vg.Length)
}

// height returns the height of the whole sheet with its margins.
func (s sheet) height() vg.Length {
	h := vg.Length(2 * margin)
	for _, b := range s {
		h += b.height
	}
	return h
}

func (s sheet) draw(c vg.Canvas, height vg.Length) {
	top := height - margin
	for _, b := range s {
		b.draw(pen{c}, top)
		top -= b.height
	}
}

// titleBlock writes the figure's title, in as many lines as it needs.
func titleBlock(title string, width vg.Length) block {
	const leading = 13.0
	lines := wrap(title, titleType, width-2*margin)
	return block{
		height: vg.Length(len(lines)*leading + 5),
		draw: func(p pen, top vg.Length) {
			for i, line := range lines {
				p.text(margin, top-vg.Length(leading*i)-leading/2, line, titleType, left)
			}
		},
	}
}

// sample is an entry of a legend: a drawing 12 points wide and its meaning.
type sample struct {
	meaning string
	draw    func(p pen, x, y vg.Length)
}

// legendBlock sets samples side by side in as many lines as they need. It
// stands above the data, never on them.
func legendBlock(samples []sample, width vg.Length) block {
	if len(samples) == 0 {
		return block{draw: func(pen, vg.Length) {}}
	}
	const leading, swatch, gap = 12.5, 12.0, 12.0
	type placed struct {
		x    vg.Length
		line int
	}
	places := make([]placed, len(samples))
	x, line := vg.Length(margin), 0
	for i, s := range samples {
		w := swatch + 4 + smallType.width(s.meaning)
		if x > margin && x+w > width-margin {
			x, line = margin, line+1
		}
		places[i] = placed{x, line}
		x += w + gap
	}
	return block{
		height: vg.Length(leading*float64(line+1)) + 6,
		draw: func(p pen, top vg.Length) {
			for i, s := range samples {
				y := top - vg.Length(leading*(float64(places[i].line)+0.5))
				s.draw(p, places[i].x, y)
				p.text(places[i].x+swatch+4, y, s.meaning, smallType, left)
			}
		},
	}
}

// marker makes a legend's sample of a glyph.
func marker(g glyph, meaning string) sample {
	return sample{meaning, func(p pen, x, y vg.Length) { p.glyph(x+6, y, g) }}
}

// SVG draws the figure at the given width. The text stays text, in Liberation
// Sans or a typeface of the same widths; where a machine has neither, every line
// is fitted into the width that it was laid out for.
func (f *Figure) SVG(width vg.Length) ([]byte, error) {
	s := f.layout(width)
	height := s.height()
	canvas := &textCanvas{Canvas: vgsvg.NewWith(vgsvg.UseWH(width, height))}
	s.draw(canvas, height)
	var drawn bytes.Buffer
	if _, err := canvas.WriteTo(&drawn); err != nil {
		return nil, fmt.Errorf("plots: figure %s: %w", f.Name, err)
	}
	return f.finish(canvas.fit(drawn.String()), width, height), nil
}

// textCanvas remembers how wide the lines of text on an SVG are, which the
// library does not write down.
type textCanvas struct {
	*vgsvg.Canvas
	widths []vg.Length
}

func (c *textCanvas) FillString(f font.Face, at vg.Point, s string) {
	c.widths = append(c.widths, f.Width(s))
	c.Canvas.FillString(f, at, s)
}

// fit writes the widths into what was drawn: the lines in their order.
func (c *textCanvas) fit(drawn string) string {
	const text = "<text "
	var b strings.Builder
	for _, w := range c.widths {
		before, after, _ := strings.Cut(drawn, text)
		b.WriteString(before + text)
		if w > 0 {
			fmt.Fprintf(&b, `textLength="%.4g" lengthAdjust="spacingAndGlyphs" `, w.Points())
		}
		drawn = after
	}
	return b.String() + drawn
}

// finish replaces the head of a drawn SVG by one with a description and a
// family of typefaces for machines without Liberation Sans, and takes out
// what every piece of text says again.
func (f *Figure) finish(drawn string, width, height vg.Length) []byte {
	_, body, _ := strings.Cut(drawn, "xmlns:xlink=\"http://www.w3.org/1999/xlink\">")
	body = strings.NewReplacer(
		"font-family:Liberation Sans;font-variant:normal;font-weight:normal;font-style:normal;", "",
		"font-family:Liberation Sans;font-variant:normal;font-weight:bold;font-style:normal;", "font-weight:bold;",
		"\n\tstyle=", " style=",
	).Replace(body)
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%.5gpt" height="%.5gpt" viewBox="0 0 %.5g %.5g"`,
		width.Points(), height.Points(), width.Points(), height.Points())
	fmt.Fprintf(&b, ` font-family="'Liberation Sans', Arimo, Arial, Helvetica, sans-serif" role="img" aria-label="%s">`,
		html.EscapeString(f.Title+". "+f.Alt))
	fmt.Fprintf(&b, "\n<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>")
	b.WriteString(body)
	return b.Bytes()
}

// PNG draws the figure at the given width with 300 dots an inch.
func (f *Figure) PNG(width vg.Length) ([]byte, error) {
	const dpi = 300
	s := f.layout(width)
	height := s.height()
	canvas := vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(dpi))
	s.draw(canvas, height)
	var b bytes.Buffer
	if _, err := (vgimg.PngCanvas{Canvas: canvas}).WriteTo(&b); err != nil {
		return nil, fmt.Errorf("plots: figure %s: %w", f.Name, err)
	}
	return b.Bytes(), nil
}

// layout puts the title above the figure's own blocks.
func (f *Figure) layout(width vg.Length) sheet {
	return append(sheet{titleBlock(f.Title, width)}, f.lay(width)...)
}
