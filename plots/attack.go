package plots

import (
	"fmt"
	"math"

	"gonum.org/v1/plot/vg"

	"mpinlab/bench/attack"
	"mpinlab/plots/internal/measured"
	"mpinlab/plots/internal/number"
)

const (
	attackName  = "attack"
	attackTitle = "Time to find a six-digit PIN with a stolen token and the server secret, by backend"
	// attackDigits is the length of the PINs in the figure.
	attackDigits = 6
)

// searches are the ways of searching, with their looks.
var searches = []struct {
	method, meaning string
	glyph           glyph
}{
	{attack.ByPairing, "a pairing product a guess", glyph{shape: circle, color: blue}},
	{attack.ByPowers, "a multiplication in GT a guess", glyph{shape: square, color: vermillion}},
	{attack.BySquareRoot, "baby steps and giant steps", glyph{shape: triangle, color: green}},
}

// Attack draws what a search for a PIN costs where the server secret is known.
func Attack(d *Data) (*Figure, error) {
	if d.Attack == nil || len(d.Attack.Search) == 0 {
		return nil, noData("no recorded attack costs (mpin attack)")
	}
	costs := map[measured.Backend]map[string]float64{}
	smallest, largest := math.Inf(1), 0.0
	for _, row := range d.Attack.Search {
		if row.Digits != attackDigits {
			continue
		}
		b := backendNamed(row.Backend)
		if costs[b] == nil {
			costs[b] = map[string]float64{}
		}
		costs[b][row.Method] = row.Seconds
		smallest, largest = math.Min(smallest, row.Seconds), math.Max(largest, row.Seconds)
	}
	var entries []entry
	for b, c := range costs {
		if c[attack.ByPairing] > 0 {
			entries = append(entries, entry{b, c[attack.ByPairing]})
		}
	}
	if len(entries) == 0 {
		return nil, noData(fmt.Sprintf("no search for PINs of %d digits", attackDigits))
	}
	arrange(entries)
	scale := logAxis(smallest, largest, "seconds for all PINs on one core, logarithmic (more\u00a0is\u00a0harder\u00a0→)")
	s := measured.New(nil)
	var rows []row
	for _, e := range entries {
		r := d.newRow(s, e.backend, false)
		c := costs[e.backend]
		for _, way := range searches {
			value := number.None
			if c[way.method] > 0 {
				value = number.Plain(c[way.method])
			}
			r.values = append(r.values, value)
		}
		r.mark = func(p pen, at func(float64) vg.Length, y vg.Length) {
			for k, way := range searches {
				if v := c[way.method]; v > 0 {
					p.glyph(at(v), y+dodge(k, len(searches)), way.glyph)
				}
			}
		}
		rows = append(rows, r)
	}
	var legend []sample
	var columns []column
	for _, way := range searches {
		look := way.glyph
		legend = append(legend, marker(look, way.meaning))
		columns = append(columns, column{"s", &look})
	}
	first := entries[0]
	f := &Figure{
		Caption: "With s·Q a thief tells a right PIN from a wrong one by himself. The first two ways are computed from measured guesses, the third was carried out. " +
			"Without s·Q there is no such search: the token fits every PIN.",
		Alt: fmt.Sprintf("Dots on a logarithmic axis of seconds for %d backends. On %s: %s s by pairings, %s s by baby steps and giant steps.", len(entries),
			first.backend.ID(), number.Plain(costs[first.backend][attack.ByPairing]), number.Plain(costs[first.backend][attack.BySquareRoot])),
		Source: settings(d.Attack.Environment, "shortest of three runs each"),
	}
	f.Caption += d.footnotes(s, entries, false)
	f.lay = func(width vg.Length) sheet {
		c := chart{axis: scale, columns: columns, rows: rows, guides: true, room: 4}
		return append(sheet{legendBlock(legend, width)}, c.blocks(width)...)
	}
	return f, nil
}
