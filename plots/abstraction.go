package plots

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"

	"gonum.org/v1/plot/vg"

	"mpinlab/plots/internal/measured"
	"mpinlab/plots/internal/number"
)

const (
	abstractionName  = "abstraction"
	abstractionTitle = "Price of the abstraction: each operation through this project's layers against the library called directly"
)

// The reference lines, as fractions.
const (
	smallPrice = 0.02
	largePrice = 0.05
)

// extra is what a layer costs one operation of one backend.
type extra struct {
	name string
	cost measured.Estimate
}

// Abstraction draws what calling a library through the layers of this project
// costs more than calling it directly.
func Abstraction(d *Data) (*Figure, error) {
	s := d.set()
	priced := s.Priced()
	if len(priced) == 0 {
		return nil, noData("no operation has both a direct row and one via=interface or via=protocol")
	}
	f := &Figure{}
	byBackend := map[measured.Backend][]extra{}
	least := map[string]float64{} // the cheapest direct cost of each operation
	var entries []entry
	above, shown := 0, 0
	for _, one := range priced {
		e := one.Extra()
		if math.IsNaN(e.Mid) {
			continue
		}
		shown++
		if byBackend[one.Backend] == nil {
			entries = append(entries, entry{one.Backend, 0})
		}
		if e.HasInterval() && e.Lo > largePrice {
			above++
		}
		byBackend[one.Backend] = append(byBackend[one.Backend], extra{one.Name, e})
		if have, ok := least[one.Name]; !ok || one.Direct.Median < have {
			least[one.Name] = one.Direct.Median
		}
		f.Rows = append(f.Rows, one.Direct, one.Layered)
	}
	if shown == 0 {
		return nil, noData("no operation has a direct and a layered row of the same run")
	}
	for i, e := range entries {
		entries[i].cost = meanCost(s, e.backend)
	}
	arrange(entries)
	names := make([]string, 0, len(least))
	for name := range least {
		names = append(names, name)
	}
	sort.Slice(names, func(i, j int) bool {
		if least[names[i]] != least[names[j]] {
			return least[names[i]] < least[names[j]]
		}
		return names[i] < names[j]
	})
	f.Caption = "Operations from cheap (above) to dear; ServerVerify goes through package protocol, the others through the interface alone. " +
		"Points are medians of the ratios of neighbouring samples, with 95\u202f% intervals; arrows with a number lie beyond the axis. " +
		fmt.Sprintf("%d of the %d operations cost significantly more than +5\u202f%%.", above, shown)
	if slices.Contains(names, "MSM/n=8") {
		f.Caption += " Below 0 the layer does better than the call that it is set against: a sum of few points (MSM/n=8) takes another way on gnark than the library’s bucket method."
	}
	f.Caption += d.footnotes(s, entries, false)
	f.Alt = fmt.Sprintf("Small charts for %d backends of %d operations, with reference lines at 2 and 5 percent. "+
		"%d of %d cost significantly more than 5 percent extra.", len(entries), len(names), above, shown)
	f.lay = func(width vg.Length) sheet { return panels(d, entries, names, byBackend, width) }
	return f, nil
}

// meanCost is what panels are sorted by: a verification's cost, or, where
// there is none, the end of the list.
func meanCost(s *measured.Set, b measured.Backend) float64 {
	if row := s.Protocol("ServerVerify", b); row != nil {
		return row.Median
	}
	return math.MaxFloat64
}

const (
	panelPitch = 9.5
	panelHead  = 14.0
	panelFoot  = ticksHeight + 6
	panelGap   = 9.0
)

var priceAxis = axis{lo: -0.06, hi: 0.12, write: func(v float64) string { return strings.TrimSuffix(number.Signed(v), ".0") },
	words: "extra time in % of the direct call (←\u00a0less\u00a0is\u00a0better); dashed +2\u202f%, solid +5\u202f%"}

