package plots

import (
	"fmt"
	"image/color"

	"gonum.org/v1/plot/vg"

	"mpinlab/bench"
	"mpinlab/plots/internal/measured"
	"mpinlab/plots/internal/number"
)

const (
	breakdownName  = "breakdown"
	breakdownTitle = "Where the time of a server verification goes, by backend and curve"
)

// The parts of a verification, in the order in which they happen.
const (
	partDecode = iota
	partSubgroup
	partDecodeAll // where the subgroup check cannot be told from decoding
	partHash
	partMul
	partMiller
	partFinalExp
	partCheck // where the two cannot be told apart
	partRest
	partCount
)

// partLooks are told apart by colour and by hatch: 0 is plain, 1 rises, -1
// falls.
var partLooks = [partCount]struct {
	meaning string
	color   color.RGBA
	hatch   int
	ink     color.Color
}{
	partDecode:    {"decode U and V", sky, 0, black},
	partSubgroup:  {"subgroup checks", orange, 1, black},
	partDecodeAll: {"decode with subgroup checks (not separable)", sky, -1, black},
	partHash:      {"hash to G1", green, 0, black},
	partMul:       {"multiply y·A", yellow, -1, black},
	partMiller:    {"Miller loop", blue, 0, white},
	partFinalExp:  {"final exponentiation", vermillion, 1, black},
	partCheck:     {"pairing check (not separable)", purple, -1, black},
	partRest:      {"rest", white, 0, black},
}

// parts is a verification taken apart, in nanoseconds. rest is what the parts
// leave of the whole; it is negative where they add up to more.
type parts struct {
	backend measured.Backend
	whole   float64
	part    [partCount]float64
	rows    []*bench.Row
}

// Breakdown draws which parts a verification's time is spent on. The parts
// are measured one by one, so they need not add up to the whole.
func Breakdown(d *Data) (*Figure, error) {
	s := d.set()
	byBackend := map[measured.Backend]*parts{}
	var entries []entry
	var left number.Reasons
	for _, r := range s.Verifiers() {
		split, missing := takeApart(s, r)
		if split == nil {
			left.Add(r.Backend.ID(), missing)
			continue
		}
		byBackend[r.Backend] = split
		entries = append(entries, entry{r.Backend, split.whole})
	}
	if len(entries) == 0 {
		return nil, noData("no backend has rows for ServerVerify and for its parts (G1Decode, HashToG1, G1Mul, PairCheck2 via=interface)")
	}
	arrange(entries)

	f := &Figure{
		Caption: "Each bar is one backend's verification from bytes, 100\u202f%; its parts were measured one by one, on the same machine in the same run. " +
			"Where a bar passes 100\u202f%, its parts took longer alone than within the whole, and the rest is negative.",
		Alt: breakdownAlt(entries, byBackend),
	}
	longest := 1.0
	var used [partCount]bool
	for _, split := range byBackend {
		longest = max(longest, split.sum()/split.whole)
		for k, v := range split.part {
			used[k] = used[k] || v > 0
		}
	}
	scale := fromZero(longest, "share of the time of one verification, %")
	scale.write = func(v float64) string { return fmt.Sprintf("%.0f", 100*v) }
	var rows []row
	for _, e := range entries {
		split := byBackend[e.backend]
		f.Rows = append(f.Rows, split.rows...)
		r := d.newRow(s, e.backend, true)
		r.values = []string{number.Plain(split.whole / 1e3), number.Signed(split.part[partRest]/split.whole) + number.Thin + "%"}
		r.mark = split.draw
		rows = append(rows, r)
	}
	if len(left) > 0 {
		f.Caption += " Left out: " + left.String() + "."
	}
	f.Caption += d.footnotes(s, entries, true)
	f.lay = func(width vg.Length) sheet {
		c := chart{axis: scale, rows: rows, room: 8, columns: []column{{"whole, µs", nil}, {"rest", nil}}}
		return append(sheet{legendBlock(partLegend(used), width)}, c.blocks(width)...)
	}
	return f, nil
}

