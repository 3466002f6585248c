package plots

import (
	"fmt"
	"math"

	"gonum.org/v1/plot/vg"

	"mpinlab/bench"
	"mpinlab/plots/internal/measured"
	"mpinlab/plots/internal/number"
)

// series is one of the things measured in a chart of dots.
type series struct {
	meaning string
	glyph   glyph
	row     func(s *measured.Set, b measured.Backend) *bench.Row
}

// costDots makes a chart of costs on a logarithmic axis: a row a backend, a
// dot a series, the numbers in columns. missing names the rows without which
// there is nothing to draw.
func costDots(d *Data, list []series, protocol bool, missing string) (*Figure, error) {
	s := d.set()
	f := &Figure{}
	costs := map[measured.Backend][]*bench.Row{}
	var entries []entry
	smallest, largest := math.Inf(1), 0.0
	for _, b := range s.Backends() {
		found := make([]*bench.Row, len(list))
		cost := math.NaN()
		for k, one := range list {
			row := one.row(s, b)
			if row == nil {
				continue
			}
			found[k] = row
			e := micros(row)
			smallest, largest = math.Min(smallest, e.Mid), math.Max(largest, e.Mid)
			if e.HasInterval() && e.Lo > 0 {
				smallest, largest = math.Min(smallest, e.Lo), math.Max(largest, e.Hi)
			}
			if math.IsNaN(cost) {
				cost = e.Mid
			}
		}
		if !math.IsNaN(cost) {
			costs[b] = found
			entries = append(entries, entry{b, cost})
		}
	}
	if len(entries) == 0 {
		return nil, noData(missing)
	}
	arrange(entries)
	scale := logAxis(smallest, largest, "time in µs, logarithmic (←\u00a0less\u00a0is\u00a0better)")
	var rows []row
	for _, e := range entries {
		r := d.newRow(s, e.backend, protocol)
		found := costs[e.backend]
		for _, one := range found {
			value := number.None
			if one != nil {
				value = number.Plain(micros(one).Mid)
				f.Rows = append(f.Rows, one)
			}
			r.values = append(r.values, value)
		}
		r.mark = func(p pen, at func(float64) vg.Length, y vg.Length) {
			for k, one := range found {
				if one == nil {
					continue
				}
				line := y + dodge(k, len(list))
				interval(p, micros(one), scale, at, line, list[k].glyph.color)
				p.glyph(at(micros(one).Mid), line, list[k].glyph)
			}
		}
		rows = append(rows, r)
	}
	var legend []sample
	var columns []column
	for _, one := range list {
		legend = append(legend, marker(one.glyph, one.meaning))
		columns = append(columns, column{"µs", &one.glyph})
	}
	f.Caption = d.footnotes(s, entries, protocol)
	f.Alt = dotsAlt(entries, list, costs)
	f.lay = func(width vg.Length) sheet {
		c := chart{axis: scale, columns: columns, rows: rows, guides: true, room: 4}
		return append(sheet{legendBlock(legend, width)}, c.blocks(width)...)
	}
	return f, nil
}

// micros returns a row's cost in microseconds.
func micros(row *bench.Row) measured.Estimate { return measured.Of(row).Scale(1e-3) }

func dotsAlt(entries []entry, list []series, costs map[measured.Backend][]*bench.Row) string {
	alt := fmt.Sprintf("Dots on a logarithmic time axis for %d backends.", len(entries))
	for k, one := range list {
		var least *bench.Row
		for _, e := range entries {
			if row := costs[e.backend][k]; row != nil && (least == nil || row.Median < least.Median) {
				least = row
			}
		}
		if least != nil {
			alt += fmt.Sprintf(" Least for %s: %s with %s µs.", one.meaning, least.Key.BackendID(), number.Plain(micros(least).Mid))
		}
	}
	return alt
}
