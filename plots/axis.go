package plots

import (
	"math"

	"gonum.org/v1/plot/vg"

	"mpinlab/plots/internal/number"
)

// axis maps values to places, linearly or logarithmically.
type axis struct {
	lo, hi float64
	log    bool
	// words says what is measured, in which unit, and which way is better.
	words string
	// write makes the labels; nil stands for number.Plain.
	write func(float64) string
}

// fromZero returns a linear axis from 0 that ends at the largest value.
func fromZero(largest float64, words string) axis {
	if largest <= 0 {
		largest = 1
	}
	return axis{hi: largest, words: words}
}

// logAxis returns a logarithmic axis over the values, which must be positive,
// with ends of the form 1, 2 or 5 times a power of ten.
func logAxis(smallest, largest float64, words string) axis {
	a := axis{lo: oneTwoFive(smallest, -1), hi: oneTwoFive(largest, 1), log: true, words: words}
	if a.lo == a.hi {
		a.hi = oneTwoFive(a.hi*1.5, 1)
	}
	return a
}

// at returns the place of v on a line between two places.
func (a axis) at(v float64, from, to vg.Length) vg.Length {
	part := (v - a.lo) / (a.hi - a.lo)
	if a.log {
		part = math.Log(v/a.lo) / math.Log(a.hi/a.lo)
	}
	return from + (to-from)*vg.Length(part)
}

// tick is a mark on an axis; those without a label are short.
type tick struct {
	value float64
	label string
}

// ticks chooses marks whose labels keep a distance on an axis of the given
// length. extent is the room that a label takes along the axis.
func (a axis) ticks(length vg.Length, extent func(label string) vg.Length) []tick {
	if a.log {
		return a.logTicks(length, extent)
	}
	for parts := 8; parts > 1; parts-- {
		marks := a.linearTicks(parts)
		if a.fit(marks, length, extent) {
			return marks
		}
	}
	return a.linearTicks(1)
}

func (a axis) linearTicks(parts int) []tick {
	step := oneTwoFive((a.hi-a.lo)/float64(parts), 1)
	var marks []tick
	for k := math.Ceil(a.lo/step - 1e-9); k*step <= a.hi*(1+1e-9)+1e-12; k++ {
		v := k*step + 0 // not -0
		marks = append(marks, tick{v, a.text(v)})
	}
	return marks
}

// logTicks marks 1, 2 and 5 in each decade, and labels as many as fit: all,
// or the powers of ten, or every second of these, and so on. An axis that does
// not begin above zero has no decades and no marks.
func (a axis) logTicks(length vg.Length, extent func(string) vg.Length) []tick {
	if !(a.lo > 0 && a.hi >= a.lo && a.hi <= math.MaxFloat64) {
		return nil
	}
	for thin := 0; ; thin++ {
		var marks []tick
		for e := math.Floor(math.Log10(a.lo)) - 1; e <= math.Ceil(math.Log10(a.hi)); e++ {
			for _, m := range []float64{1, 2, 5} {
				v := m * math.Pow(10, e)
				if v < a.lo*(1-1e-9) || v > a.hi*(1+1e-9) {
					continue
				}
				label := ""
				if thin == 0 || m == 1 && math.Mod(e, float64(thin)) == 0 {
					label = a.text(v)
				}
				marks = append(marks, tick{v, label})
			}
		}
		if thin > 9 || a.fit(marks, length, extent) {
			return marks
		}
	}
}

// fit reports whether neighbouring labels keep a distance.
func (a axis) fit(marks []tick, length vg.Length, extent func(string) vg.Length) bool {
	end := vg.Length(math.Inf(-1))
	for _, m := range marks {
		if m.label == "" {
			continue
		}
		at, half := a.at(m.value, 0, length), extent(m.label)/2
		if at-half < end+7 {
			return false
		}
		end = at + half
	}
	return true
}

