package plots

import (
	"fmt"
	"math"

	"gonum.org/v1/plot/vg"

	"mpinlab/bench"
	"mpinlab/plots/internal/measured"
	"mpinlab/plots/internal/number"
)

const (
	familyName  = "family"
	familyTitle = "Cost of the rest of the M-Pin family: one-pass login, M-Pin Full, PIN error, signatures"
)

// familyOps are the operations beside those of the two-pass login, each with a
// small chart of its own.
var familyOps = []string{
	"OnePassProve", "OnePassVerify", "FullClientKey", "FullServerKey", "PINError", "Sign", "VerifySignature",
}

// weakShown is the curve below the ranked level that is shown beside the
// others: it is in wide use.
const weakShown = "bn254"

// family is the operations that were measured and what they cost.
type family struct {
	ops     []string
	entries []entry
	cost    map[measured.Backend]map[string]*bench.Row
	scale   axis
}

// Family draws what the other protocols of the family cost.
func Family(d *Data) (*Figure, error) {
	s := d.set()
	f := &Figure{}
	fam := family{cost: map[measured.Backend]map[string]*bench.Row{}}
	there := map[string]bool{}
	smallest, largest := math.Inf(1), 0.0
	for _, b := range s.Backends() {
		if b.Bits < measured.Strong && b.Curve != weakShown {
			continue
		}
		costs := map[string]*bench.Row{}
		for _, op := range familyOps {
			row := s.Protocol(op, b)
			if row == nil {
				continue
			}
			costs[op], there[op] = row, true
			f.Rows = append(f.Rows, row)
			e := micros(row)
			smallest, largest = math.Min(smallest, e.Mid), math.Max(largest, e.Mid)
			if e.HasInterval() && e.Lo > 0 {
				smallest, largest = math.Min(smallest, e.Lo), math.Max(largest, e.Hi)
			}
		}
		if len(costs) > 0 {
			fam.cost[b] = costs
			fam.entries = append(fam.entries, entry{b, meanCost(s, b)})
		}
	}
	if len(fam.entries) == 0 {
		return nil, noData(fmt.Sprintf("no rows for OnePassProve, Sign and the like via=protocol on curves of %d bits or more, or on %s", measured.Strong, weakShown))
	}
	arrange(fam.entries)
	for _, op := range familyOps {
		if there[op] {
			fam.ops = append(fam.ops, op)
		}
	}
	fam.scale = logAxis(smallest, largest, "time in µs, logarithmic (←\u00a0less\u00a0is\u00a0better)")
	f.Caption = "OnePassProve and OnePassVerify are the two sides of the login in one message, FullClientKey and FullServerKey those of the key agreement of M-Pin Full; " +
		"PINError finds how far a wrong PIN was off; Sign and VerifySignature are signatures under an identity. " +
		"All charts have the same axis; intervals can be narrower than the dots."
	f.Caption += d.footnotes(s, fam.entries, true)
	f.Alt = fam.alt()
	f.lay = func(width vg.Length) sheet { return fam.panels(d, s, width) }
	return f, nil
}

// alt names the cheapest backend of each operation.
func (f *family) alt() string {
	alt := fmt.Sprintf("Small charts of %d operations with dots on a logarithmic time axis for %d backends.", len(f.ops), len(f.entries))
	for _, op := range f.ops {
		var least *bench.Row
		for _, e := range f.entries {
			if row := f.cost[e.backend][op]; row != nil && (least == nil || row.Median < least.Median) {
				least = row
			}
		}
		alt += fmt.Sprintf(" Least for %s: %s with %s µs.", op, least.Key.BackendID(), number.Plain(micros(least).Mid))
	}
	return alt
}

// panels sets one small chart an operation side by side, with the names of the
// backends at the left of each line of charts.
func (f *family) panels(d *Data, s *measured.Set, width vg.Length) sheet {
	names := make([]string, len(f.entries))
	nameWidth := vg.Length(0)
	for i, e := range f.entries {
		names[i] = d.fullName(s, e.backend)
		nameWidth = max(nameWidth, smallType.width(names[i]))
	}
	nameWidth += 5
	values := vg.Length(0)
	for _, costs := range f.cost {
		for _, row := range costs {
			values = max(values, smallType.width(number.Plain(micros(row).Mid))+3)
		}
	}
	const least = 46 // the width of an axis
	field := width - 2*margin - nameWidth
	columns := max(1, min(len(f.ops), int((field+panelGap)/(least+values+panelGap))))
	panel := min(180, (field-vg.Length(columns-1)*panelGap)/vg.Length(columns))
	to := margin + nameWidth + vg.Length(columns)*(panel+panelGap) - panelGap
	height := vg.Length(len(names))*panelPitch + 4
	sheets := sheet{legendBlock(f.legend(d), width)}
	for start := 0; start < len(f.ops); start += columns {
		line := f.ops[start:min(start+columns, len(f.ops))]
		sheets = append(sheets, block{
			height: panelHead + height + panelFoot,
			draw: func(p pen, top vg.Length) {
				upper := top - panelHead
				for i, n := range names {
					ink := smallType
					if d.excluded(f.entries[i].backend) {
						ink = quietType
					}
					p.text(margin+nameWidth-5, upper-2-panelPitch*(vg.Length(i)+0.5), n, ink, right)
				}
				for i, op := range line {
					from := margin + nameWidth + vg.Length(i)*(panel+panelGap)
					p.text(from, top-panelHead/2, op, boldType, left)
					f.drawPanel(p, d, op, from, from+panel, from+panel-values, upper-height, upper)
				}
			},
		})
	}
	return append(sheets, wordsBlock(f.scale.words, margin+nameWidth, to, width))
}

// drawPanel draws one operation: the axis reaches to end, the values to to.
func (f *family) drawPanel(p pen, d *Data, op string, from, to, end, bottom, top vg.Length) {
	f.scale.below(p, from, end, bottom, top)
	at := func(v float64) vg.Length { return f.scale.at(v, from, end) }
	for i, e := range f.entries {
		y := top - 2 - panelPitch*(vg.Length(i)+0.5)
		p.line(grid, gridLine, vg.Point{X: from, Y: y}, vg.Point{X: end, Y: y})
		row := f.cost[e.backend][op]
		if row == nil {
			p.text(to, y, number.None, quietType, right)
			continue
		}
		cost, look := micros(row), f.look(d, e.backend)
		if cost.HasInterval() {
			p.line(look.color, intervalLine, vg.Point{X: at(math.Max(cost.Lo, f.scale.lo)), Y: y}, vg.Point{X: at(math.Min(cost.Hi, f.scale.hi)), Y: y})
		}
		p.glyph(at(cost.Mid), y, look)
		p.text(to, y, number.Plain(cost.Mid), smallType, right)
	}
}

// look tells the curves of the ranked level from the other.
func (f *family) look(d *Data, b measured.Backend) glyph {
	look := glyph{shape: circle, color: blue, small: true}
	if b.Bits < measured.Strong {
		look.shape, look.color = square, vermillion
	}
	if d.excluded(b) {
		look.color, look.hollow = faint, true
	}
	return look
}

// legend explains the looks in use.
func (f *family) legend(d *Data) []sample {
	var ranked, others []sample
	shown := map[string]bool{}
	for _, e := range f.entries {
		words, list := classOf(e.backend.Bits), &ranked
		if d.excluded(e.backend) {
			words, list = "† not ranked", &others
		}
		if !shown[words] {
			shown[words] = true
			*list = append(*list, marker(f.look(d, e.backend), words))
		}
	}
	return append(ranked, others...)
}
