package plots

import (
	"fmt"
	"sort"
	"strconv"
	"strings"

	"gonum.org/v1/plot/vg"

	"mpinlab/plots/internal/number"
)

const (
	sizesName  = "sizes"
	sizesTitle = "Sizes of keys and messages, by curve, uncompressed and compressed"
)

// ByteSizes are the sizes in bytes of what M-Pin stores and sends. U is what
// pass 1 carries besides the identity, V is pass 2.
type ByteSizes struct{ Token, ClientSecret, ServerSecret, U, V int }

// list gives the sizes in the order of sizeNames.
func (b ByteSizes) list() [5]int {
	return [5]int{b.Token, b.ClientSecret, b.ServerSecret, b.U, b.V}
}

var sizeNames = [5]string{"token", "client secret", "server secret", "pass 1 (U)", "pass 2 (V)"}

// SizeRow is the sizes in one suite. Compressed is zero where a suite has no
// compressed encodings.
type SizeRow struct {
	// Suite is the dialect, "rfc9380"; Curve is "bls12-381".
	Suite, Curve     string
	Full, Compressed ByteSizes
}

// Sizes draws the sizes of keys and messages. Things that have one size in
// every suite share a marker.
func Sizes(d *Data) (*Figure, error) {
	list := mergeSuites(d.Sizes)
	if len(list) == 0 {
		return nil, noData("no sizes were given")
	}
	kinds := sizeKinds(list)
	if len(kinds) > len(kindGlyphs) {
		kinds = kinds[:len(kindGlyphs)]
	}
	largest, least := 0, list[0]
	for _, r := range list {
		for _, v := range r.Full.list() {
			largest = max(largest, v)
		}
		if r.Full.U < least.Full.U {
			least = r
		}
	}
	scale := fromZero(float64(largest), "size in bytes (←\u00a0less\u00a0is\u00a0better)")
	f := &Figure{
		Caption: "Filled markers are uncompressed encodings, hollow ones compressed, which cost the receiver a square root each. " +
			"Pass 1 also carries the identity, as long as it is.",
		Alt: fmt.Sprintf("Markers for %d rows. The shortest messages are on %s: U takes %d bytes, %d compressed.",
			len(list), least.Curve, least.Full.U, least.Compressed.U),
	}
	var rows []row
	for _, s := range list {
		r := row{group: s.Curve, label: s.Suite}
		for _, k := range kinds {
			r.values = append(r.values, sizePair(s, k[0]))
		}
		r.mark = func(p pen, at func(float64) vg.Length, y vg.Length) {
			for i, k := range kinds {
				drawSizes(p, at, y+dodge(i, len(kinds)), s.Full.list()[k[0]], s.Compressed.list()[k[0]], kindGlyphs[i])
			}
		}
		rows = append(rows, r)
	}
	var legend []sample
	var columns []column
	for i, k := range kinds {
		legend = append(legend, marker(kindGlyphs[i], kindName(k)))
		columns = append(columns, column{"bytes", &kindGlyphs[i]})
	}
	f.lay = func(width vg.Length) sheet {
		c := chart{axis: scale, rows: rows, columns: columns, guides: true, room: 8}
		return append(sheet{legendBlock(legend, width)}, c.blocks(width)...)
	}
	return f, nil
}

var kindGlyphs = []glyph{
	{shape: circle, color: blue}, {shape: square, color: vermillion}, {shape: triangle, color: green},
	{shape: circle, color: purple}, {shape: square, color: orange},
}

// mergeSuites joins the suites of a curve that have equal sizes, and sorts
// by the size of pass 1.
func mergeSuites(given []SizeRow) []SizeRow {
	var list []SizeRow
next:
	for _, r := range given {
		for i := range list {
			if list[i].Curve == r.Curve && list[i].Full == r.Full && list[i].Compressed == r.Compressed {
				list[i].Suite += ", " + r.Suite
				continue next
			}
		}
		list = append(list, r)
	}
	suites := map[string]int{}
	for _, r := range list {
		suites[r.Curve]++
	}
	for i := range list {
		if suites[list[i].Curve] == 1 {
			list[i].Suite = "" // the curve says it all
		}
	}
	smallest := map[string]ByteSizes{}
	for _, r := range list {
		if have, ok := smallest[r.Curve]; !ok || r.Full.U < have.U {
			smallest[r.Curve] = r.Full
		}
	}
	sort.SliceStable(list, func(i, j int) bool {
		a, b := list[i], list[j]
		x, y := smallest[a.Curve], smallest[b.Curve]
		switch {
		case a.Curve == b.Curve:
			return a.Full.U < b.Full.U
		case x.U != y.U:
			return x.U < y.U
		case x.ServerSecret != y.ServerSecret:
			return x.ServerSecret < y.ServerSecret
		}
		return a.Curve < b.Curve
	})
	return list
}

// sizeKinds groups the indices of sizeNames by what has equal sizes in every
// row.
func sizeKinds(list []SizeRow) [][]int {
	var kinds [][]int
	at := map[string]int{}
	for i := range sizeNames {
		var all strings.Builder
		for _, r := range list {
			fmt.Fprint(&all, r.Full.list()[i], "/", r.Compressed.list()[i], " ")
		}
		k, ok := at[all.String()]
		if !ok {
			k = len(kinds)
			at[all.String()] = k
			kinds = append(kinds, nil)
		}
		kinds[k] = append(kinds[k], i)
	}
	return kinds
}

func kindName(kind []int) string {
	var words []string
	for _, i := range kind {
		words = append(words, sizeNames[i])
	}
	return number.List(words)
}

// sizePair writes the two sizes of a thing: "96 / 48".
func sizePair(r SizeRow, i int) string {
	full, compressed := r.Full.list()[i], r.Compressed.list()[i]
	if compressed == 0 {
		return strconv.Itoa(full)
	}
	return fmt.Sprintf("%d / %d", full, compressed)
}

// drawSizes draws the two sizes of a thing, joined by a line.
func drawSizes(p pen, at func(float64) vg.Length, y vg.Length, full, compressed int, g glyph) {
	if compressed > 0 {
		p.line(g.color, 1, vg.Point{X: at(float64(compressed)), Y: y}, vg.Point{X: at(float64(full)), Y: y})
		hollow := g
		hollow.hollow = true
		p.glyph(at(float64(compressed)), y, hollow)
	}
	p.glyph(at(float64(full)), y, g)
}