func (a axis) text(v float64) string {
	if a.write != nil {
		return a.write(v)
	}
	return trimZeros(number.Plain(v))
}

// trimZeros takes the zeros off that a measured value would have kept.
func trimZeros(s string) string {
	for i, r := range s {
		if r == '.' {
			end := len(s)
			for end > i+1 && s[end-1] == '0' {
				end--
			}
			if end == i+1 {
				end = i
			}
			return s[:end]
		}
	}
	return s
}

// oneTwoFive rounds a positive value up (direction 1) or down (-1) to 1, 2 or
// 5 times a power of ten.
func oneTwoFive(v float64, direction int) float64 {
	const slack = 1e-9
	power := math.Pow(10, math.Floor(math.Log10(v)))
	if direction > 0 {
		for _, m := range []float64{1, 2, 5} {
			if v <= m*power*(1+slack) {
				return m * power
			}
		}
		return 10 * power
	}
	for _, m := range []float64{5, 2} {
		if v >= m*power*(1-slack) {
			return m * power
		}
	}
	return power
}

// below draws the axis under a field that reaches from bottom to top, with its
// grid lines.
func (a axis) below(p pen, from, to, bottom, top vg.Length) {
	for _, t := range a.ticks(to-from, smallType.width) {
		x := a.at(t.value, from, to)
		length := vg.Length(tickLength)
		if t.label == "" {
			length /= 2
		} else {
			p.line(grid, gridLine, vg.Point{X: x, Y: bottom}, vg.Point{X: x, Y: top})
			p.text(x, bottom-tickLength-6, t.label, smallType, centre)
		}
		p.line(black, axisLine, vg.Point{X: x, Y: bottom}, vg.Point{X: x, Y: bottom - length})
	}
	p.line(black, axisLine, vg.Point{X: from, Y: bottom}, vg.Point{X: to, Y: bottom})
}

// beside draws the axis at the left of a field, with its grid lines.
func (a axis) beside(p pen, bottom, top, from, to vg.Length) {
	high := func(string) vg.Length { return smallSize }
	for _, t := range a.ticks(top-bottom, high) {
		y := a.at(t.value, bottom, top)
		length := vg.Length(tickLength)
		if t.label == "" {
			length /= 2
		} else {
			p.line(grid, gridLine, vg.Point{X: from, Y: y}, vg.Point{X: to, Y: y})
			p.text(from-tickLength-2, y, t.label, smallType, right)
		}
		p.line(black, axisLine, vg.Point{X: from, Y: y}, vg.Point{X: from - length, Y: y})
	}
	p.line(black, axisLine, vg.Point{X: from, Y: bottom}, vg.Point{X: from, Y: top})
}

// overhang returns by how much the label of a horizontal axis' last tick would
// pass the edge of the sheet.
func (a axis) overhang(from, to, width vg.Length) vg.Length {
	over := vg.Length(0)
	for _, t := range a.ticks(to-from, smallType.width) {
		if t.label != "" {
			over = max(over, a.at(t.value, from, to)+smallType.width(t.label)/2-(width-2))
		}
	}
	return over
}

// Heights under a field: the labels of the ticks, and the words.
const ticksHeight = tickLength + 11

// wordsBlock writes an axis' words, centred under the field and in as many
// lines as they need.
func wordsBlock(words string, from, to, width vg.Length) block {
	const leading = 11.5
	room := min(width-2*margin, 2*min((from+to)/2-margin, width-margin-(from+to)/2))
	if room < 150 {
		room = width - 2*margin
	}
	lines := wrap(words, wordsType, room)
	return block{
		height: vg.Length(leading * float64(len(lines))),
		draw: func(p pen, top vg.Length) {
			for i, line := range lines {
				x := (from + to) / 2
				half := wordsType.width(line) / 2
				x = max(margin+half, min(width-margin-half, x))
				p.text(x, top-vg.Length(leading*(float64(i)+0.5)), line, wordsType, centre)
			}
		},
	}
}
