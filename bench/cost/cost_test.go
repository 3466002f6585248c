package cost

import (
	"bytes"
	"context"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"mpinlab/backends"
	"mpinlab/backends/all"
	"mpinlab/bench"
)

// some returns a few backends of different kinds.
func some(t *testing.T) (list []backends.Backend) {
	t.Helper()
	for _, b := range all.Backends() {
		if id := b.Info().ID; id == "gnark/bn254" || id == "amcl/fp256bn" || id == "blst/bls12-381" {
			list = append(list, b)
		}
	}
	if len(list) < 2 {
		t.Fatalf("%d backends", len(list))
	}
	return list
}

func TestMeasure(t *testing.T) {
	bs := slices.DeleteFunc(some(t), func(b backends.Backend) bool { return b.Info().Curve == backends.FP256BN }) // slow
	steps := 0
	r, err := Measure(context.Background(), bs, func(done, total int, _ string) {
		if steps++; done != steps || total != 5*len(bs) {
			t.Errorf("step %d of %d", done, total)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range bs {
		library, curve, _ := strings.Cut(b.Info().ID, "/")
		for _, want := range []struct {
			op, unit    string
			least, most float64
		}{
			{"ServerVerify", Peak, 100, 64 << 20}, {"ServerVerify", Collector, 0.001, 1e9}, {"ClientPass1", Allocations, 1, 1e7},
			{"ServerVerify", Allocated, 100, 64 << 20}, {Identities, Resident, 100, 4096},
		} {
			v, ok := r.Find(want.op, library, curve, want.unit)
			if !ok || v < want.least || v > want.most {
				t.Errorf("%s %s: %v %s, %v", b.Info().ID, want.op, v, want.unit, ok)
			}
		}
	}
	instructions, counted := r.Find("ServerVerify", "gnark", "bn254", Instructions)
	told := slices.ContainsFunc(r.Notes, func(n string) bool { return strings.HasPrefix(n, "instructions and cycles: ") })
	if counted == told || counted && instructions < 10_000 {
		t.Errorf("%v instructions, notes %q", instructions, r.Notes)
	}

	var file bytes.Buffer
	if err := Write(&file, r, []bench.Setting{{Key: "date", Value: "today"}}); err != nil {
		t.Fatal(err)
	}
	again, err := Read(bytes.NewReader(file.Bytes()), "file")
	if err != nil {
		t.Fatal(err)
	}
	if len(again.Rows) != len(r.Rows) || !slices.Equal(again.Notes, r.Notes) {
		t.Fatalf("%d rows of %d, notes %q of %q", len(again.Rows), len(r.Rows), again.Notes, r.Notes)
	}
	for i, row := range again.Rows {
		if row.Key != r.Rows[i].Key || !slices.Equal(slices.Sorted(maps.Keys(row.Values)), slices.Sorted(maps.Keys(r.Rows[i].Values))) {
			t.Errorf("%+v became %+v", r.Rows[i], row)
		}
	}
}

// TestMeasureMemory: an operation of known size.
func TestMeasureMemory(t *testing.T) {
	const size = 1 << 16
	var kept [bench.Inputs][]byte
	body := &bench.Body{Run: func(i int) { kept[i] = make([]byte, size) }, Check: func() error { return nil }}
	values := map[string]float64{}
	measureMemory(body, values)
	if values[Allocated] < size || values[Allocated] > 1.2*size || values[Peak] < 0.9*size || values[Peak] > 2*size || values[Allocations] < 1 {
		t.Errorf("%v", values)
	}
	if len(kept[0]) != size {
		t.Error("nothing was kept")
	}
}

func TestCodeSizes(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := readFunctions(program); err != nil {
		t.Skipf("this system's programs: %v", err)
	}
	sizes, err := codeSizes(some(t))
	if err != nil && !strings.Contains(err.Error(), "symbol table") {
		t.Fatal(err)
	}
	if g, a := sizes["gnark/bn254"], sizes["amcl/fp256bn"]; g < 50_000 || a < 20_000 || g > 50<<20 || a > 50<<20 {
		t.Errorf("%v", sizes)
	}
	if b, ok := sizes["blst/bls12-381"]; ok && (b < 50_000 || b > 5<<20) {
		t.Errorf("blst: %d", b)
	}
	if _, _, err := readFunctions("cost_test.go"); err == nil {
		t.Error("took a text for a program")
	}
}

func TestBadFiles(t *testing.T) {
	for name, text := range map[string]string{
		"empty":        "",
		"time":         "BenchmarkX/curve=c/backend=b-1 1 5 ns/op\n",
		"name":         "BenchmarkX/colour=red-1 1 5 text-B\n",
		"negative":     "BenchmarkX/curve=c/backend=b-1 1 -5 text-B\n",
		"not a number": "BenchmarkX/curve=c/backend=b-1 1 NaN text-B\n",
		"prose":        "hello\n",
	} {
		if r, err := Read(strings.NewReader(text), "file"); err == nil {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("# note: x\nBenchmarkCode/curve=c/backend=b-1 1 5 text-B\n")
	f.Add("Unit text-B better=lower\nBenchmarkServerVerify/suite=s/curve=c/backend=b/via=protocol-1 1 5 peak-B/op 6 gc-ns/op\n")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := Read(strings.NewReader(text), "file")
		if err != nil {
			return
		}
		var out bytes.Buffer
		if err := Write(&out, r, nil); err != nil {
			t.Fatal(err)
		}
		if again, err := Read(&out, "again"); err != nil || len(again.Rows) != len(r.Rows) {
			t.Errorf("%v, %+v of %+v", err, again, r)
		}
	})
}
