package opcount

import (
	"os/exec"
	"testing"
)

// TestFile reads what is in the file.
func TestFile(t *testing.T) {
	curves := map[string]map[string]Count{}
	for _, c := range All() {
		if curves[c.Curve] == nil {
			curves[c.Curve] = map[string]Count{}
		}
		curves[c.Curve][c.Op] = c
		if c.Mul <= 0 || c.Sqr <= 0 || c.Add <= 0 {
			t.Errorf("%+v", c)
		}
	}
	if len(curves) < 6 {
		t.Errorf("%d curves", len(curves))
	}
	for name, ops := range curves {
		whole, check, miller, final := ops["ServerVerify"], ops["PairCheck2"], ops["MillerLoop"], ops["FinalExp"]
		if whole.Mul <= check.Mul || check.Mul < miller.Mul+final.Mul {
			t.Errorf("%s: the whole is less than its parts: %+v", name, ops)
		}
	}
	for _, bad := range []string{"", "a,b\n", "curve,suite,op,mul,sqr,inv,sqrt,legendre,add\nx,y,z,1,2,3,4,5,six\n"} {
		if _, err := parse(bad); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

// TestCountedAgain counts in a metered build.
func TestCountedAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a program")
	}
	out, err := exec.Command("go", "test", "-tags", "meter", "-run", "^TestCounts$", ".").CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
