package plots

import (
	"image/color"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/font/liberation"
	"gonum.org/v1/plot/vg"
)

// Type: 10 points for titles, 9 for the words of axes, 8 for all else.
const (
	titleSize = 10
	wordsSize = 9
	smallSize = 8
)

// Lines, in points.
const (
	axisLine     = 0.6
	gridLine     = 0.5
	intervalLine = 0.9
	outlineLine  = 0.6
	tickLength   = 3.0
)

// Distances, in points.
const (
	margin    = 7.0
	rowPitch  = 13.0
	groupGap  = 4.0
	barHeight = 8.5
	dotRadius = 2.7
	wideFrom  = 400 // from this width on, a layout has room for columns of numbers
)

// The colours of Okabe and Ito, told apart by readers with any colour vision;
// shape, hatch or position always says the same again.
var (
	black      = color.RGBA{A: 255}
	orange     = color.RGBA{R: 0xe6, G: 0x9f, A: 255}
	sky        = color.RGBA{R: 0x56, G: 0xb4, B: 0xe9, A: 255}
	green      = color.RGBA{G: 0x9e, B: 0x73, A: 255}
	yellow     = color.RGBA{R: 0xf0, G: 0xe4, B: 0x42, A: 255}
	blue       = color.RGBA{G: 0x72, B: 0xb2, A: 255}
	vermillion = color.RGBA{R: 0xd5, G: 0x5e, A: 255}
	purple     = color.RGBA{R: 0xcc, G: 0x79, B: 0xa7, A: 255}

	white = color.RGBA{R: 255, G: 255, B: 255, A: 255}
	grid  = color.RGBA{R: 225, G: 225, B: 225, A: 255}
	faint = color.RGBA{R: 150, G: 150, B: 150, A: 255} // outlines and hatches of what is not ranked
	quiet = color.RGBA{R: 85, G: 85, B: 85, A: 255}    // words of second rank
)

// typeface is how a piece of text looks.
type typeface struct {
	size  float64
	bold  bool
	color color.Color
}

var (
	titleType = typeface{titleSize, true, black}
	wordsType = typeface{wordsSize, false, black}
	smallType = typeface{smallSize, false, black}
	boldType  = typeface{smallSize, true, black}
	quietType = typeface{smallSize, false, quiet}
)

var faces = font.NewCache(liberation.Collection())

// face looks the typeface up in the fonts built into the program.
func (t typeface) face() font.Face {
	f := font.Font{Typeface: "Liberation", Variant: "Sans"}
	if t.bold {
		f.Weight = xfont.WeightBold
	}
	return faces.Lookup(f, vg.Length(t.size))
}

// width returns the width of a line of text.
func (t typeface) width(s string) vg.Length {
	f := t.face()
	return f.Width(s)
}

// in returns the typeface in another colour.
func (t typeface) in(c color.Color) typeface {
	t.color = c
	return t
}
