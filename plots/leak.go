package plots

import (
	"fmt"
	"image/color"
	"sort"
	"strings"
	"time"

	"gonum.org/v1/plot/vg"

	"mpinlab/backends"
	"mpinlab/bench/leak"
	"mpinlab/bench/rawjson"
	"mpinlab/plots/internal/measured"
	"mpinlab/plots/internal/number"
)

const (
	leakName  = "leak"
	leakTitle = "Does the time depend on the secret? Greatest |t| of fixed against random secrets"
)

// leakHeads are the headings of the matrix, in two lines that fit a column.
var leakHeads = map[string][2]string{
	"IssueClientShare": {"issue", "share"}, "ClientPass1": {"pass", "1"}, "ClientPass2": {"pass", "2"},
	"SetPIN": {"set", "PIN"}, "RestorePIN": {"enter", "PIN"}, "DecodeToken": {"read", "token"},
}

// Grounds of cells by verdict, light enough for black numbers.
var leakGrounds = map[leak.Verdict]color.Color{
	leak.NotSeen:   color.RGBA{R: 0xcf, G: 0xeb, B: 0xe2, A: 255},
	leak.Suspected: color.RGBA{R: 0xfb, G: 0xe6, B: 0xa2, A: 255},
	leak.Leaks:     color.RGBA{R: 0xf4, G: 0xb5, B: 0x8c, A: 255},
}

// leakRow is a backend's line of the matrix.
type leakRow struct {
	measured.Backend
	cells []*leak.Row
}

// Leak draws the matrix of the timing test: backends down, operations across.
func Leak(d *Data) (*Figure, error) {
	r := d.Leak
	if r == nil || len(r.Backends()) == 0 {
		return nil, noData("no recorded timing test (mpin leak)")
	}
	if err := r.Valid(); err != nil {
		return nil, noData(err.Error())
	}
	var rows []leakRow
	counts := map[leak.Verdict]int{}
	for _, id := range r.Backends() {
		row := leakRow{Backend: backendNamed(id)}
		for _, o := range leak.Operations() {
			cell := r.Find(o.Name, id)
			row.cells = append(row.cells, cell)
			if cell != nil {
				counts[cell.Verdict]++
			}
		}
		rows = append(rows, row)
	}
	sort.SliceStable(rows, func(i, j int) bool {
		if a, b := rows[i].Bits >= measured.Strong, rows[j].Bits >= measured.Strong; a != b {
			return a
		}
		return rows[i].Curve < rows[j].Curve
	})
	early, constant := r.Find(leak.EarlyExit, leak.Planted), r.Find(leak.ConstantTime, leak.Planted)
	f := &Figure{
		Caption: fmt.Sprintf("Each cell is the greatest |t| over the fixed secrets (a drawn one and an extreme one) and the crops. From %d on the time depends on the secret. "+
			"The same test gave %s for a planted comparison with an early exit and %s for one in constant time. "+
			"“Not seen” says what this number of samples on this machine did not show; it is no proof of constant time.",
			leak.Certain, leak.Amount(early.T), leak.Amount(constant.T)),
		Alt: fmt.Sprintf("Matrix of %d backends and %d operations. %d cells show a difference, %d are suspected, %d show none.",
			len(rows), len(leak.Operations()), counts[leak.Leaks], counts[leak.Suspected], counts[leak.NotSeen]),
		Source: settings(r.Environment, fmt.Sprintf("%s samples a row", number.Int(r.Samples))),
	}
	f.lay = func(width vg.Length) sheet {
		return sheet{legendBlock(leakLegend(), width), leakMatrix(rows, width)}
	}
	return f, nil
}

func leakLegend() (list []sample) {
	for _, v := range []struct {
		verdict leak.Verdict
		words   string
	}{
		{leak.NotSeen, fmt.Sprintf("not seen (below %g)", leak.Noise)},
		{leak.Suspected, "suspected"},
		{leak.Leaks, fmt.Sprintf("depends on the secret (bold, %d and more)", leak.Certain)},
	} {
		list = append(list, sample{v.words, func(p pen, x, y vg.Length) {
			at := box(x, y-4, x+12, y+4)
			p.fill(at, leakGrounds[v.verdict])
			p.outline(at, faint)
		}})
	}
	return list
}

// leakMatrix lays the cells out.
func leakMatrix(rows []leakRow, width vg.Length) block {
	const head, pitch, gap = 24.0, 14.0, 7.0
	curves, libraries := vg.Length(0), vg.Length(0)
	height := vg.Length(head + 4)
	for i, r := range rows {
		curves, libraries = max(curves, smallType.width(r.Curve)), max(libraries, smallType.width(r.Library))
		height += pitch
		if i > 0 && rows[i-1].Curve != r.Curve {
			height += groupGap
		}
	}
	from := margin + curves + gap + libraries + 5
	each := (width - margin - from) / vg.Length(len(leak.Operations()))
	return block{height: height, draw: func(p pen, top vg.Length) {
		for k, o := range leak.Operations() {
			x := from + each*(vg.Length(k)+0.5)
			for line, word := range leakHeads[o.Name] {
				p.text(x, top-6-10*vg.Length(line), word, quietType, centre)
			}
		}
		y := top - head
		for i, r := range rows {
			if i > 0 && rows[i-1].Curve != r.Curve {
				y -= groupGap
			}
			y -= pitch
			middle := y + pitch/2
			if i == 0 || rows[i-1].Curve != r.Curve {
				p.text(margin, middle, r.Curve, smallType, left)
			}
			p.text(from-5, middle, r.Library, smallType, right)
			for k, cell := range r.cells {
				x := from + each*vg.Length(k)
				at := box(x+0.7, y+0.7, x+each-0.7, y+pitch-0.7)
				if cell == nil {
					p.text(x+each/2, middle, number.None, quietType, centre)
					continue
				}
				p.fill(at, leakGrounds[cell.Verdict])
				ink := smallType
				if cell.Verdict == leak.Leaks {
					ink = boldType
				}
				p.text(x+each/2, middle, leak.Amount(cell.T), ink, centre)
			}
		}
	}}
}

// backendNamed is the backend of an id.
func backendNamed(id string) measured.Backend {
	library, curve, _ := strings.Cut(id, "/")
	b := measured.Backend{Library: library, Curve: curve}
	if c, err := backends.ParseCurve(curve); err == nil {
		b.Bits = c.Params().SecurityBits
	}
	return b
}

// settings tells in words where and when something was measured that is not in
// the results of the figure's page.
func settings(env rawjson.Settings, more string) string {
	var parts []string
	if cpu := env.Get("cpu"); cpu != "" {
		if cores := env.Get("cores"); cores != "" {
			cpu += ", " + cores + " cores"
		}
		parts = append(parts, cpu)
	}
	if date := env.Get("date"); date != "" {
		if t, err := time.Parse(time.RFC3339, date); err == nil {
			date = t.UTC().Format("2 January 2006, 15:04 UTC")
		}
		parts = append(parts, date)
	}
	if version := env.Get("go"); version != "" {
		parts = append(parts, "Go "+strings.TrimPrefix(version, "go"))
	}
	return strings.Join(append(parts, more), "; ") + "."
}
