package result

import (
	"bytes"
	"encoding/csv"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/perf/benchfmt"

	"mpinlab/bench"
)

// example has numbers whose medians and ratios are known.
func example() *Run {
	return &Run{Format: Format, Started: time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC), Elapsed: 12, CPUs: 2, Notes: []string{"blst\nis missing"},
		Deployments: []*Deployment{{
			Suite: "rfc9380/bls12-381", Backend: "gnark/bls12-381", Store: "bbolt", Ready: 0.25,
			Latencies: []*Latency{{HTTP, Pass1, 100, 500, 900, 1500}, {HTTP, Whole, 100, 4000, 7000, 9000}},
			Costs: []*Cost{
				{Verifier: Single, Clients: 16, Memory: 50 << 20, Profiled: 1, Parts: map[string]float64{Cryptography: 0.75, Net: 0.25}, Samples: []Sample{
					{Logins: 100, Server: 1200, Client: 300, Elapsed: 2e5, Verify: 800},
					{Logins: 100, Server: 2400, Client: 600, Elapsed: 4e5, Verify: 1600}, // a slower moment
					{Logins: 100, Server: 1400, Client: 300, Elapsed: 2e5, Verify: 800},
				}},
				{Verifier: Batching, Clients: 512, Samples: []Sample{
					{Logins: 1000, Server: 500, Client: 300, Elapsed: 1e6, Verify: 800, Batch: 40},
					{Logins: 1000, Server: 500, Client: 300, Elapsed: 1e6, Verify: 800, Batch: 50},
					{Logins: 1000, Server: 700, Client: 300, Elapsed: 1e6, Verify: 800, Batch: 60},
				}},
			},
		}}}
}

func TestMedians(t *testing.T) {
	d := example().Deployments[0]
	c := d.Cost(Single)
	for _, x := range []struct {
		what      string
		got, want float64
	}{
		{"server", c.Server(), 1400}, {"client", c.Client(), 300}, {"verify", c.Verify(), 800}, {"verifications", c.Verifications(), 1.5},
		{"a core", c.PerCore(), 1e6 / 1400}, {"a second", c.Rate(), 500}, {"batch", d.Cost(Batching).Batch(), 50}, {"gain", d.Gain(), 2.4},
		{"even", Median([]float64{4, 1, 3, 2}), 2.5},
	} {
		if math.Abs(x.got-x.want) > 1e-9 {
			t.Errorf("%s: %v, not %v", x.what, x.got, x.want)
		}
	}
	if d.Latency(WebSocket, Pass1) != nil || d.Latency(HTTP, Pass1).Median != 500 {
		t.Error("latencies")
	}
	empty := &Deployment{Costs: []*Cost{{Verifier: Single}}}
	if empty.Cost(Single) != nil || !math.IsNaN(empty.Gain()) || !math.IsNaN((&Cost{}).Verifications()) {
		t.Error("something out of nothing")
	}
}

func TestJSON(t *testing.T) {
	var b bytes.Buffer
	if err := Write(&b, example()); err != nil {
		t.Fatal(err)
	}
	back, err := Read(bytes.NewReader(b.Bytes()))
	if err != nil || !reflect.DeepEqual(back, example()) {
		t.Errorf("%v: %+v", err, back)
	}
	for name, text := range map[string]string{
		"empty": "", "no JSON": "x", "another format": `{"format":"mpin-load/1"}`, "missing": `{"format":"` + Format + `","deployments":[null]}`,
		"missing cost": `{"format":"` + Format + `","deployments":[{"costs":[null]}]}`, "too large": strings.Repeat(" ", maxFile+1),
	} {
		if _, err := Read(strings.NewReader(text)); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestBench reads the rows as benchstat does, which turns ns into s.
func TestBench(t *testing.T) {
	var b bytes.Buffer
	if err := WriteBench(&b, example(), []bench.Setting{{Key: "goos", Value: "linux"}}); err != nil {
		t.Fatal(err)
	}
	reader := benchfmt.NewReader(&b, "endtoend.txt")
	rows, units := map[string]int{}, map[string]string{}
	for reader.Scan() {
		switch x := reader.Result().(type) {
		case *benchfmt.SyntaxError:
			t.Error(x)
		case *benchfmt.UnitMetadata:
			units[x.Unit] = x.Value
		case *benchfmt.Result:
			rows[x.Name.String()]++
			if x.GetConfig("goos") != "linux" {
				t.Error("no environment")
			}
			if v, ok := x.Value(UnitVerifications); strings.HasPrefix(x.Name.String(), "LoginCPU/verifier=single") && (!ok || v < 1.49 || v > 1.76) {
				t.Errorf("%s: %v verifications", x.Name, v)
			}
		}
	}
	if rows["Login/phase=pass1/transport=http/suite=rfc9380/curve=bls12-381/backend=gnark-2"] != 1 ||
		rows["LoginCPU/verifier=single/clients=16/suite=rfc9380/curve=bls12-381/backend=gnark-2"] != 3 || len(rows) != 4 {
		t.Errorf("rows %v", rows)
	}
	if units["server-cpu-sec/op"] != "lower" || units[UnitCryptography] != "higher" {
		t.Errorf("units %v", units)
	}
}

func TestCSV(t *testing.T) {
	var b bytes.Buffer
	if err := WriteCSV(&b, example()); err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(&b).ReadAll()
	if err != nil || len(lines) != 5 {
		t.Fatalf("%d lines, %v", len(lines), err)
	}
	if lines[1][8] != "500" || lines[3][11] != "1400" || lines[3][14] != "1.5" || lines[3][18] != "0.75" || lines[4][18] != "" {
		t.Errorf("%q", lines)
	}
}