// panels sets one small chart a backend side by side, with the operations'
// names at the left of each line of charts.
func panels(d *Data, entries []entry, names []string, byBackend map[measured.Backend][]extra, width vg.Length) sheet {
	nameWidth := vg.Length(0)
	for _, n := range names {
		nameWidth = max(nameWidth, smallType.width(n))
	}
	nameWidth += 5
	const least = 78 // the width a panel needs
	field := width - 2*margin - nameWidth
	columns := max(1, min(len(entries), int((field+panelGap)/(least+panelGap))))
	panel := (field - vg.Length(columns-1)*panelGap) / vg.Length(columns)
	if len(entries) == 1 {
		panel = min(panel, 300)
	}
	to := margin + nameWidth + vg.Length(columns)*(panel+panelGap) - panelGap
	height := vg.Length(len(names))*panelPitch + 4
	var s sheet
	s = append(s, legendBlock(priceLegend(), width))
	for start := 0; start < len(entries); start += columns {
		line := entries[start:min(start+columns, len(entries))]
		s = append(s, block{
			height: panelHead + height + panelFoot,
			draw: func(p pen, top vg.Length) {
				upper := top - panelHead
				for i, n := range names {
					p.text(margin+nameWidth-5, upper-2-panelPitch*(vg.Length(i)+0.5), n, smallType, right)
				}
				for i, e := range line {
					from := margin + nameWidth + vg.Length(i)*(panel+panelGap)
					title := e.backend.ID()
					if d.excluded(e.backend) {
						title += " †"
					}
					p.text(from, top-panelHead/2, title, boldType, left)
					drawPanel(p, names, byBackend[e.backend], from, from+panel, upper-height, upper)
				}
			},
		})
	}
	return append(s, wordsBlock(priceAxis.words, margin+nameWidth, to, width))
}

// drawPanel draws one backend's operations.
func drawPanel(p pen, names []string, list []extra, from, to, bottom, top vg.Length) {
	a := priceAxis
	a.below(p, from, to, bottom, top)
	at := func(v float64) vg.Length { return a.at(v, from, to) }
	vertical := func(v float64) []vg.Point {
		return []vg.Point{{X: at(v), Y: bottom}, {X: at(v), Y: top}}
	}
	p.line(faint, 0.8, vertical(0)...)
	p.dashed(orange, 0.9, []vg.Length{3, 2}, vertical(smallPrice)...)
	p.line(vermillion, 0.9, vertical(largePrice)...)
	byName := map[string]measured.Estimate{}
	for _, x := range list {
		byName[x.name] = x.cost
	}
	for i, n := range names {
		e, ok := byName[n]
		if !ok {
			continue
		}
		y := top - 2 - panelPitch*(vg.Length(i)+0.5)
		if e.Mid > a.hi || e.Mid < a.lo {
			drawBeyond(p, e, from, to, y)
			continue
		}
		priceInterval(p, e, a, at, y)
		p.glyph(at(e.Mid), y, priceGlyph(e))
	}
}

// priceInterval draws an interval without ends, which would crowd a small
// chart.
func priceInterval(p pen, e measured.Estimate, a axis, at func(float64) vg.Length, y vg.Length) {
	if e.HasInterval() {
		p.line(black, 0.7, vg.Point{X: at(math.Max(e.Lo, a.lo)), Y: y}, vg.Point{X: at(math.Min(e.Hi, a.hi)), Y: y})
	}
}

// drawBeyond writes a value that the axis does not reach at its end, in the
// marker's colour where it is significant.
func drawBeyond(p pen, e measured.Estimate, from, to, y vg.Length) {
	value := number.Signed(e.Mid) + number.Thin + "%"
	switch {
	case e.Mid < 0:
		p.label(from, y, "← "+value, smallType, left)
	case e.HasInterval() && e.Lo > largePrice:
		p.label(to, y, value+" →", smallType.in(vermillion), right)
	default:
		p.label(to, y, value+" →", smallType, right)
	}
}

// priceGlyph looks different where the whole interval is beyond a reference
// line.
func priceGlyph(e measured.Estimate) glyph {
	switch {
	case e.HasInterval() && e.Lo > largePrice:
		return glyph{shape: triangle, color: vermillion, small: true}
	case e.HasInterval() && e.Lo > smallPrice:
		return glyph{shape: square, color: orange, small: true}
	}
	return glyph{shape: circle, color: blue, small: true}
}

func priceLegend() []sample {
	return []sample{
		marker(glyph{shape: circle, color: blue}, "not significantly above +2\u202f%"),
		marker(glyph{shape: square, color: orange}, "above +2\u202f%"),
		marker(glyph{shape: triangle, color: vermillion}, "above +5\u202f%"),
	}
}
