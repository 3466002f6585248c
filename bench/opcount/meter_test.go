//go:build meter

package opcount

import (
	"bytes"
	"encoding/csv"
	"flag"
	"os"
	"strconv"
	"testing"

	"mpinlab/backends"
	"mpinlab/backends/arith/field"
	"mpinlab/backends/reference"
	"mpinlab/bench/inputs"
	"mpinlab/protocol"
)

var update = flag.Bool("update", false, "write counts.csv")

// tries is how many inputs a count is the mean of.
const tries = 8

// TestCounts counts again and compares with the file.
func TestCounts(t *testing.T) {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	w.Write(header)
	for _, entry := range reference.New() {
		b, err := reference.NewCurve(entry.Info.Curve)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range counts(t, b) {
			record := []string{c.Curve, c.Suite, c.Op}
			for _, n := range []int{c.Mul, c.Sqr, c.Inv, c.Sqrt, c.Legendre, c.Add} {
				record = append(record, strconv.Itoa(n))
			}
			w.Write(record)
		}
	}
	w.Flush()
	if *update {
		if err := os.WriteFile("counts.csv", out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if out.String() != data {
		t.Errorf("counts.csv is not what is counted now:\n%s", out.String())
	}
}

// counts counts on one curve, in its first suite.
func counts(t *testing.T, b backends.Backend) []Count {
	t.Helper()
	curve := b.Info().Curve
	var suite *protocol.Suite
	for _, id := range protocol.SuiteIDs() {
		if id.Curve == curve && suite == nil {
			var err error
			if suite, err = protocol.New(id, b); err != nil {
				t.Fatal(err)
			}
		}
	}
	in, err := inputs.NewProtocol(suite, 2026)
	if err != nil {
		t.Fatal(err)
	}
	group := inputs.NewGroup(b, 2026)
	server, err := suite.DecodeServerSecret(in.ServerSecret)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := suite.NewVerifier(server)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := b.DecodeG2(group.Secret)
	if err != nil {
		t.Fatal(err)
	}
	var list []Count
	count := func(op string, prepare func(i int) (run func() bool)) {
		var sum field.Counts
		for i := range tries {
			run := prepare(i)
			before := field.Tally()
			ok := run()
			after := field.Tally()
			if !ok {
				t.Errorf("%v %s: input %d gives the wrong result", curve, op, i)
			}
			sum.Mul += after.Mul - before.Mul
			sum.Sqr += after.Sqr - before.Sqr
			sum.Inv += after.Inv - before.Inv
			sum.Sqrt += after.Sqrt - before.Sqrt
			sum.Legendre += after.Legendre - before.Legendre
			sum.Add += after.Add - before.Add
		}
		mean := func(n int64) int { return int((n + tries/2) / tries) }
		list = append(list, Count{curve.String(), suite.ID().Dialect.String(), op,
			mean(sum.Mul), mean(sum.Sqr), mean(sum.Inv), mean(sum.Sqrt), mean(sum.Legendre), mean(sum.Add)})
	}
	count("ServerVerify", func(i int) func() bool {
		u := &in.Users[i]
		return func() bool {
			id, err := suite.Identity(u.Identity)
			if err != nil {
				return false
			}
			return (verifier.Verify(id, &protocol.Transcript{U: u.U, Y: u.Y, V: u.V}) == nil) == u.Accept
		}
	})
	count("HashToG1", func(i int) func() bool {
		return func() bool { _, err := suite.Identity(in.Users[i].Identity); return err == nil }
	})
	count("G1Decode", func(i int) func() bool {
		return func() bool { _, err := b.DecodeG1(group.P[i]); return err == nil }
	})
	count("G1Mul", func(i int) func() bool {
		p, err := b.DecodeG1(group.P[i])
		if err != nil {
			t.Fatal(err)
		}
		k, err := b.DecodeScalar(group.Scalars[i])
		if err != nil {
			t.Fatal(err)
		}
		return func() bool { return !p.Mul(k).IsIdentity() }
	})
	pair := func(i int) ([]backends.G1, []backends.G2) {
		p, err := b.DecodeG1(group.P[i])
		if err != nil {
			t.Fatal(err)
		}
		l, err := b.DecodeG1(group.Left[i])
		if err != nil {
			t.Fatal(err)
		}
		return []backends.G1{l, p}, []backends.G2{b.G2(), secret}
	}
	splitter := b.(backends.Splitter)
	count("MillerLoop", func(i int) func() bool {
		p, q := pair(i)
		return func() bool { splitter.MillerLoop(p, q); return true }
	})
	count("FinalExp", func(i int) func() bool {
		p, q := pair(i)
		u := splitter.MillerLoop(p, q)
		return func() bool { splitter.FinalExp(u); return true }
	})
	count("PairCheck2", func(i int) func() bool {
		p, q := pair(i)
		return func() bool { return b.PairingCheck(p, q) == group.Holds[i] }
	})
	return list
}
