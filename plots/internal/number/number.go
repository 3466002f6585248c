// Package number writes numbers as the figures and the page show them: the
// same quantity has the same digits wherever it stands.
package number

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// Thin separates groups of three digits, and a number from its unit. It is
// narrow, and no line is broken at it.
const Thin = "\u202f"

// None stands where there is no number.
const None = "–"

// Plain writes a measured value: as a whole number from 100 up, with three
// significant digits below.
func Plain(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return None
	}
	if v == 0 {
		return "0"
	}
	decimals := 0
	for shown := math.Abs(v); shown < 99.95 && decimals < 9; shown *= 10 {
		decimals++
	}
	return group(strconv.FormatFloat(v, 'f', decimals, 64))
}

// Int writes a count.
func Int(n int) string { return group(strconv.Itoa(n)) }

// Interval writes the two ends of an interval of measured values.
func Interval(lo, hi float64) string { return Plain(lo) + "–" + Plain(hi) }

// Percent writes a fraction as a percentage without a sign or a unit: one
// decimal below ten, none above.
func Percent(fraction float64) string {
	v := 100 * fraction
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return None
	}
	if math.Abs(v) < 9.95 {
		return minus(strconv.FormatFloat(v, 'f', 1, 64))
	}
	return group(strconv.FormatFloat(v, 'f', 0, 64))
}

// Signed is Percent with the sign that a change has.
func Signed(fraction float64) string {
	s := Percent(fraction)
	if strings.Trim(s, "0.−") == "" {
		return strings.TrimPrefix(s, "−")
	}
	if fraction > 0 && s != None {
		return "+" + s
	}
	return s
}

// Times writes the ratio of two measured values, with two significant digits
// below ten.
func Times(ratio float64) string {
	if ratio < 9.95 {
		return strconv.FormatFloat(ratio, 'f', 1, 64)
	}
	return Plain(math.Round(ratio))
}

// Duration writes how long something took, to the second.
func Duration(d time.Duration) string {
	s := int(d.Round(time.Second) / time.Second)
	switch {
	case s < 60:
		return strconv.Itoa(s) + Thin + "s"
	case s < 3600:
		return strconv.Itoa(s/60) + Thin + "min " + strconv.Itoa(s%60) + Thin + "s"
	default:
		return Int(s/3600) + Thin + "h " + strconv.Itoa(s%3600/60) + Thin + "min"
	}
}

// List joins words as English does: "a", "a and b", "a, b and c".
func List(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

// group puts Thin between groups of three digits before the decimal point.
func group(s string) string {
	s = minus(s)
	sign := ""
	if strings.HasPrefix(s, "−") {
		sign, s = "−", strings.TrimPrefix(s, "−")
	}
	whole, fraction, _ := strings.Cut(s, ".")
	var b strings.Builder
	b.WriteString(sign)
	for i, digit := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteString(Thin)
		}
		b.WriteRune(digit)
	}
	if fraction != "" {
		b.WriteString("." + fraction)
	}
	return b.String()
}

// minus replaces a leading hyphen by the minus sign.
func minus(s string) string {
	if strings.HasPrefix(s, "-") {
		return "−" + s[1:]
	}
	return s
}