// takeApart finds the parts of a verification, or says which rows are
// missing. U and V are decoded and checked, so these parts count twice. A
// backend that prepares its G2 arguments verifies with them: its Miller loop
// is what the prepared check leaves beside the final exponentiation.
func takeApart(s *measured.Set, r measured.Ranked) (*parts, string) {
	split := &parts{backend: r.Backend, whole: r.Row.Median, rows: []*bench.Row{r.Row}}
	if dialect := s.Dialect(r.Backend); dialect != measured.DefaultDialect {
		return nil, "the " + dialect + " dialect hashes in another way"
	}
	cost := func(op string) (float64, bool) {
		row := s.Group(op, r.Backend, measured.Interface)
		if row == nil {
			return 0, false
		}
		split.rows = append(split.rows, row)
		return row.Median, true
	}
	decode, haveDecode := cost("G1Decode")
	hash, haveHash := cost("HashToG1")
	mul, haveMul := cost("G1Mul")
	check, haveCheck := cost("PairCheck2Fixed")
	prepared := haveCheck
	if !prepared {
		check, haveCheck = cost("PairCheck2")
	}
	for _, need := range []struct {
		op   string
		have bool
	}{{"G1Decode", haveDecode}, {"HashToG1", haveHash}, {"G1Mul", haveMul}, {"PairCheck2", haveCheck}} {
		if !need.have {
			return nil, "no row for " + need.op
		}
	}
	split.part[partHash], split.part[partMul] = hash, mul
	switch subgroup, ok := cost("G1InSubgroup"); {
	case !ok:
		split.part[partDecodeAll] = 2 * decode
	case subgroup >= decode:
		split.part[partSubgroup] = 2 * decode
	default:
		split.part[partSubgroup], split.part[partDecode] = 2*subgroup, 2*(decode-subgroup)
	}
	final, haveFinal := cost("FinalExp")
	miller, haveMiller := check-final, haveFinal
	if !prepared {
		miller, haveMiller = cost("MillerLoop")
	}
	if haveFinal && haveMiller && miller > 0 {
		split.part[partMiller], split.part[partFinalExp] = miller, final
	} else {
		split.part[partCheck] = check
	}
	split.part[partRest] = split.whole - split.sum()
	return split, ""
}

// sum returns the time of the parts that were measured.
func (s *parts) sum() float64 {
	total := 0.0
	for k, v := range s.part {
		if k != partRest {
			total += v
		}
	}
	return total
}

// draw stacks the parts as shares of the whole.
func (s *parts) draw(p pen, at func(float64) vg.Length, y vg.Length) {
	sum := 0.0
	for k, v := range s.part {
		if v <= 0 {
			continue
		}
		share := v / s.whole
		r := box(at(sum), y-barHeight/2-0.7, at(sum+share), y+barHeight/2+0.7)
		drawPart(p, r, k)
		sum += share
		text := fmt.Sprintf("%.0f", 100*share)
		look := partLooks[k]
		t := smallType.in(look.ink)
		x, half := (r.Min.X+r.Max.X)/2, t.width(text)/2+1.2
		if r.Max.X-r.Min.X < 2*half+2 {
			continue
		}
		if look.hatch != 0 {
			p.fill(box(x-half, y-3.8, x+half, y+3.8), look.color)
		}
		p.text(x, y, text, t, centre)
	}
	p.line(black, axisLine, vg.Point{X: at(1), Y: y - rowPitch/2}, vg.Point{X: at(1), Y: y + rowPitch/2})
}

func drawPart(p pen, r vg.Rectangle, k int) {
	look := partLooks[k]
	p.fill(r, look.color)
	if look.hatch != 0 {
		p.hatch(r, darker(look.color), 0.5, 3, look.hatch)
	}
	if k == partRest {
		p.outline(r, faint)
	}
}

// darker returns the colour of a hatch on c.
func darker(c color.RGBA) color.RGBA {
	dim := func(v uint8) uint8 { return uint8(float64(v) * 0.62) }
	return color.RGBA{R: dim(c.R), G: dim(c.G), B: dim(c.B), A: 255}
}

func partLegend(used [partCount]bool) []sample {
	var samples []sample
	for k, look := range partLooks {
		if used[k] {
			samples = append(samples, sample{look.meaning, func(p pen, x, y vg.Length) {
				drawPart(p, box(x, y-3.5, x+12, y+3.5), k)
			}})
		}
	}
	return samples
}

func breakdownAlt(entries []entry, byBackend map[measured.Backend]*parts) string {
	split := byBackend[entries[0].backend]
	var words []string
	for k, v := range split.part {
		if v > 0 {
			words = append(words, fmt.Sprintf("%s %.0f\u202f%%", partLooks[k].meaning, 100*v/split.whole))
		}
	}
	return fmt.Sprintf("Stacked bars for %d backends. Of %s: %s.", len(entries), split.backend.ID(), number.List(words))
}
