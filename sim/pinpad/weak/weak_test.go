package weak

import (
	"fmt"
	"testing"
)

func TestCheck(t *testing.T) {
	for digits, want := range map[string]Reason{
		"0000": Repeated, "1212": Repeated, "123123": Repeated, "777777": Repeated, "12121": Repeated,
		"1234": Sequence, "9876": Sequence, "7890": Sequence, "3210": Sequence, "456789": Sequence,
		"1984": Date, "2024": Date, "3112": Date, "0704": Date, "311284": Date, "841231": Date, "31121984": Date,
		"2580": Pattern, "1397": Pattern,
		"4739": None, "8264": None, "907346": None, "5081": None, "50819274": None,
		"": None, "12": None, "12a4": None,
	} {
		if got := Check([]byte(digits)); got != want {
			t.Errorf("%q is %q, not %q", digits, got, want)
		}
	}
}

// TestShare keeps the advice from ruling out what people could still choose.
func TestShare(t *testing.T) {
	for _, n := range []int{4, 6} {
		limit, all := 0, 1
		for range n {
			all *= 10
		}
		for i := range all {
			if Check(fmt.Appendf(nil, "%0*d", n, i)) != None {
				limit++
			}
		}
		if limit*10 > all*2 {
			t.Errorf("%d of %d PINs of %d digits are called weak", limit, all, n)
		}
	}
}

func FuzzCheck(f *testing.F) {
	for _, s := range []string{"", "1234", "111111", "\x00\xff99", "123456789012"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		before := string(b)
		Check(b)
		if string(b) != before {
			t.Error("the digits were changed")
		}
	})
}
