package endtoend

import (
	"bytes"
	"compress/gzip"
	"errors"
	"math"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"mpinlab/sim/endtoend/result"
)

// sampleProfile is a CPU profile with one function a location, by name; each
// stack is locations from 1 on with its time in ms.
func sampleProfile(functions []string, stacks [][]uint64, ms []uint64) []byte {
	number := func(b []byte, field protowire.Number, v uint64) []byte {
		return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), v)
	}
	message := func(b []byte, field protowire.Number, m []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), m)
	}
	var p []byte
	for i, stack := range stacks {
		var locations, values []byte
		for _, l := range stack {
			locations = protowire.AppendVarint(locations, l)
		}
		values = protowire.AppendVarint(protowire.AppendVarint(nil, 1), ms[i]*1e6)
		p = message(p, 2, message(message(nil, 1, locations), 2, values))
	}
	p = message(p, 6, nil)
	for i, name := range functions {
		id := uint64(i + 1)
		p = message(p, 4, message(number(nil, 1, id), 4, number(nil, 1, id)))
		p = message(p, 5, number(number(nil, 1, id), 2, id))
		p = message(p, 6, []byte(name))
	}
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	z.Write(p)
	z.Close()
	return out.Bytes()
}

func TestParts(t *testing.T) {
	functions := []string{"net/http.(*conn).serve", "mpinlab/protocol.(*Verifier).judge", "runtime.mallocgc", "mpinlab/sim/store.(*bolt).Do",
		"runtime.gcBgMarkWorker", "github.com/go-json-experiment/json.Unmarshal", "runtime.schedule"}
	stacks := [][]uint64{{3, 2, 1}, {4, 1}, {5}, {6, 1}, {1}, {7}, {99}}
	shares, seconds, err := parts(sampleProfile(functions, stacks, []uint64{500, 200, 100, 50, 100, 30, 20}))
	if err != nil || math.Abs(seconds-1) > 1e-9 {
		t.Fatal(seconds, err)
	}
	for part, want := range map[string]float64{result.Cryptography: 0.5, result.Store: 0.2, result.Collector: 0.1, result.JSON: 0.05, result.Net: 0.1, result.Other: 0.05} {
		if math.Abs(shares[part]-want) > 1e-9 {
			t.Errorf("%s: %v, not %v", part, shares[part], want)
		}
	}
	if shares, _, err := parts(sampleProfile(functions, stacks[:1], []uint64{10})); shares != nil || err != nil {
		t.Errorf("shares of one sample: %v %v", shares, err)
	}
	if _, _, err := parts([]byte("no profile")); !errors.Is(err, errProfile) {
		t.Errorf("%v", err)
	}
}

func FuzzReadProfile(f *testing.F) {
	f.Add(sampleProfile([]string{"main.main"}, [][]uint64{{1}}, []uint64{10}))
	f.Add([]byte{0x1f, 0x8b})
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, _, err := parts(b); err != nil && !errors.Is(err, errProfile) {
			t.Errorf("an error of no kind: %v", err)
		}
	})
}
