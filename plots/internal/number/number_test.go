package number

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestForms(t *testing.T) {
	for got, want := range map[string]string{
		Plain(0): "0", Plain(1214.4): "1 214", Plain(99.96): "100", Plain(57.31): "57.3", Plain(9.996): "10.0",
		Plain(0.6123): "0.612", Plain(0.00812): "0.00812", Plain(-12.04): "−12.0", Plain(1234567): "1 234 567",
		Plain(math.NaN()): "–", Plain(math.Inf(1)): "–",
		Int(999): "999", Int(-1000): "−1 000",
		Interval(1201.2, 1226): "1 201–1 226",
		Percent(0.0083):        "0.8", Percent(0.123): "12", Percent(-0.02): "−2.0", Percent(math.NaN()): "–",
		Signed(0.0061): "+0.6", Signed(-0.024): "−2.4", Signed(0.0001): "0.0", Signed(-0.0001): "0.0", Signed(0.35): "+35",
		Times(1.17): "1.2", Times(9.97): "10.0", Times(123.4): "123",
		Duration(59 * time.Second): "59 s", Duration(171 * time.Second): "2 min 51 s", Duration(2*time.Hour + 3*time.Minute): "2 h 3 min",
		List(nil): "", List([]string{"a"}): "a", List([]string{"a", "b", "c"}): "a, b and c",
	} {
		if shown := strings.ReplaceAll(got, Thin, " "); shown != want {
			t.Errorf("%q, not %q", shown, want)
		}
	}
}

func TestReasons(t *testing.T) {
	var r Reasons
	r.Add("a", "slow")
	r.Add("b", "broken")
	r.Add("c", "slow")
	if got := r.String(); got != "a and c (slow); b (broken)" {
		t.Errorf("%q", got)
	}
}
