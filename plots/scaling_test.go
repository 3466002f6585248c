package plots

import (
	"math"
	"os"
	"strings"
	"testing"

	"mpinlab/bench"
	"mpinlab/plots/internal/plotstest"
)

// grownResults makes rows of every sweep on two backends, each growing by a
// known law.
func grownResults() *bench.Results {
	r := plotstest.Environment()
	add := func(op, nName string, n, procs int, backend string, cost float64) {
		row := bench.Row{Key: bench.Key{Op: op, N: n, NName: nName, Suite: "rfc9380", Curve: "bls12-381", Backend: backend, Via: "protocol", Procs: procs}}
		for i := range 8 {
			row.Samples = append(row.Samples, cost*(1+0.003*math.Sin(float64(5*i))))
			row.Counts = append(row.Counts, 1)
		}
		r.Rows = append(r.Rows, row)
	}
	for k, backend := range []string{"gnark", "blst"} {
		f := 1 + 0.3*float64(k)
		for procs := 1; procs <= 8; procs *= 2 {
			add("ServerVerifyParallel", "", 0, procs, backend, 8e5*f/float64(procs))
		}
		for n := 2.0; n <= 1024; n *= 4 {
			add("ServerVerifyBatch", "n", int(n), 1, backend, f*(6e5/n+1.2e5))
			add("ServerVerifyConcurrent", "sessions", int(n), 8, backend, f*8e5)
			add("ServerVerifyConcurrent", "sessions", int(n), 1, backend, f*8e6)
			add("SignMessage", "bytes", int(n*n), 1, backend, f*(1.9e5+0.8*n*n))
			add("CombineShares", "dtas", int(n), 1, backend, f*4e4*n)
			add("CombineThreshold", "t", int(n), 1, backend, f*4e4*n*math.Log2(n+1))
			add("IdentityLookup", "users", int(n), 1, backend, f*200)
		}
	}
	add("IdentityLookupFull", "users", 512, 1, "gnark", 300)
	add("IdentityLookupFull", "users", 2048, 1, "gnark", 5e4)
	bench.Summarise(r)
	return r
}

func TestGrowth(t *testing.T) {
	want := map[string]string{
		"ServerVerifyParallel": "linear", "ServerVerifyBatch": "linear", "ServerVerifyConcurrent": "linear", "SignMessage": "linear",
		"CombineShares": "linear", "CombineThreshold": "n log n", "IdentityLookup": "constant",
	}
	list := Growth(grownResults())
	if len(list) != 2*len(want)+1 {
		t.Fatalf("%d sweeps", len(list))
	}
	for _, g := range list {
		law, ok := want[g.Sweep.Name]
		switch {
		case !ok:
			if g.Fit != nil || g.Words() != "too few sizes to name its growth" {
				t.Errorf("%s: %s", g.Sweep.Name, g.Words())
			}
		case g.Fit == nil || g.Fit.Name != law || g.Fit.Error > 0.02:
			t.Errorf("%s on %s: %s, expected %s", g.Sweep.Name, g.Backend, g.Words(), law)
		case g.Sweep.Name == "ServerVerifyConcurrent" && g.Rows[0].Key.Procs != 8:
			t.Errorf("sessions are shown for %d cores", g.Rows[0].Key.Procs)
		}
	}
	if Growth(nil) != nil {
		t.Error("growth of nothing")
	}
}

func TestScalingAndHistory(t *testing.T) {
	full := plotstest.Full(12)
	earlier := plotstest.Full(8)
	earlier.Environment = append([]bench.Setting(nil), earlier.Environment...)
	for i := range earlier.Environment {
		if earlier.Environment[i].Key == "date" {
			earlier.Environment[i].Value = "2026-10-01T00:00:00Z"
		}
	}
	figures, omitted := All(&Data{Results: full, Sweeps: grownResults(), History: []*bench.Results{earlier}, Excluded: excluded})
	found := 0
	for _, f := range figures {
		if f.Name != scalingName && f.Name != historyName {
			continue
		}
		found++
		for form, width := range widths {
			svg, err := f.SVG(width)
			if err != nil {
				t.Fatal(err)
			}
			for _, bad := range []string{"NaN", "Inf", "%!"} {
				if strings.Contains(string(svg)+f.Caption+f.Alt, bad) {
					t.Errorf("%s %s has %s", f.Name, form, bad)
				}
			}
			png, err := f.PNG(width)
			if err != nil {
				t.Fatal(err)
			}
			if dir := os.Getenv("FIGURES"); dir != "" { // to be looked at
				if err := os.WriteFile(dir+"/"+f.Name+"-"+form+".png", png, 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if found != 2 {
		t.Errorf("%d of 2 figures; omitted %+v", found, omitted)
	}
	if _, omitted := All(&Data{Results: full, Sweeps: plotstest.Environment(), History: []*bench.Results{{}}}); !strings.Contains(strings.Join(reasonsOf(omitted), " "), "mpin bench --sweeps") {
		t.Errorf("%+v", omitted)
	}
}

func reasonsOf(list []Omitted) (texts []string) {
	for _, o := range list {
		texts = append(texts, o.Reason)
	}
	return texts
}
