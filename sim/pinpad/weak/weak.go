// Package weak tells PINs that many people choose, so that a page can advise
// against them. It advises only: three attempts at one in ten thousand protect a
// PIN that is not among the first guesses of everybody.
package weak

// Reason is why a PIN is weak; the zero value means that it is not.
type Reason string

// The reasons.
const (
	None     Reason = ""
	Repeated Reason = "repeated" // one digit, or a short group again and again: 1111, 1212, 123123
	Sequence Reason = "sequence" // digits in a row, up or down: 3456, 9876, 7890
	Date     Reason = "date"     // a year of birth or a day and month: 1984, 3112, 311284
	Pattern  Reason = "pattern"  // a way over the keys: 2580, 1397
)

// Check looks at the digits of a PIN as ASCII. It keeps no copy. Variable-time:
// it runs where the PIN is chosen, before there is anything to steal.
func Check(digits []byte) Reason {
	for _, d := range digits {
		if d < '0' || d > '9' {
			return None
		}
	}
	switch {
	case len(digits) < 4:
		return None
	case repeats(digits):
		return Repeated
	case runs(digits):
		return Sequence
	case isDate(digits):
		return Date
	case isPattern(digits):
		return Pattern
	}
	return None
}

// repeats tells whether the digits are one group of at most half their number,
// again and again, perhaps cut off.
func repeats(d []byte) bool {
	for group := 1; group <= len(d)/2; group++ {
		same := true
		for i := group; i < len(d) && same; i++ {
			same = d[i] == d[i-group]
		}
		if same {
			return true
		}
	}
	return false
}

// runs tells whether each digit is one more than the one before, or each one
// less; 0 comes after 9.
func runs(d []byte) bool {
	up, down := true, true
	for i := 1; i < len(d); i++ {
		step := (int(d[i]) - int(d[i-1]) + 10) % 10
		up = up && step == 1
		down = down && step == 9
	}
	return up || down
}

func number(d []byte) int {
	n := 0
	for _, c := range d {
		n = 10*n + int(c-'0')
	}
	return n
}

// isDate tells years from 1920 to 2039, day and month in either order, and both
// with two digits of a year or with four.
func isDate(d []byte) bool {
	year := func(d []byte) bool { n := number(d); return n >= 1920 && n < 2040 }
	day := func(d []byte) bool {
		a, b := number(d[:2]), number(d[2:])
		return a >= 1 && b >= 1 && (a <= 31 && b <= 12 || a <= 12 && b <= 31)
	}
	switch len(d) {
	case 4:
		return year(d) || day(d)
	case 6:
		return day(d[:4]) || day(d[2:])
	case 8:
		return day(d[:4]) && year(d[4:]) || day(d[4:]) && year(d[:4])
	}
	return false
}

// patterns are the columns, corners and diagonals of the keys that surveys find
// among the most frequent PINs.
var patterns = []string{"2580", "0852", "1470", "0741", "3690", "0963", "1397", "1793", "7931", "9713", "1379", "1590", "1478", "1236", "147258", "147369", "159753", "159357", "258036", "142536"}

func isPattern(d []byte) bool {
	for _, p := range patterns {
		if string(d) == p {
			return true
		}
	}
	return false
}
